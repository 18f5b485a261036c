"""Connections by way of an HTTP proxy: the method CONNECT (RFC 9110 section 9.3.6).

An FTP server speaks first, so that its greeting may come along with the proxy's answer. What reads that answer must
stop right behind it; python-socks, which serves for SOCKS, does not.
"""

from __future__ import annotations

import base64
import errno
import re
import socket
from dataclasses import dataclass, field

_END = b"\r\n\r\n"
_PIECE = 4096
_LONGEST_ANSWER = 65536
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})(?: ([^\r\n]*))?\r\n")
_NUMBERS = {504: errno.ETIMEDOUT}
"""What a proxy's refusal means in terms of a call of our own (RFC 9110 section 15)."""


@dataclass(frozen=True, slots=True)
class HttpTunnel:
    """A :class:`fairlead.client.proxy.Tunnel` through the HTTP proxy at ``port`` of ``host``.

    With a ``user``, the proxy is told who asks (Basic, RFC 7617).
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"http://{_authority(self.host, self.port)}"

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """See :class:`fairlead.client.proxy.Tunnel`."""
        request = self._request(_authority(host, port))
        try:
            sock = socket.create_connection((self.host, self.port), timeout)
        except OSError as error:
            why = error.strerror or "no answer"
            message = f"the proxy {self} cannot be reached ({why}); check its host and port"
            raise OSError(errno.EHOSTDOWN, message) from error
        try:
            self._judge(self._ask(sock, request))
        except BaseException:
            sock.close()
            raise
        return sock

    def _ask(self, sock: socket.socket, request: bytes) -> bytes:
        try:
            sock.sendall(request)
            return _answer(sock)
        except TimeoutError as error:
            raise TimeoutError(errno.ETIMEDOUT, f"the proxy {self} does not answer in time") from error

    def _request(self, authority: str) -> bytes:
        if not authority.isascii() or not authority.isprintable() or " " in authority:
            raise OSError(errno.EINVAL, f"{authority!r} cannot be said to the proxy {self}; check the host's name")
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if self.user:
            login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {login}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _judge(self, answer: bytes) -> None:
        status = _STATUS.match(answer)
        if status is None:
            raise OSError(errno.EPROTO, f"{self} does not answer like an HTTP proxy; check its host and port")
        code, reason = int(status[1]), (status[2] or b"").decode("ascii", "replace")
        if code // 100 != 2:
            number = _NUMBERS.get(code, errno.ECONNABORTED)
            raise OSError(number, f"the proxy {self} refuses: {code} {reason}".rstrip())


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _answer(sock: socket.socket) -> bytes:
    """The proxy's answer, and not an octet of what follows it."""
    answer = b""
    while len(answer) < _LONGEST_ANSWER:
        seen = sock.recv(_PIECE, socket.MSG_PEEK)
        if not seen:
            break
        end = (answer + seen).find(_END)
        answer += sock.recv(len(seen) if end < 0 else end + len(_END) - len(answer))
        if end >= 0:
            break
    return answer
