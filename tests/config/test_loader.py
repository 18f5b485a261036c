from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.config.loader import load
from fairlead.config.models import Config
from fairlead.config.source import Source
from fairlead.errors import ConfigError

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"


def error_of(file: Path | None = None, environment: dict[str, str] | None = None, options: Source | None = None) -> str:
    with pytest.raises(ConfigError) as raised:
        load(file, environment=environment or {}, options=options)
    return str(raised.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fairlead.toml"


def test_nothing_set_gives_the_defaults() -> None:
    assert load(environment={}) == Config()


def test_a_file_sets_what_it_names(file: Path) -> None:
    file.write_text(
        f"""
        [server]
        listen = ["127.0.0.1:0"]
        idle_timeout = 60
        active_source_port = 0
        public_address = [{{ address = "10.0.0.5", clients = "10.0.0.0/8" }}, {{ address = "ftp.example.com" }}]
        [storage]
        durability = "relaxed"
        [anonymous]
        enabled = true
        rules = [{{ path = "/incoming", rights = ["create"] }}]
        [[users]]
        name = "alice"
        password = "{HASH}"
        write = true
        account_at = "store"
        account = "{HASH}"
        [log]
        format = "json"
        """
    )

    config = load(file, environment={})

    assert config.server.listen[0].port == 0
    assert config.server.idle_timeout == 60
    assert config.server.active_source_port == 0
    assert [(rule.address, rule.clients) for rule in config.server.public_address] == [
        ("10.0.0.5", "10.0.0.0/8"),
        ("ftp.example.com", ""),
    ]
    assert config.storage.durability == "relaxed"
    assert config.anonymous.enabled
    assert config.anonymous.rules[0].rights == ["create"]
    assert config.users[0].name == "alice"
    assert config.log.format == "json"
    assert config.server.passive_ports == Config().server.passive_ports


def test_one_of_a_list_may_stand_alone(file: Path) -> None:
    file.write_text('[server]\nlisten = ":21"\npublic_address = "203.0.113.7"\n')

    server = load(file, environment={}).server

    assert [(where.host, where.port) for where in server.listen] == [("::", 21)]
    assert [(rule.address, rule.clients) for rule in server.public_address] == [("203.0.113.7", "")]


def test_directories_in_a_file_are_relative_to_it_and_elsewhere_to_the_current_one(file: Path) -> None:
    file.write_text(
        '[storage]\nroot = "files"\n[anonymous]\nroot = "/pub"\n'
        f'[[users]]\nname = "a"\npassword = "{HASH}"\nroot = "a"\n'
    )

    config = load(file, environment={})

    assert config.storage.root == str(file.parent / "files")
    assert config.anonymous.root == "/pub"
    assert config.users[0].root == str(file.parent / "a")
    assert load(file, environment={"FAIRLEAD_STORAGE__ROOT": "files"}).storage.root == "files"


def test_command_line_goes_over_environment_over_file_over_default(file: Path) -> None:
    file.write_text("[server]\nworkers = 2\nmax_sessions = 2\ngrace = 2\n")
    environment = {"FAIRLEAD_SERVER__WORKERS": "3", "FAIRLEAD_SERVER__MAX_SESSIONS": "3"}
    options = Source()
    options.put(("server", "workers"), 4, "--workers")

    server = load(file, environment=environment, options=options).server

    assert (server.workers, server.max_sessions, server.grace, server.login_delay) == (4, 3, 2, 1)


def test_the_environment_carries_every_type() -> None:
    config = load(
        environment={
            "FAIRLEAD_SERVER__LISTEN": "127.0.0.1:0, [::1]:0",
            "FAIRLEAD_SERVER__PUBLIC_ADDRESS": '[{ address = "10.0.0.5", clients = "10.0.0.0/8" }]',
            "FAIRLEAD_SERVER__PASSIVE_PORTS": "61000-61010",
            "FAIRLEAD_SERVER__ACTIVE": "false",
            "FAIRLEAD_SERVER__ACTIVE_SOURCE_PORT": "0",
            "FAIRLEAD_SERVER__GRACE": "1.5",
            "FAIRLEAD_SERVER__BANNER": "1",
            "FAIRLEAD_ANONYMOUS__ENABLED": "true",
            "FAIRLEAD_USERS": f'[{{ name = "alice", password = "{HASH}" }}]',
            "FAIRLEAD_PASSWORD": "of the client",
            "PATH": "/bin",
        }
    )

    assert config.server.listen == ["127.0.0.1:0", "[::1]:0"]
    assert config.server.public_address[0].clients == "10.0.0.0/8"
    assert config.server.passive_ports.ports == range(61000, 61011)
    assert config.server.active is False
    assert config.server.active_source_port == 0
    assert config.server.grace == 1.5
    assert config.server.banner == "1"
    assert config.anonymous.enabled is True
    assert config.users[0].name == "alice"


@pytest.mark.parametrize(
    ("text", "line", "error"),
    [
        (
            "[server]\npassive_port = '1-2'",
            2,
            "server.passive_port: there is no such setting; did you mean passive_ports?",
        ),
        ("\n[servr]\nworkers = 2", 2, "servr: there is no such setting; did you mean server?"),
        ("[log]\nx = 1", 2, "log.x: there is no such setting; choose from format"),
        ("[server]\nworkers = 'two'", 2, "server.workers: a whole number is needed, not text in quotes"),
        ("[server]\nworkers = -1", 2, "server.workers: a whole number of at least 0 is needed"),
        ("[server]\nworkers = true", 2, "server.workers: a whole number is needed, not true or false"),
        ("[server]\nidle_timeout = 0", 2, "server.idle_timeout: a number above 0 is needed"),
        ("[server]\nactive = 1", 2, "server.active: true or false is needed, not a whole number"),
        (
            "[server]\nactive_source_port = 65536",
            2,
            "server.active_source_port: a whole number of at most 65535 is needed",
        ),
        ("[server]\nbanner = 3", 2, "server.banner: text in quotes is needed, not a whole number"),
        ("[server]\nlisten = []", 2, "server.listen: a list of at least 1 is needed"),
        ("[server]\nlisten = 21", 2, "server.listen: a list is needed, not a whole number"),
        ("[server]\nlisten = [21]", 2, "server.listen[0]: text in quotes is needed, not a whole number"),
        (
            "[server]\npassive_ports = '70000-2'",
            2,
            "server.passive_ports: '70000' is no port; ports are numbers from 1 to 65535",
        ),
        ("server = 3", 1, "server: a table is needed, not a whole number"),
        ("[storage]\ndurability = 'ful'", 2, "storage.durability: 'ful' is no choice; did you mean full?"),
        ("[log]\nformat = 'xml'", 2, "log.format: 'xml' is no choice; choose from text, json"),
        (
            f"[[users]]\nname = 'a'\npassword = '{HASH}'\naccount_at = 'logn'",
            4,
            "users[0].account_at: 'logn' is no choice; did you mean login?",
        ),
        ("[[users]]\nnam = 'a'", 2, "users[0].nam: there is no such setting; did you mean name?"),
        ("[[users]]\nname = 'a'", 1, "users[0]: password must be given"),
        (
            "[[users]]\nname = 'a'\npassword = 'hunter2'",
            3,
            (
                "users[0].password: a password is kept as an argon2 hash, never in clear; `fairlead user add NAME"
                " --config FILE` asks for one and writes its hash"
            ),
        ),
        ("[server]\nworkers 2", 2, "no valid TOML: Expected '=' after a key in a key/value pair"),
        ("[server]\nworkers = =\n", 2, "no valid TOML: Invalid value"),
    ],
)
def test_a_fault_names_file_line_and_remedy(file: Path, text: str, line: int, error: str) -> None:
    file.write_text(text)

    assert error_of(file) == f"{file}, line {line}: {error}"


def test_an_unfinished_document_names_the_file(file: Path) -> None:
    file.write_text("[server")

    assert (
        error_of(file) == f"{file}: no valid TOML: Expected ']' at the end of a table declaration (at end of document)"
    )


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("FAIRLEAD_SERVER__WORKERS", "two", "'two' is not a whole number"),
        ("FAIRLEAD_SERVER__WORKERS", "-1", "a whole number of at least 0 is needed"),
        ("FAIRLEAD_SERVER__ALLOW_FXP", "maybe", "'maybe' is not true or false"),
        ("FAIRLEAD_SERVER__WORKER", "1", "there is no such setting; did you mean workers?"),
        ("FAIRLEAD_SERVRE__WORKERS", "1", "there is no such setting; did you mean server?"),
        ("FAIRLEAD_SERVER__LISTEN", "127.0.0.1:1,2", "'2' is not HOST:PORT; write for instance 127.0.0.1:2"),
        ("FAIRLEAD_SERVER__LISTEN", "", "a list of at least 1 is needed"),
        ("FAIRLEAD_USERS", "[{", "no valid TOML: Invalid initial character for a key part (at end of document)"),
        ("FAIRLEAD_USERS", "alice", "a table is needed, not text in quotes"),
        ("FAIRLEAD_LOG__FORMAT__X", "1", "text in quotes is needed, not a table"),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(name: str, value: str, error: str) -> None:
    assert error_of(environment={name: value}) == f"{name}: {error}"


def test_a_fault_on_the_command_line_names_the_option(file: Path) -> None:
    file.write_text("[server]\npassive_ports = '1000-2000'\n")
    options = Source()
    options.put(("server", "passive_ports"), "9-8", "--passive-ports")

    assert error_of(file, options=options) == "--passive-ports: '9-8' begins after its end; write 8-9"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"# \xff")

    assert error_of(missing) == f"cannot read the configuration file {missing}: No such file or directory"
    assert error_of(tmp_path) == f"cannot read the configuration file {tmp_path}: Is a directory"
    assert error_of(binary) == f"{binary}: the file is not UTF-8 text (octet 2)"
