"""Network namespaces: made, entered, and removed, also those that a process left which is no more."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import TypeVar

from pyroute2 import netns

T = TypeVar("T")

FOLDER = Path("/run/netns")
PREFIX = "fl-"
_NAME = re.compile(r"fl-(\d+)-(\d+)-\d+")
_serial = count(1)


@cache
def unavailable() -> str:
    """Why no laboratory can be built here, in one line; empty when one can."""
    if sys.platform != "linux":
        return "the laboratory needs Linux: it is made of network namespaces"
    if os.geteuid() != 0:
        return "the laboratory needs root: it makes network namespaces"
    if shutil.which("nft", path=_path()) is None:
        return "the laboratory needs the Debian package nftables"
    for program, package in (("nsenter", "util-linux"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return f"the laboratory needs the Debian package {package}"
    if not Path("/dev/net/tun").exists():
        return "the laboratory needs /dev/net/tun: its middleboxes read and write packets there"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", nft_program(), "add table inet filter"], capture_output=True, check=False
    )
    if tried.returncode:
        return "the laboratory needs the rights to make network namespaces and nftables rules, which root lacks here"
    return ""


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def nft_program() -> str:
    """The path of the nft program; raises FileNotFoundError."""
    found = shutil.which("nft", path=_path())
    if found is None:
        raise FileNotFoundError("nft")
    return found


def _started(pid: int | str) -> str:
    """When a process started, in ticks since the machine did; empty when there is none. Ids are used again."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in "ZX" else rest[18]


def fresh_prefix() -> str:
    """What the names of a new laboratory begin with: process id, start time of the process, serial number."""
    return f"{PREFIX}{os.getpid()}-{_started('self')}-{next(_serial)}"


def create(name: str) -> None:
    """Make a namespace; its duplicate-address detection is off, so that addresses serve at once."""
    netns.create(name)
    write_sysctls(name, {"net.ipv6.conf.default.accept_dad": "0", "net.ipv6.conf.all.accept_dad": "0"})


def write_sysctls(name: str, values: dict[str, str]) -> None:
    """Set kernel settings within a namespace; raises OSError."""

    def write() -> None:
        for key, value in values.items():
            Path("/proc/sys", *key.split(".")).write_text(value)

    inside(name, write)


def inside(name: str, act: Callable[[], T]) -> T:
    """Call ``act`` in a thread that is in the namespace, and return or raise what it does."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            netns.setns(name)
            outcome.append(act())
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            failure.append(error)

    thread = threading.Thread(target=run, name=f"inside {name}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def processes(names: Iterable[str]) -> Iterator[int]:
    """The ids of the processes that are in one of the namespaces."""
    wanted = set()
    for name in names:
        with contextlib.suppress(OSError):
            found = (FOLDER / name).stat()
            wanted.add((found.st_dev, found.st_ino))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found = (entry / "ns" / "net").stat()
                if (found.st_dev, found.st_ino) in wanted:
                    yield int(entry.name)


def remove(names: Iterable[str], *, patience: float = 5.0) -> None:
    """End what runs in the namespaces, and remove them."""
    names = list(names)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        pids = [pid for pid in processes(names) if pid != os.getpid()]
        if not pids:
            break
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)  # between two looks at what is left
    for name in names:
        with contextlib.suppress(OSError):
            netns.remove(name)


def scratch_root() -> Path:
    """Where laboratories keep their files."""
    return Path(tempfile.gettempdir())


def existing() -> dict[str, list[str]]:
    """The namespaces of all laboratories of this machine, by prefix."""
    found: dict[str, list[str]] = {}
    names = [entry.name for folder in (FOLDER, scratch_root()) if folder.is_dir() for entry in folder.iterdir()]
    for name in names:
        if match := _NAME.match(name):
            members = found.setdefault(match[0], [])
            if name != match[0]:
                members.append(name)
    return found


def sweep(*, everything: bool = False) -> list[str]:
    """Remove the laboratories of processes that are no more, or of all; returns their prefixes."""
    swept = []
    for prefix, names in existing().items():
        match = _NAME.match(prefix)
        assert match is not None
        if everything or _started(match[1]) != match[2]:
            remove(names)
            shutil.rmtree(scratch_root() / prefix, ignore_errors=True)
            swept.append(prefix)
    return swept
