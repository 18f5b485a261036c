"""Other clients behind the same obstacles: did a listing arrive, after how many seconds."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from lab.addresses import SERVER_NAME, Host
from lab.diagnosis import Listed, environment, trust
from lab.expected import Family, can_list, cells
from lab.laboratory import Lab
from lab.listing import KNOWN_FILE, PASSWORD, URL, USER
from lab.matrix import Task
from lab.servers import FAIRLEAD, Served, Unavailable, program, served

LIMIT = 75.0
"""Seconds after which nobody waits any longer."""
_START = 3.0
_ALONE = threading.Lock()
"""Held while a row starts, and what is quick ends, so that the clients do not wait for processors but for servers."""
_SCRIPTS = Path(__file__).with_name("scripts.py")

Words = list[str | Path]


def _fairlead(server: Served) -> Words:
    return [FAIRLEAD, "ls", *trust(server), URL]


def _curl(server: Served) -> Words:
    tls: Words = ["--ssl-reqd", "--cacert", server.certificate] if server.protection.tls else []
    return [program("curl"), "--silent", "--show-error", *tls, URL]


def _lftp(server: Served) -> Words:
    tls = f"set ssl:ca-file {server.certificate}; set ftp:ssl-force yes; " if server.protection.tls else ""
    return [program("lftp"), "-c", f"{tls}open {URL}; ls"]


def _library(name: str, server: Served) -> Words:
    ca: Words = [server.certificate] if server.protection.tls else []
    return [sys.executable, _SCRIPTS, name, SERVER_NAME, USER, PASSWORD, *ca]


CLIENTS: Mapping[str, Callable[[Served], Words]] = {
    "fairlead": _fairlead,
    "curl": _curl,
    "lftp": _lftp,
    "ftplib": lambda server: _library("ftplib", server),
    "aioftp": lambda server: _library("aioftp", server),
}
"""By name: the command line that lists a server's directory, everything else as it comes."""


@dataclass(slots=True)
class Met:
    """A row: what each client met in one topology with one server."""

    task: Task
    listed: dict[str, Listed] = field(default_factory=dict)
    skipped: str = ""

    @property
    def possible(self) -> bool:
        """Whether some mode works."""
        return bool(can_list(self.task.topology, cells(self.task.topology, private=self.task.protection.tls)))


def run(todo: Iterable[Task], *, side_by_side: int, tell: Callable[[Met], None]) -> list[Met]:
    """Measure the rows, many at the same time since nearly all of it is waiting."""
    with ThreadPoolExecutor(side_by_side) as threads:
        rows = []
        for row in threads.map(measure, todo):
            tell(row)
            rows.append(row)
        return rows


def measure(task: Task) -> Met:
    """All clients behind one topology, side by side; over IPv4 where there is any, as most FTP is."""
    row = Met(task)
    family: Family = 4 if any(":" not in name for name in task.topology.plan.names) else 6
    try:
        with contextlib.ExitStack() as stack:
            with _ALONE:
                lab = stack.enter_context(Lab(task.topology, family=family))
                server = stack.enter_context(served(lab, task.server, task.protection))
                threads = stack.enter_context(ThreadPoolExecutor(len(CLIENTS)))
                tried = {client: threads.submit(_list, lab, words(server)) for client, words in CLIENTS.items()}
                wait(tried.values(), timeout=_START)
            row.listed = {client: listed.result() for client, listed in tried.items()}
    except Unavailable as reason:
        row.skipped = str(reason)
    return row


def _list(lab: Lab, words: Sequence[str | Path]) -> Listed:
    began = time.monotonic()
    try:
        done = lab.run(Host.CLIENT, words, timeout=LIMIT, env=environment(lab))
    except subprocess.TimeoutExpired:
        return Listed(False, LIMIT, "no end")
    return Listed(KNOWN_FILE in done.stdout, time.monotonic() - began, done.stderr.strip()[-300:])


def line(row: Met) -> str:
    """A row for a terminal."""
    task = row.task
    head = f"{task.topology.name:24} {task.server:9} {task.protection:9}"
    return f"{head} {row.skipped or '  '.join(f'{name} {shown(listed):9}' for name, listed in row.listed.items())}"


def shown(listed: Listed) -> str:
    """Whether and when, in a few characters."""
    if listed.ok:
        return f"{listed.seconds:.1f} s"
    return f"✗ {listed.seconds:.0f} s" if listed.seconds < LIMIT else f"✗ > {LIMIT:.0f} s"


_HEAD = f"""\
# Other clients behind the same obstacles

Written by `make lab LAB=clients ARGS=--write`. Each client lists a directory once, all its settings as they come, over
IPv4 where there is any: the seconds from the start of the program to its end when the listing arrived; ✗ and the
seconds until it gave up when none did, or that it was stopped after {LIMIT:.0f} s. The machine had much to do beside,
so that differences of less than a second or two say nothing. [The matrix](matrix.md) tells what stands in the way.

vsftpd and ProFTPD refuse data connections that do not resume the TLS session of the control connection; Python's
`ftplib` never does that. `aioftp` waits for TLS on the data connection before it asks for the listing, and no server
begins TLS there before it is asked.

"""


def page(rows: Iterable[Met]) -> str:
    """The table as Markdown."""
    rows = [row for row in rows if not row.skipped]
    lines = [_HEAD.rstrip(), ""]
    could = [row for row in rows if row.possible]
    for client in CLIENTS:
        times = sorted(row.listed[client].seconds for row in could if row.listed[client].ok)
        slowest = f", the slowest after {times[-1]:.1f} s" if times else ""
        lines.append(f"* {client}: {len(times)} of {len(could)} listings that some mode could have brought{slowest}")
    lines += ["", f"| topology | server | TLS | {' | '.join(CLIENTS)} |", "|---" * (3 + len(CLIENTS)) + "|"]
    for row in rows:
        texts = " | ".join(shown(row.listed[client]) for client in CLIENTS)
        lines.append(f"| `{row.task.topology.name}` | {row.task.server} | {row.task.protection} | {texts} |")
    return "\n".join(lines) + "\n"
