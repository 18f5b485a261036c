from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fairlead.accounts.base import Accounts, Right
from fairlead.accounts.memory import MemoryAccounts
from fairlead.config import build as build_module
from fairlead.config import models
from fairlead.config.build import Built, build, cores
from fairlead.config.loader import load
from fairlead.config.route import outward_address
from fairlead.errors import ConfigError, LoginRefused
from fairlead.server.settings import Announce, Settings

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"
"""Of "secret"."""


def built(tmp_path: Path, text: str = "", **more: object) -> Built:
    file = tmp_path / "fairlead.toml"
    file.write_text(text)
    return build(load(file, environment={}), **more)  # type: ignore[arg-type]


def rights(accounts: MemoryAccounts, user: str, path: str, password: str = "secret") -> Right:
    return asyncio.run(accounts.authenticate(user, password, peer="192.0.2.1")).rights(path)


def test_the_default_configuration_is_the_default_server(tmp_path: Path) -> None:
    made = built(tmp_path)

    assert made.settings == Settings()
    assert made.stores == (made.storage,)
    assert made.accounts.anonymous("ftp")
    assert rights(made.accounts, "ftp", "/") == Right.READER


def test_every_setting_of_a_server_can_be_configured() -> None:
    assert set(models.Server._fields) - {"public_address"} == set(Settings._fields) - {"announce", "tls"}


def test_settings_are_taken_over(tmp_path: Path) -> None:
    settings = built(
        tmp_path,
        """
        [server]
        listen = ["[::]:21", "192.0.2.1:0"]
        passive_ports = "50000-50009"
        public_address = [{ address = "10.0.0.5", clients = "10.0.0.0/8" }, { address = "ftp.example.com" }]
        active_source_port = 0
        """,
    ).settings

    assert settings.listen == (("::", 21), ("192.0.2.1", 0))
    assert settings.passive_ports == range(50000, 50010)
    assert settings.announce == (Announce("10.0.0.5", "10.0.0.0/8"), Announce("ftp.example.com"))
    assert settings.active_source_port == 0


def test_public_ports_and_proxies_are_taken_over(tmp_path: Path) -> None:
    settings = built(
        tmp_path,
        """
        [server]
        passive_ports = "50000-50099"
        public_address = [{ address = "203.0.113.7", ports = "40000-40099" }]
        proxy_from = ["10.0.0.1", "2001:db8::/32"]
        """,
    ).settings
    assert settings.announce == (Announce("203.0.113.7", "", range(40_000, 40_100)),)
    assert settings.proxy_from == ("10.0.0.1", "2001:db8::/32")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            '[server]\npassive_ports = "50000-50099"\npublic_address = [{ address = "", ports = "40000-40009" }]',
            "are 10, the passive ports 50000-50099 are 100.* write 40000-40099",
        ),
        ('[server]\nproxy_from = ""', "name the load balancers' addresses"),
    ],
)
def test_places_that_cannot_be_right_are_refused(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        built(tmp_path, text)


def test_the_umask_is_that_of_every_store(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stores = built(tmp_path, '[storage]\numask = "027"\n[anonymous]\nroot = "other"').stores

    assert [store.umask for store in stores] == [0o027, 0o027]


def test_no_workers_stand_for_one_per_core(tmp_path: Path) -> None:
    assert built(tmp_path, "[server]\nworkers = 0").settings.workers == cores() >= 1


def test_the_address_auto_is_that_of_the_default_route_but_for_this_machine_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "outward_address", lambda: "203.0.113.7")

    assert built(tmp_path, '[server]\npublic_address = "auto"').settings.announce == (
        Announce("", "127.0.0.0/8"),
        Announce("203.0.113.7"),
    )


def test_the_address_auto_needs_a_default_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "outward_address", lambda: None)

    with pytest.raises(ConfigError, match="no default route; write the address in place of auto"):
        built(tmp_path, '[server]\npublic_address = "auto"')


def test_the_outward_address_is_an_ipv4_address_or_unknown() -> None:
    address = outward_address()

    assert address is None or len(address.split(".")) == 4


