from __future__ import annotations

import argparse
import ftplib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from fairlead.cli import main
from fairlead.cli.serve import OPTIONS, add_parser, settings, users
from fairlead.config.loader import load
from fairlead.config.models import Config
from fairlead.errors import ConfigError

DEADLINE = 30.0
HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"
"""Of "secret"."""


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(["serve", *arguments])


def config(*arguments: str, environment: dict[str, str] | None = None) -> Config:
    return load(environment=environment or {}, options=settings(parsed(*arguments)))


# What the command line says


def test_without_options_the_defaults_stand() -> None:
    assert config() == Config()


def test_each_option_makes_its_setting() -> None:
    made = config(
        "/srv",
        "--listen=127.0.0.1:0",
        "--listen=:21",
        "--passive-ports=50000-50099",
        "--public-address=203.0.113.7",
        "--active-source-port=0",
        "--workers=0",
        "--log-format=json",
        "--idle-timeout=1.5",
        "--max-sessions=7",
        "--metrics=127.0.0.1:9121",
        "--allow-fxp",
    )

    assert made.storage.root == "/srv"
    assert made.server.listen == ["127.0.0.1:0", ":21"]
    assert made.server.passive_ports.ports == range(50000, 50100)
    assert [rule.address for rule in made.server.public_address] == ["203.0.113.7"]
    assert made.server.active_source_port == 0
    assert made.server.workers == 0
    assert made.log.format == "json"
    assert made.server.idle_timeout == 1.5
    assert made.server.max_sessions == 7
    assert made.metrics.listen == "127.0.0.1:9121"
    assert made.server.allow_fxp


def test_the_command_line_goes_over_the_environment() -> None:
    environment = {"FAIRLEAD_SERVER__WORKERS": "3", "FAIRLEAD_SERVER__LISTEN": "127.0.0.1:1,127.0.0.1:2"}

    made = config("--listen=127.0.0.1:3", environment=environment)

    assert made.server.workers == 3
    assert made.server.listen == ["127.0.0.1:3"]


