"""Proxies by their URLs and by the environment, and what SOCKS proxies refuse."""

from __future__ import annotations

import socket
import sys

import pytest

from fairlead.client._wires.http_tunnel import HttpTunnel
from fairlead.client.proxy import FtpProxy
from fairlead.errors import ConfigError
from fairlead.integrations.proxies import SocksTunnel, from_environment, proxy
from tests.peers.doorkeeper import HOST, Doorkeeper, Turn, doorkeeper


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("socks5h://gate", "socks5h://gate:1080"),
        ("socks5://ann:pw@gate:99", "socks5://gate:99"),
        ("socks4a://ann@[2001:db8::1]:99/", "socks4a://[2001:db8::1]:99"),
        ("socks4://gate", "socks4://gate:1080"),
    ],
)
def test_socks(url: str, name: str) -> None:
    made = proxy(url)
    assert isinstance(made, SocksTunnel)
    assert str(made) == name


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://ann:p%20w@gate:3128", HttpTunnel("gate", 3128, "ann", "p w")),
        ("gate:3128", HttpTunnel("gate", 3128)),
        ("http://gate", HttpTunnel("gate", 1080)),
        ("ftp://gate", FtpProxy("gate")),
        ("ftp://ann:pw@gate:2121", FtpProxy("gate", 2121, "ann", "pw")),
    ],
)
def test_others(url: str, expected: object) -> None:
    assert proxy(url) == expected


def test_style_of_an_ftp_proxy() -> None:
    assert proxy("ftp://gate", style="site") == FtpProxy("gate", style="site")
    with pytest.raises(ConfigError, match="http:// is none"):
        proxy("http://gate", style="site")


@pytest.mark.parametrize("url", ["https://gate", "gopher://gate", "http://", "http://gate:port", "http://gate/path"])
def test_what_is_no_proxy(url: str) -> None:
    with pytest.raises(ConfigError, match="is no proxy; write HOST:PORT behind one of socks4://, socks4a://"):
        proxy(url)


def test_password_stands_in_no_error() -> None:
    with pytest.raises(ConfigError) as caught:
        proxy("gopher://ann:secret@gate")
    assert "secret" not in str(caught.value)


def test_missing_library_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(ConfigError, match=r"pip install 'fairlead\[proxies\]'"):
        proxy("socks5h://gate")
    assert str(proxy("http://gate")) == "http://gate:1080"


# The environment


@pytest.mark.parametrize(
    ("scheme", "environment", "found"),
    [
        ("ftp", {}, ""),
        ("ftp", {"ftp_proxy": "a"}, "a"),
        ("ftp", {"FTP_PROXY": "A"}, "A"),
        ("ftp", {"ftp_proxy": "a", "FTP_PROXY": "A", "all_proxy": "b"}, "a"),
        ("ftpes", {"ftp_proxy": "a"}, "a"),
        ("ftps", {"ftp_proxy": "a"}, ""),
        ("ftps", {"ftp_proxy": "a", "ftps_proxy": "s"}, "s"),
        ("ftps", {"ALL_PROXY": "b"}, "b"),
        ("ftp", {"ftp_proxy": "", "all_proxy": "b"}, "b"),
        ("ftp", {"http_proxy": "h", "https_proxy": "h"}, ""),
    ],
)
def test_variables(scheme: str, environment: dict[str, str], found: str) -> None:
    assert from_environment(scheme, "ftp.example.com", environment) == found


@pytest.mark.parametrize(
    ("host", "exempt", "direct"),
    [
        ("ftp.example.com", "*", True),
        ("ftp.example.com", "example.com", True),
        ("ftp.example.com", ".example.com", True),
        ("ftp.EXAMPLE.com.", "a.test, Example.COM", True),
        ("ftp.example.com", "a.test example.com", True),
        ("ftp.example.com", "ample.com", False),
        ("example.com", "ftp.example.com", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.0/24", True),
        ("192.0.3.7", "192.0.2.0/24", False),
        ("2001:db8::7", "2001:db8::/32", True),
        ("2001:db8::7", "[2001:db8::7]", True),
        ("ftp.example.com", "192.0.2.0/24", False),
        ("ftp.example.com", "", False),
    ],
)
def test_exempt_hosts(host: str, exempt: str, direct: bool) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        assert from_environment("ftp", host, {"ftp_proxy": "a", name: exempt}) == ("" if direct else "a")


# SOCKS


def connected(peer: Doorkeeper, scheme: str, *, timeout: float = 10) -> socket.socket:
    made = proxy(f"{scheme}://{HOST}:{peer.port}")
    assert isinstance(made, SocksTunnel)
    return made.connect("ftp.example", 21, timeout=timeout)


GREETED: Turn = (3, [b"\x05\x00"])
ASKED = 4 + 1 + len("ftp.example") + 2


def answered(code: int, more: bytes = b"") -> Turn:
    return ASKED, [b"\x05" + bytes([code]) + b"\x00\x01\x7f\x00\x00\x01\x00\x15" + more]


def test_socks5h_sends_the_name_and_loses_nothing_behind_its_answer() -> None:
    with doorkeeper(GREETED, answered(0, b"220 ready\r\n")) as peer, connected(peer, "socks5h") as made:
        assert made.recv(100) == b"220 ready\r\n"
    assert b"\x03\x0bftp.example\x00\x15" in peer.heard


def test_socks4a_sends_the_name() -> None:
    request = 8 + 1 + len("ftp.example") + 1
    answer = b"\x00\x5a\x00\x15\x7f\x00\x00\x01220 ready\r\n"
    with doorkeeper((request, [answer])) as peer, connected(peer, "socks4a") as made:
        assert made.recv(100) == b"220 ready\r\n"
    assert peer.heard == b"\x04\x01\x00\x15\x00\x00\x00\x01\x00ftp.example\x00"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, ConnectionAbortedError),
        (2, ConnectionAbortedError),
        (4, OSError),
        (5, ConnectionRefusedError),
        (6, TimeoutError),
    ],
)
def test_refusals_of_socks5(code: int, error: type[OSError]) -> None:
    with doorkeeper(GREETED, answered(code)) as peer, pytest.raises(error, match=r"the proxy socks5h://.* refuses: "):
        connected(peer, "socks5h")


def test_silence_of_a_proxy() -> None:
    with doorkeeper((3, [])) as peer, pytest.raises(TimeoutError, match="does not answer in time"):
        connected(peer, "socks5h", timeout=0.1)


def test_proxy_that_is_not_there() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    gone = proxy(f"socks5h://{HOST}:{port}")
    assert isinstance(gone, SocksTunnel)
    with pytest.raises(OSError, match="cannot be reached; check its host and port"):
        gone.connect("ftp.example", 21, timeout=5)
