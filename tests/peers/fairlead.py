"""Our own server as its users start it: ``fairlead serve`` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.peers.process import DEADLINE, free_port, passive_ports, running, wait_for_banner
from tests.peers.servers import PASSWORD, USER, Server, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = Path(sys.executable).with_name("fairlead")
_LISTENING = re.compile(r"^listening on ftp://(?:\[([^]]+)\]|([^:]+)):(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fairlead:
    """A server that answers in both families; ``log`` is its JSON log."""

    root: Path
    servers: dict[str, Server]
    log: Path

    @staticmethod
    def now() -> str:
        """The time, as the log writes it."""
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def at(self, host: str) -> Server:
        """The server under its address ``host``."""
        return self.servers[host]

    def records(self, event: str, *, since: str = "") -> list[dict[str, Any]]:
        """What the log has of ``event``, from a time on as the log writes it."""
        written, _, _ = self.log.read_text().rpartition("\n")
        records = map(json.loads, written.splitlines())
        return [record for record in records if record["event"] == event and record["time"] >= since]

    def wait_for(self, event: str, count: int, *, since: str = "") -> list[dict[str, Any]]:
        """The records of ``event`` once there are ``count`` of them: they are written a little later."""
        deadline = time.monotonic() + DEADLINE
        while len(found := self.records(event, since=since)) < count:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)
        return found


@contextlib.contextmanager
def fairlead(
    *arguments: str,
    hosts: tuple[str, ...] = ("127.0.0.1", "::1"),
    port: int = 0,
    users: bool = True,
    within: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Fairlead]:
    """``fairlead serve`` at each of ``hosts``, one user with the right to write; without users, anonymous.

    ``port`` 0 stands for a free one of each host; ``within`` is the directory to make the served one in.
    """
    with workshop("own", within) as (place, root):
        passive = passive_ports()
        command = [str(PROGRAM), "serve", str(root), "--log-format", "json"]
        if users:
            command += ["--write", "--user", f"{USER}:{PASSWORD}"]
        command += ["--passive-ports", f"{passive.start}-{passive.stop - 1}", *arguments]
        for host in hosts:
            number = port or free_port(host)
            command += ["--listen", f"[{host}]:{number}" if ":" in host else f"{host}:{number}"]
        log, errors = place / "log", place / "errors"
        with running(command, log=log, errors=errors, env=env) as process:
            deadline = time.monotonic() + DEADLINE
            while len(found := _LISTENING.findall(log.read_text())) < len(hosts):
                assert process.poll() is None, errors.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.01)  # between two looks at what it says
            servers = {v6 or v4: Server("fairlead", v6 or v4, int(text), root, passive) for v6, v4, text in found}
            for server in servers.values():
                wait_for_banner(process, server.host, server.port, errors)
            yield Fairlead(root, servers, errors)