@pytest.mark.parametrize(
    ("arguments", "enabled"),
    [
        ([], None),
        (["--anonymous"], True),
        (["--no-anonymous"], False),
        (["--user=a:b"], False),
        (["--user=a:b", "--anonymous"], True),
    ],
)
def test_users_turn_anonymous_access_off_unless_it_is_asked_for(arguments: list[str], enabled: bool | None) -> None:
    assert config(*arguments, environment={}).anonymous.enabled is enabled


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["me:secret"], {"me": "secret"}),
        (["me:with:colons: and spaces"], {"me": "with:colons: and spaces"}),
        (["me:"], {"me": ""}),
        (["a:1", "b:2"], {"a": "1", "b": "2"}),
    ],
)
def test_users_are_names_and_passwords(given: list[str], expected: dict[str, str]) -> None:
    assert users(given) == expected


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (["secret"], "--user: write NAME:PASSWORD, such as me:secret"),
        ([":hunter2"], "--user: '' can name no user; take some printable characters"),
        (["me:hunter2", "me:other"], "--user: 'me' is given twice; leave one of them"),
    ],
)
def test_what_is_no_user_is_refused_without_showing_a_password(given: list[str], error: str) -> None:
    with pytest.raises(ConfigError) as raised:
        users(given)

    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--listen", "2121"], "--listen: '2121' is not HOST:PORT; write for instance 127.0.0.1:2121"),
        (["--listen", "127.0.0.1:99999"], "--listen: '99999' is no port; ports are numbers from 0 to 65535"),
        (["--listen", "::1:21"], "--listen: '::1:21' can be read in two ways; put the address in brackets: [::1]:21"),
        (["--passive-ports", "2-1"], "--passive-ports: '2-1' begins after its end; write 1-2"),
        (["--active-source-port", "65536"], "--active-source-port: a whole number of at most 65535 is needed"),
        (["--active-source-port", "x"], "--active-source-port: 'x' is not a whole number"),
        (["--workers", "-1"], "--workers: a whole number of at least 0 is needed"),
        (["--workers", "many"], "--workers: 'many' is not a whole number"),
        (["--max-sessions", "-1"], "--max-sessions: a whole number of at least 0 is needed"),
        (["--idle-timeout", "0"], "--idle-timeout: a number above 0 is needed"),
        (["--idle-timeout", "soon"], "--idle-timeout: 'soon' is not a number"),
        (["--log-format", "jsn"], "--log-format: 'jsn' is no choice; did you mean json?"),
        (["--user", "hunter2"], "--user: write NAME:PASSWORD, such as me:secret"),
        (["--config", "/missing"], "cannot read the configuration file /missing: No such file or directory"),
        (["/missing"], "cannot serve the directory '/missing': No such file or directory; name another"),
        (["--listen", "192.0.2.1:2121", "/"], "cannot listen on 192.0.2.1:2121: this machine has no such address"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_status_2(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 2

    assert capsys.readouterr() == ("", f"fairlead: {error}\n")


def test_every_option_is_one_of_the_contract() -> None:
    assert {option.flag for option in OPTIONS} == {
        "--passive-ports", "--public-address", "--active-source-port", "--workers", "--log-format", "--idle-timeout",
        "--max-sessions", "--metrics", "--tls-resumption",
    }  # fmt: skip


# The server as a process


@dataclass
class Process:
    """``fairlead serve`` in a process of its own."""

    process: subprocess.Popen[bytes]
    ports: list[int]
    output: list[str]
    """What it printed until it served."""
    log: Path

    def login(self, user: str = "anonymous", password: str = "me@example.com") -> ftplib.FTP:
        client = ftplib.FTP(timeout=DEADLINE)
        try:
            client.connect("127.0.0.1", self.ports[0])
            client.login(user, password)
        except ftplib.Error:
            client.close()
            raise
        return client

    def wait_for_log(self, what: Callable[[list[str]], bool]) -> list[str]:
        """The lines of the log once they satisfy ``what``."""
        deadline = time.monotonic() + DEADLINE
        while not what(lines := self.log.read_text().splitlines()):
            assert time.monotonic() < deadline, lines
            time.sleep(0.01)
        return lines

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@contextmanager
def serving(tmp_path: Path, *arguments: str, listeners: int = 1, lines: int = 3) -> Iterator[Process]:
    """A server of ``tmp_path`` that printed ``lines`` lines after those of its listeners."""
    log = tmp_path.parent / f"{tmp_path.name}.log"
    program = "import sys; from fairlead.cli import main; sys.exit(main())"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=tmp_path,
            env=environment | {"FAIRLEAD_SERVER__LOGIN_DELAY": "0", "PYTHONUNBUFFERED": ""},
        )
    assert process.stdout is not None
    try:
        output = [process.stdout.readline().decode().rstrip("\n") for _ in range(listeners + lines)]
        ports = [int(line.rpartition(":")[2]) for line in output[:listeners]]
        yield Process(process, ports, output, log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_prints_a_line_for_each_listener_and_serves(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello")
    with serving(tmp_path, "--listen", "127.0.0.1:0", "--listen", "[::1]:0", listeners=2) as server:
        assert server.output == [
            f"listening on ftp://127.0.0.1:{server.ports[0]}",
            f"listening on ftp://[::1]:{server.ports[1]}",
            f"serving {tmp_path}: anonymous reads",
            "passive ports 61000-65535, announced as the address that each client calls",
            "only this machine can connect; to let others in: --listen '[::]:2121'",
        ]
        with server.login() as client:
            assert client.nlst() == ["hello.txt"]
            with pytest.raises(ftplib.error_perm, match=r"^55"):
                client.storbinary("STOR new", io.BytesIO(b"x"))


def test_named_users_write_when_told_and_anonymous_ones_stay_out(tmp_path: Path) -> None:
    with serving(tmp_path, "--listen=127.0.0.1:0", "--user=me:se:cret", "--write") as server:
        assert server.output[1] == f"serving {tmp_path}: me reads and writes"
        with server.login("me", "se:cret") as client:
            client.storbinary("STOR new", io.BytesIO(b"content"))
        with pytest.raises(ftplib.error_perm, match=r"^530"):
            server.login()

    assert (tmp_path / "new").read_bytes() == b"content"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, "--listen=127.0.0.1:0") as server:
        assert server.stop(number) == 0
        assert server.log.read_text() == ""


def test_the_log_has_a_record_for_each_login_transfer_and_refusal(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(b"12345")
    with serving(tmp_path, "--listen=127.0.0.1:0", "--user=me:secret", "--log-format=json") as server:
        with server.login("me", "secret") as client:
            client.retrbinary("RETR a b", lambda _: None)
        with pytest.raises(ftplib.error_perm, match=r"^530"):
            server.login("me", "hunter2")
        assert server.stop() == 0

    text = server.log.read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert [(record["event"], record["user"]) for record in records] == [
        ("login", "me"),
        ("transfer", "me"),
        ("login-failed", "me"),
    ]
    assert {record["peer"] for record in records} == {"127.0.0.1"}
    assert (records[1]["path"], records[1]["size"]) == ("/a b", 5)
    assert "secret" not in text
    assert "hunter2" not in text


def test_what_was_logged_last_is_written_before_the_end(tmp_path: Path) -> None:
    with serving(tmp_path, "--listen=127.0.0.1:0") as server:
        server.login().close()
        assert server.stop() == 0

    assert "anonymous logged in as me@example.com" in server.log.read_text()


def test_workers_share_the_port_and_announce_it_once(tmp_path: Path) -> None:
    with serving(tmp_path, "--listen=127.0.0.1:0", "--workers=2", "--max-sessions=3") as server:
        clients = [server.login() for _ in range(3)]
        with pytest.raises(ftplib.error_temp, match=r"^421"):
            server.login()
        for client in clients:
            client.close()
        assert server.stop() == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == b""

    lines = server.log.read_text().splitlines()
    assert sum("logged in" in line for line in lines) == 3
    assert sum("session refused" in line for line in lines) == 1


def test_metrics_are_those_of_all_workers(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    arguments = ["--listen=127.0.0.1:0", "--workers=2", "--metrics=127.0.0.1:0"]
    with serving(tmp_path, *arguments, lines=4) as server:
        url = server.output[-1].removeprefix("metrics at ")
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/metrics", url)
        for _ in range(8):
            with server.login() as client:
                client.retrbinary("RETR file", lambda _: None)
        with urlopen(url, timeout=DEADLINE) as response:
            text = response.read().decode()
        assert server.stop() == 0

    assert "\nfairlead_sessions_opened_total 8.0\n" in text
    assert '\nfairlead_data_octets_total{direction="sent"} 40.0\n' in text
    assert '\nfairlead_data_connections_total{cause="ok"} 8.0\n' in text


def test_a_place_for_metrics_that_is_taken_is_told_before_anything_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(tmp_path), "--listen=127.0.0.1:0", f"--metrics=127.0.0.1:{port}"]) == 2
    assert capsys.readouterr().err == (
        f"fairlead: metrics cannot be served on 127.0.0.1 port {port}: Address already in use; choose another place in"
        " metrics.listen\n"
    )


def test_a_port_that_is_taken_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(tmp_path, f"--listen=127.0.0.1:{port}", listeners=0, lines=1) as server:
            assert server.process.wait(DEADLINE) == 2

    assert server.output == [""]
    assert server.log.read_text() == (
        f"fairlead: cannot listen on 127.0.0.1:{port}: another program has that port; choose another with --listen\n"
    )


def test_a_hang_up_signal_reads_the_file_again(tmp_path: Path) -> None:
    file = tmp_path / "fairlead.toml"
    file.write_text("[anonymous]\nenabled = true\n")
    with serving(tmp_path, "--listen=127.0.0.1:0", "--config", str(file)) as server:
        file.write_text(f'[[users]]\nname = "alice"\npassword = "{HASH}"\n')
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log(lambda lines: any("reload:" in line for line in lines))
        server.login("alice", "secret").close()
        with pytest.raises(ftplib.error_perm, match=r"^530"):
            server.login()

        file.write_text("[server]\nworker = 1\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log(lambda lines: any("did you mean workers?" in line for line in lines))
        server.login("alice", "secret").close()


def test_it_serves_on_when_nobody_reads_its_output(tmp_path: Path) -> None:
    with serving(tmp_path, "--listen=127.0.0.1:0", lines=0) as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.login().close()
        assert server.stop() == 0


def test_it_serves_on_when_nobody_reads_its_log(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    program = "import sys; from fairlead.cli import main; sys.exit(main(['serve', '--listen=127.0.0.1:0']))"
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, stderr=writing)
    assert process.stdout is not None
    try:
        os.set_blocking(writing, False)
        try:
            while os.write(writing, b"x" * 4096):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
        port = int(process.stdout.readline().decode().rpartition(":")[2])
        server = Process(process, [port], [], tmp_path)
        for _ in range(3):
            server.login().close()
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(reading)
        os.close(writing)