def test_configured_users_log_in_with_the_rights_that_are_configured(tmp_path: Path) -> None:
    accounts = built(
        tmp_path,
        f"""
        [[users]]
        name = "reader"
        password = "{HASH}"
        home = "/docs"
        allow_fxp = true
        admin = true
        account_at = "login"
        account = "{HASH}"
        [[users]]
        name = "writer"
        password = "{HASH}"
        write = true
        rules = [{{ path = "/archive", rights = ["list", "read"] }}, {{ path = "/secret", rights = [] }}]
        """,
    ).accounts

    reader = asyncio.run(accounts.authenticate("reader", "secret", peer="192.0.2.1"))
    assert (reader.home, reader.allow_fxp, reader.admin, reader.account_at) == ("/docs", True, True, "login")
    assert asyncio.run(accounts.check_account(reader, "secret"))
    assert not asyncio.run(accounts.check_account(reader, "other"))
    assert reader.rights("/x") == Right.READER
    assert rights(accounts, "writer", "/x") == Right.WRITER
    assert rights(accounts, "writer", "/archive/x") == Right.READER
    assert rights(accounts, "writer", "/secret") == Right.NONE
    assert not accounts.anonymous("anonymous")
    with pytest.raises(LoginRefused):
        rights(accounts, "writer", "/", "wrong")


def test_the_switch_for_writing_is_for_named_users_of_whom_the_file_does_not_say(tmp_path: Path) -> None:
    accounts = built(
        tmp_path,
        f"""
        [anonymous]
        enabled = true
        [[users]]
        name = "silent"
        password = "{HASH}"
        [[users]]
        name = "fixed"
        password = "{HASH}"
        write = false
        """,
        users={"named": "secret"},
        write=True,
    ).accounts

    assert rights(accounts, "named", "/") == Right.WRITER
    assert rights(accounts, "silent", "/") == Right.WRITER
    assert rights(accounts, "fixed", "/") == Right.READER
    assert rights(accounts, "anonymous", "/") == Right.READER


@pytest.mark.req("S-1635-3")
def test_an_area_for_anonymous_uploads_takes_new_files_and_gives_nothing_away(tmp_path: Path) -> None:
    accounts = built(
        tmp_path, '[anonymous]\nneed_password = true\nrules = [{ path = "/incoming", rights = ["create"] }]'
    ).accounts

    assert rights(accounts, "anonymous", "/") == Right.READER
    assert rights(accounts, "anonymous", "/incoming/x") == Right.CREATE
    with pytest.raises(LoginRefused):
        rights(accounts, "anonymous", "/", "")


def test_a_user_of_the_command_line_takes_the_place_of_a_configured_one(tmp_path: Path) -> None:
    accounts = built(tmp_path, f'[[users]]\nname = "alice"\npassword = "{HASH}"', users={"alice": "other"}).accounts

    assert rights(accounts, "alice", "/", "other") == Right.READER
    with pytest.raises(LoginRefused):
        rights(accounts, "alice", "/", "secret")


@pytest.mark.parametrize(("enabled", "expected"), [("", False), ("enabled = true", True), ("enabled = false", False)])
def test_users_turn_anonymous_access_off_unless_the_file_says(tmp_path: Path, enabled: str, *, expected: bool) -> None:
    accounts = built(tmp_path, f"[anonymous]\n{enabled}", users={"alice": "secret"}).accounts

    assert accounts.anonymous("anonymous") is expected


