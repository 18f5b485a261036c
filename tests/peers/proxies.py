"""Proxies that nobody here wrote. Each calls from an address of its own, by which a server tells that it was there."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.process import DEADLINE, free_port, running
from tests.peers.programs import program

HOST = "127.0.0.1"
USER, PASSWORD = "proxied", "open-sesame"


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that answers; servers are called from ``source``."""

    host: str
    port: int
    source: str

    def url(self, scheme: str, *, login: bool = False) -> str:
        """Where it is, as ``scheme``; with ``login`` who may use it."""
        who = f"{USER}:{PASSWORD}@" if login else ""
        return f"{scheme}://{who}{self.host}:{self.port}"


@contextlib.contextmanager
def microsocks(*, login: bool = False) -> Iterator[Running]:
    """SOCKS5; with ``login`` for one user only."""
    proxy = Running(HOST, free_port(HOST), "127.0.0.5")
    command = [program("microsocks"), "-i", proxy.host, "-p", str(proxy.port), "-b", proxy.source]
    with _started([*command, *(["-u", USER, "-P", PASSWORD] if login else [])], proxy):
        yield proxy


@contextlib.contextmanager
def tinyproxy(*, login: bool = False) -> Iterator[Running]:
    """HTTP CONNECT; with ``login`` for one user only."""
    proxy = Running(HOST, free_port(HOST), "127.0.0.6")
    with tempfile.TemporaryDirectory(prefix="fairlead-tinyproxy-") as folder:
        config = Path(folder, "tinyproxy.conf")
        config.write_text(
            f"Port {proxy.port}\nListen {proxy.host}\nBind {proxy.source}\nTimeout 60\nMaxClients 100\n"
            + (f"BasicAuth {USER} {PASSWORD}\n" if login else "")
        )
        with _started([program("tinyproxy"), "-d", "-c", str(config)], proxy):
            yield proxy


PROXIES: dict[str, Callable[..., AbstractContextManager[Running]]] = {"socks5h": microsocks, "http": tinyproxy}
"""How each scheme is had."""


@contextlib.contextmanager
def _started(command: list[str], proxy: Running) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="fairlead-proxy-") as folder:
        log = Path(folder, "log")
        with running(command, log=log) as process:
            deadline = time.monotonic() + DEADLINE
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection((proxy.host, proxy.port), DEADLINE):
                    break
                time.sleep(0.01)  # between two attempts to connect
            else:
                raise AssertionError(f"{command!r} does not answer: {log.read_text(errors='replace')}")
            yield
