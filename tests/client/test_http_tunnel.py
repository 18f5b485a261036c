"""Connections by way of an HTTP proxy, which is a few octets on a real socket here."""

from __future__ import annotations

import base64
import socket
from contextlib import AbstractContextManager

import pytest

from fairlead.client._wires.http_tunnel import HttpTunnel
from tests.peers.doorkeeper import HOST, Doorkeeper, doorkeeper

OK = b"HTTP/1.1 200 Connection established\r\nProxy-Agent: x\r\n\r\n"


def proxied(*pieces: bytes) -> AbstractContextManager[Doorkeeper]:
    return doorkeeper((b"\r\n\r\n", pieces))


def tunnel(proxy: Doorkeeper, **login: str) -> HttpTunnel:
    return HttpTunnel(HOST, proxy.port, **login)


@pytest.mark.parametrize(
    "pieces",
    [(OK + b"220 ready\r\n",), (OK, b"220 ready\r\n"), tuple(bytes([octet]) for octet in OK + b"220 ready\r\n")],
    ids=["together", "apart", "octet by octet"],
)
def test_greeting_that_comes_with_the_answer_is_not_lost(pieces: tuple[bytes, ...]) -> None:
    with proxied(*pieces) as proxy, tunnel(proxy).connect("ftp.example.com", 21, timeout=10) as made:
        assert made.makefile("rb").read() == b"220 ready\r\n"
    assert proxy.heard == b"CONNECT ftp.example.com:21 HTTP/1.1\r\nHost: ftp.example.com:21\r\n\r\n"


def test_login_at_the_proxy_and_an_address_of_ipv6() -> None:
    with proxied(OK) as proxy, tunnel(proxy, user="ann", password="p:w").connect("2001:db8::1", 2121, timeout=10):
        pass
    first, _, login, *_ = proxy.heard.decode().split("\r\n")
    assert first == "CONNECT [2001:db8::1]:2121 HTTP/1.1"
    assert base64.b64decode(login.removeprefix("Proxy-Authorization: Basic ")) == b"ann:p:w"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", ConnectionAbortedError, "refuses: 403 Forbidden"),
        (b"HTTP/1.0 407 Who are you?\r\n\r\n", ConnectionAbortedError, "refuses: 407 Who are you?"),
        (b"HTTP/1.1 504 \r\n\r\n", TimeoutError, "refuses: 504"),
        (b"220 ftp.example.com ready\r\n", OSError, "does not answer like an HTTP proxy"),
        (b"x" * 100_000, OSError, "does not answer like an HTTP proxy"),
    ],
)
def test_refusals(answer: bytes, error: type[Exception], said: str) -> None:
    with proxied(answer) as proxy, pytest.raises(error, match=said.replace("?", r"\?")):
        tunnel(proxy).connect("ftp.example.com", 21, timeout=10)


def test_silence() -> None:
    with proxied() as proxy, pytest.raises(TimeoutError, match="does not answer in time"):
        tunnel(proxy).connect("ftp.example.com", 21, timeout=0.1)


def test_nobody_there() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OSError, match=rf"the proxy http://{HOST}:{port} cannot be reached \(Connection refused\)"):
        HttpTunnel(HOST, port).connect("ftp.example.com", 21, timeout=10)


@pytest.mark.parametrize("host", ["a\r\nX-Injected: 1", "a b", "b\u00fccher"])
def test_host_that_would_be_more_than_a_name(host: str) -> None:
    with pytest.raises(OSError, match="cannot be said to the proxy"):
        HttpTunnel(HOST, 1).connect(host, 21, timeout=1)


def test_password_is_not_shown() -> None:
    proxy = HttpTunnel("::1", 3128, "ann", "pw")
    assert str(proxy) == "http://[::1]:3128"
    assert "pw" not in repr(proxy)