def test_each_directory_has_one_store(tmp_path: Path) -> None:
    for name in ("main", "own", "pub"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of-{name}").touch()
    made = built(
        tmp_path,
        f"""
        [storage]
        root = "main"
        [anonymous]
        enabled = true
        root = "pub"
        [[users]]
        name = "own"
        password = "{HASH}"
        root = "own"
        [[users]]
        name = "same"
        password = "{HASH}"
        root = "own"
        [[users]]
        name = "main"
        password = "{HASH}"
        """,
    )

    def files(user: str) -> list[str]:
        storage = asyncio.run(made.accounts.authenticate(user, "secret", peer="192.0.2.1")).storage
        assert storage is not None
        return [item.name for batch in storage.scan("/") for item in batch]

    assert len(made.stores) == 3
    assert made.stores[0] is made.storage
    assert [files(user) for user in ("own", "same", "main", "anonymous")] == [
        ["of-own"], ["of-own"], ["of-main"], ["of-pub"]
    ]  # fmt: skip


def test_virtual_hosts_have_users_and_directories_of_their_own(tmp_path: Path) -> None:
    for name in ("main", "one", "own", "pub"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of-{name}").touch()
    made = built(
        tmp_path,
        f"""
        [server]
        banner = "Main."
        names = ["FTP.example"]
        [storage]
        root = "main"
        [anonymous]
        enabled = true
        root = "pub"
        [[users]]
        name = "everywhere"
        password = "{HASH}"
        [[users]]
        name = "own"
        password = "{HASH}"
        root = "own"
        hosts = ["one.example"]
        [[users]]
        name = "two"
        password = "{HASH}"
        hosts = ["TWO.example"]
        [[hosts]]
        name = "One.example"
        aliases = ["www.one.example"]
        root = "one"
        banner = "One."
        [[hosts]]
        name = "two.example"
        anonymous = false
        available = false
        """,
        users={"given": "secret"},
    )

    assert made.settings.names == ("ftp.example",)
    one, two = made.hosts
    assert (one.names, one.banner, one.available) == (("one.example", "www.one.example"), "One.", True)
    assert (two.names, two.banner, two.available) == (("two.example",), "Main.", False)
    assert [item.name for batch in two.storage.scan("/") for item in batch] == ["of-main"]

    def files(accounts: Accounts) -> dict[str, str]:
        found = {}
        for user in ("everywhere", "own", "two", "given", "anonymous"):
            try:
                storage = asyncio.run(accounts.authenticate(user, "secret", peer="192.0.2.1")).storage
            except LoginRefused:
                continue
            assert storage is not None
            found[user] = next(item.name for batch in storage.scan("/") for item in batch)
        return found

    assert files(made.accounts) == {"everywhere": "of-main", "given": "of-main", "anonymous": "of-pub"}
    assert files(one.accounts) == {
        "everywhere": "of-one", "own": "of-own", "given": "of-one", "anonymous": "of-one",
    }  # fmt: skip
    assert files(two.accounts) == {"everywhere": "of-main", "two": "of-main", "given": "of-main"}
    assert len(made.stores) == 4


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            '[storage]\nroot = "missing"',
            "cannot serve the directory '{}/missing': No such file or directory; name another",
        ),
        (
            '[storage]\nroot = "fairlead.toml"',
            "cannot serve the directory '{}/fairlead.toml': Not a directory; name another",
        ),
        (
            f'[[users]]\nname = "a"\npassword = "{HASH}"\n' * 2,
            "the user 'a' is configured twice; remove one of the two",
        ),
        (
            f'[[users]]\nname = "a"\npassword = "{HASH}"\naccount_at = "login"',
            "the user 'a' is asked for ACCT, but has no account to compare with; give account",
        ),
        (
            '[[hosts]]\nname = "a.example"\n[[hosts]]\nname = "b.example"\naliases = ["A.example"]',
            "two virtual hosts have the name 'a.example'; take it from one of them",
        ),
        (
            f'[[hosts]]\nname = "a.example"\n[[users]]\nname = "x"\npassword = "{HASH}"\nhosts = ["b.example"]',
            "there is no virtual host 'b.example' for the user 'x'; did you mean a.example?",
        ),
        (
            f'[[users]]\nname = "x"\npassword = "{HASH}"\nhosts = ["b.example"]',
            "there is no virtual host 'b.example' for the user 'x'; add it to [[hosts]]",
        ),
        (
            f'hosts=[{{name="h"}}]\nusers=[{{name="x",password="{HASH}"}}, {{name="x",password="{HASH}",hosts="h"}}]',
            "the user 'x' is configured twice for the host 'h'; remove one of the two",
        ),
    ],
)
def test_what_cannot_be_built_is_said(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ConfigError) as raised:
        built(tmp_path, text)

    assert str(raised.value) == error.format(tmp_path)
