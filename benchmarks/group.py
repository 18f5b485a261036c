"""All processes of one server: which they are, what CPU time they used, how much memory they hold.

A control group counts children that have ended, too. Without the right to make one, /proc over the process tree
serves: coarser (clock ticks), and blind to children whose parent did not wait for them.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

PREFIX = "fairlead-bench-"


class Group(Protocol):
    """The processes of one server."""

    kind: str

    def prefix(self) -> list[str]:
        """What to put before a command line so that the process begins in the group."""

    def adopt(self, pid: int) -> None:
        """Tell the group its first process."""

    def pids(self) -> list[int]:
        """The processes that live."""

    def cpu(self) -> float:
        """CPU seconds used so far by all processes, ended ones included."""

    def remove(self) -> None:
        """Kill what is left and give the group up."""


class ControlGroup:
    """A control group of version 1 (cpuacct) or 2."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        self._folder = folder
        folder.mkdir()

    def prefix(self) -> list[str]:
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self._folder / "cgroup.procs")]

    def adopt(self, pid: int) -> None:
        pass

    def pids(self) -> list[int]:
        return [int(line) for line in (self._folder / "cgroup.procs").read_text().split()]

    def cpu(self) -> float:
        if self.kind == "cgroup v1":
            return int((self._folder / "cpuacct.usage").read_text()) / 1e9
        return parse_cpu_stat((self._folder / "cpu.stat").read_text())

    def remove(self) -> None:
        _empty(self._folder)


class ProcessTree:
    """The first process and its descendants, by /proc."""

    kind = "/proc"

    def __init__(self) -> None:
        self._root = 0
        self._known: set[int] = set()

    def prefix(self) -> list[str]:
        return []

    def adopt(self, pid: int) -> None:
        self._root = pid

    def pids(self) -> list[int]:
        table = process_table()
        self._known.update(descendants(self._root, table))
        # Those whose parent has ended stay known.
        self._known = {pid for pid in self._known if pid in table and not table[pid].ended}
        return sorted(self._known)

    def cpu(self) -> float:
        table = process_table()
        return sum(table[pid].ticks for pid in descendants(self._root, table)) / os.sysconf("SC_CLK_TCK")

    def remove(self) -> None:
        kill_all(self.pids)


def parse_cpu_stat(text: str) -> float:
    """The CPU seconds of a version 2 group's ``cpu.stat``."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "usage_usec":
            return int(value) / 1e6
    raise ValueError("cpu.stat has no usage_usec")


class Process(NamedTuple):
    """What /proc says of a process."""

    parent: int
    ticks: int
    """Clock ticks of CPU time, with those of children that were waited for."""
    ended: bool
    """Whether only its parent's wait is missing."""


def parse_stat(text: str) -> Process:
    """One ``/proc/PID/stat``."""
    fields = text.rpartition(")")[2].split()
    return Process(int(fields[1]), sum(int(field) for field in fields[11:15]), fields[0] == "Z")


def process_table() -> dict[int, Process]:
    """Every process."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                table[int(folder.name)] = parse_stat((folder / "stat").read_text())
    return table


def descendants(root: int, table: dict[int, Process]) -> Iterator[int]:
    """``root`` and every process below it that is in the table."""
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
    todo = [root] if root in table else []
    while todo:
        pid = todo.pop()
        yield pid
        todo += children.get(pid, ())


def memory(pids: list[int]) -> tuple[int, int]:
    """The proportional (PSS) and the resident (RSS) set size of the processes together, in octets."""
    pss = rss = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            sizes = parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())
            pss += sizes.get("Pss", 0)
            rss += sizes.get("Rss", 0)
    return pss, rss


def parse_rollup(text: str) -> dict[str, int]:
    """The sizes of a ``smaps_rollup`` in octets, by name."""
    return {name: int(size) * 1024 for name, size in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}


def kill_all(pids: Callable[[], list[int]]) -> None:
    """Kill the processes that ``pids`` names until it names none, for at most five seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = pids()
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def _mounts() -> Iterator[tuple[str, str, str]]:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        yield where, kind, options


def _own_group(controller: str) -> str:
    """The path of this process's own group below the mount of a controller (empty for version 2)."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path.strip("/")
    return ""


def groups_of(controller: str) -> Iterator[Path]:
    """This process's own groups of a version 1 controller, below which others can be made."""
    for where, kind, options in _mounts():
        if kind == "cgroup" and controller in options.split(","):
            yield Path(where) / _own_group(controller)


def _parents() -> Iterator[tuple[Path, str]]:
    """Where groups can be made: version 1 where cpuacct is mounted goes before version 2."""
    for parent in groups_of("cpuacct"):
        yield parent, "cgroup v1"
    for where, kind, _ in _mounts():
        if kind == "cgroup2":
            yield Path(where) / _own_group(""), "cgroup v2"


def new_group(name: str) -> Group:
    """A group for one server: a control group where this process may make one, else the process tree."""
    for parent, kind in _parents():
        with contextlib.suppress(OSError):
            return ControlGroup(parent / f"{PREFIX}{os.getpid()}-{name}", kind)
    return ProcessTree()


def remove_leftovers() -> None:
    """End the servers of runs that were killed, and remove their control groups."""
    for parent in (*(parent for parent, _ in _parents()), *groups_of("cpu")):
        for folder in parent.glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX).partition("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                _empty(folder)


def _empty(folder: Path) -> None:
    kill_all(lambda: [int(line) for line in (folder / "cgroup.procs").read_text().split()])
    with contextlib.suppress(OSError):
        folder.rmdir()
