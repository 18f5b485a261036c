"""FTP proxies of every style, and the client behind a proxy that carries its connections."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._race import Deadlines
from fairlead.client._wires.blocking import BlockingWire, step
from fairlead.client._wires.tunnelled import TunnelCall, TunnelledWire
from fairlead.client.ladder import Recorder
from fairlead.client.proxy import STYLES, FtpProxy
from fairlead.client.settings import Settings
from fairlead.client.sync import Client
from fairlead.errors import (
    CertificateError,
    ConfigError,
    ConnectError,
    DataConnectionError,
    LoginError,
    SessionLost,
    TransientError,
)
from fairlead.ladder import pcapng, text
from fairlead.testing import misbehave, serve
from tests.client.script import data, door, on, stage

Connect = Callable[..., Any]
GATE = "192.0.2.99"
NAME = "ftp.example.com"


# FTP proxies


def gated(*steps: Any, proxy: FtpProxy, url: str = f"ftp://me:secret@{NAME}", **options: Any) -> Any:
    return stage(*steps, host=GATE, url=url, proxy=proxy, **options)


LOGINS = {
    "user": ["USER me@{host}", "PASS secret"],
    "login-user": ["USER gate", "PASS key", "USER me@{host}", "PASS secret"],
    "site": ["USER gate", "PASS key", "SITE {host}", "USER me", "PASS secret"],
    "open": ["USER gate", "PASS key", "OPEN {host}", "USER me", "PASS secret"],
    "proxy-user": ["USER gate@{host}", "PASS key", "USER me", "PASS secret"],
    "joined": ["USER me@gate@{host}", "PASS secret@key"],
    "account": ["USER me@{host} gate", "PASS secret", "ACCT key"],
}
ANSWERS = {"USER": "331 password?", "PASS": "332 go on", "SITE": "220 there", "OPEN": "220 there", "ACCT": "230 in"}


def test_every_style_is_shown() -> None:
    assert LOGINS.keys() == STYLES.keys()


@pytest.mark.parametrize("port", [21, 2121])
@pytest.mark.parametrize("style", STYLES)
def test_login_of_each_style(style: str, port: int) -> None:
    host = NAME if port == 21 else f"{NAME}:{port}"
    lines = [line.format(host=host) for line in LOGINS[style]]
    steps = [on(line, ANSWERS[line[:4]]) for line in lines[:-1]] + [on(lines[-1], "230 in")]
    there = gated(
        *steps,
        on("FEAT", "500 what?"),
        proxy=FtpProxy(GATE, user="gate", password="key", style=style),
        url=f"ftp://me:secret@{NAME}:{port}",
    )
    with there.ftp:
        pass
    there.play.done()
    assert there.wire.calls == [(GATE, 21)]
    assert "secret" not in "\n".join(there.lines)
    assert "key" not in "\n".join(there.lines)


@pytest.mark.parametrize("style", ["site", "open"])
def test_login_at_the_proxy_is_left_out_where_it_has_no_users(style: str) -> None:
    steps = (on(f"{style.upper()} {NAME}", "220 there"), on("USER me", "331 ?"), on("PASS secret", "230 in"))
    there = gated(*steps, on("FEAT", "500 what?"), proxy=FtpProxy(GATE, style=style))
    with there.ftp:
        pass
    there.play.done()


def test_password_is_not_sent_where_the_name_was_enough() -> None:
    there = gated(on(f"USER anonymous@{NAME}", "230 in"), on("FEAT", "500"), proxy=FtpProxy(GATE), url=f"ftp://{NAME}")
    with there.ftp:
        pass
    there.play.done()


def test_data_connections_go_to_the_proxy() -> None:
    login = (on(f"USER me@{NAME}", "331 ?"), on("PASS secret", "230 in"), on("FEAT", "500 what?"))
    listing = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("NLST", "150 go", data(b"a\r\n"), "226 ok"))
    there = gated(*login, *listing, proxy=FtpProxy(GATE))
    with there.ftp as ftp:
        assert ftp.names() == ["a"]
    assert there.wire.calls == [(GATE, 21), (GATE, 5001)]
    assert there.lines[0] == f"STATUS  by way of the proxy ftp://{GATE}:21"


def test_account_of_the_server_follows() -> None:
    login = (on(f"USER me@{NAME}", "331 ?"), on("PASS secret", "332 account?"), on("ACCT books", "230 in"))
    there = gated(*login, on("FEAT", "500 what?"), proxy=FtpProxy(GATE), account="books")
    with there.ftp:
        pass
    there.play.done()


@pytest.mark.parametrize(
    ("reply", "error"), [("530 no", LoginError), ("421 later", SessionLost), ("450 later", TransientError)]
)
def test_refused_login_names_the_proxy(reply: str, error: type[Exception]) -> None:
    there = gated(on(f"USER me@{NAME}", reply), proxy=FtpProxy(GATE))
    there.ftp.connect()
    with pytest.raises(error) as caught:
        there.ftp.login()
    if error is LoginError:
        assert f"by way of the proxy ftp://{GATE}:21" in str(caught.value)


def test_login_that_stays_unfinished_is_none() -> None:
    there = gated(on(f"USER me@{NAME}", "331 ?"), on("PASS secret", "332 account?"), proxy=FtpProxy(GATE))
    there.ftp.connect()
    with pytest.raises(LoginError):
        there.ftp.login()


@pytest.mark.parametrize("tls", ["require", "implicit"])
def test_tls_through_a_proxy_that_reads_along_is_refused_before_anybody_is_called(tls: str) -> None:
    there = gated(proxy=FtpProxy(GATE), tls=tls)
    with pytest.raises(ConfigError, match="reads along"):
        there.ftp.connect()
    assert there.wire.calls == []


def test_that_everything_goes_in_clear_is_said() -> None:
    there = gated(proxy=FtpProxy(GATE), tls="auto")
    there.ftp.connect()
    assert there.lines[-1] == "STATUS  the server offers no TLS: everything goes in clear"


@pytest.mark.parametrize("style", ["login-user", "proxy-user", "joined", "account"])
def test_styles_that_need_a_user_of_the_proxy(style: str) -> None:
    with pytest.raises(ConfigError, match="needs a user of the proxy"):
        FtpProxy(GATE, style=style)


def test_style_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="there is no proxy style 'sideways'; it is one of user, login-user"):
        FtpProxy(GATE, style="sideways")


def test_password_of_a_proxy_is_not_shown() -> None:
    proxy = FtpProxy("2001:db8::1", 2121, "gate", "key")
    assert str(proxy) == "ftp://[2001:db8::1]:2121"
    assert "key" not in repr(proxy)


# Tunnels


@dataclass
class Direct:
    """A tunnel that calls by itself, and remembers whom."""

    home: str = "127.0.0.1"
    asked: list[tuple[str, int]] = field(default_factory=list)
    failure: Exception | None = None
    held: threading.Event | None = None
    made: list[socket.socket] = field(default_factory=list)

    def __str__(self) -> str:
        return "socks5h://gate.example:1080"

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        self.asked.append((host, port))
        if self.held is not None:
            assert self.held.wait(10)
        if self.failure is not None:
            raise self.failure
        self.made.append(socket.create_connection((self.home, port), timeout))
        return self.made[-1]


def test_every_connection_goes_through_and_no_name_is_resolved_here(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    tunnel = Direct()
    with serve(tmp_path) as server:
        url = f"ftp://me:secret@no-such-host.invalid:{server.port}"
        with connect(url, proxy=tunnel) as ftp:
            got = io.BytesIO()
            ftp.download("a.txt", got)
            ftp.upload(io.BytesIO(b"back"), "b.txt")
    assert got.getvalue() == b"hello"
    assert (tmp_path / "b.txt").read_bytes() == b"back"
    assert len(tunnel.asked) == 3
    assert {host for host, _ in tunnel.asked} == {"no-such-host.invalid"}


def test_certificate_is_still_that_of_the_server(connect: Connect, tmp_path: Path) -> None:
    with serve(tmp_path, tls="require") as server:
        place = f"me:secret@localhost:{server.port}"
        with connect(f"ftp://{place}", proxy=Direct(), ca=server.ca, tls="require") as ftp:
            assert ftp.names() == []
        with pytest.raises(CertificateError):
            connect(
                f"ftp://{place.replace('localhost', 'other.invalid')}", proxy=Direct(), ca=server.ca, tls="require"
            ).__enter__()


def test_address_in_227_is_not_asked_for(connect: Connect) -> None:
    tunnel = Direct()
    with misbehave("foreign-address") as server, connect(server.url, proxy=tunnel, mode="pasv") as ftp:
        assert ftp.names() == ["file.bin", "a.txt", "docs"]
    assert {host for host, _ in tunnel.asked} == {server.host}


@pytest.mark.parametrize("mode", ["eprt", "port"])
def test_active_mode_is_refused(mode: Any) -> None:
    said = r"active mode \(.*\) cannot go through the proxy socks5h://gate.example:1080"
    with pytest.raises(ConfigError, match=said):
        Client(NAME, proxy=Direct(), mode=mode)
    ftp = Client(NAME, proxy=Direct())
    with pytest.raises(ConfigError, match=said):
        ftp.mode = mode


def test_auto_takes_no_active_mode(connect: Connect) -> None:
    with misbehave("closed-port") as server, connect(server.url, proxy=Direct(), connect_timeout=2) as ftp:
        with pytest.raises(DataConnectionError) as caught:
            ftp.names()
        assert {line.split()[0] for line in server.heard}.isdisjoint({"EPRT", "PORT"})
    assert "EPRT" not in str(caught.value)


@pytest.mark.parametrize(("most", "quick"), [(20.0, 10.0), (3.0, 3.0)])
def test_a_proxy_has_time_for_each_connection(most: float, quick: float) -> None:
    deadlines = Deadlines.of(0.001, Settings(proxy=Direct(), connect_timeout=most))
    assert (deadlines.quick, deadlines.sure, deadlines.long) == (quick, most, most)


def test_nobody_can_be_listened_for() -> None:
    with pytest.raises(OSError, match="would call the proxy"):
        TunnelledWire(BlockingWire(), Direct(), timeout=1).listen("127.0.0.1", [0])


def test_what_the_proxy_says_is_told(connect: Connect) -> None:
    tunnel = Direct(failure=OSError(113, "the proxy socks5h://gate.example:1080 refuses: not there"))
    with pytest.raises(ConnectError, match=r"ftp.example.com:21: the proxy .* refuses: not there"):
        connect(NAME, proxy=tunnel).__enter__()


def test_what_a_library_raises_reaches_the_user(connect: Connect) -> None:
    tunnel = Direct(failure=ValueError("label too long"))
    with pytest.raises(ConnectError, match=r"the proxy .* cannot be asked: label too long"):
        connect(NAME, proxy=tunnel).__enter__()


def test_silent_proxy_is_given_up_in_time(connect: Connect) -> None:
    tunnel = Direct(held=threading.Event(), failure=OSError(113, "too late"))
    try:
        with pytest.raises(ConnectError, match="no answer"):
            connect(NAME, proxy=tunnel, connect_timeout=0.3).__enter__()
    finally:
        assert tunnel.held is not None
        tunnel.held.set()


def test_connection_that_nobody_waits_for_any_more_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tunnel = Direct(held=threading.Event())
        call = TunnelCall(tunnel, listener.getsockname(), 5)
        call.close()
        assert tunnel.held is not None
        tunnel.held.set()
        taken, _ = listener.accept()
        with taken:
            taken.settimeout(10)
            assert taken.recv(1) == b""
    assert tunnel.made[0].fileno() == -1


def test_wire_of_a_tunnel_is_the_one_beneath_otherwise() -> None:
    beneath = BlockingWire()
    wire = TunnelledWire(beneath, Direct(), timeout=1)
    assert 0 <= wire.chance() < 1
    assert abs(wire.now() - beneath.now()) < 5
    step(wire.yield_turn())
    assert step(wire.resolve(NAME, 21, family=6, timeout=1)) == [(NAME, 21)]


def test_copy_between_servers_goes_through_here(connect: Connect) -> None:
    with misbehave() as one, misbehave() as other:
        with connect(one.url, proxy=Direct()) as source, connect(other.url) as target:
            done = source.copy("a.txt", getattr(target, "_target", target), "copy.txt")
        assert "a proxy stands in between" in done.detour
        assert other.files["/copy.txt"] == one.files["/a.txt"]


def test_ladder_shows_the_proxy(tmp_path: Path) -> None:
    recorder = Recorder()
    with serve(tmp_path) as server, Client(server.url, proxy=Direct(), trace=recorder) as ftp:
        ftp.names()
    drawn = text.draw(recorder.ladder(), width=120)
    assert "calls a proxy" in drawn
    assert "socks5h://gate.example:1080 stands in between" in " ".join(drawn.replace("│", " ").split())
    assert ":?" not in drawn
    assert pcapng.dump(recorder.ladder())


def test_nothing_is_remembered_for_the_network() -> None:
    assert Client(NAME, proxy=Direct(), memory="/nonexistent/modes.json")._session._memory is None
