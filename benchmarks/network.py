"""Each server has a loopback of its own, so that no TIME_WAIT of one slows down the ports of another.

That takes a network namespace, hence root. Without, all share the machine's loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Protocol

from benchmarks.places import find_program


class Network(Protocol):
    """Where a server and its load meet."""

    kind: str

    def prefix(self) -> list[str]:
        """What to put before a command line so that it runs there."""

    def forget(self) -> None:
        """Drop connections in TIME_WAIT where that is possible."""

    def close(self) -> None:
        """Give it up."""


class SharedLoopback:
    """The machine's own loopback."""

    kind = "shared loopback"

    def prefix(self) -> list[str]:
        return []

    def forget(self) -> None:
        pass

    def close(self) -> None:
        pass


class Namespace:
    """A network namespace that lives as long as a process which holds it."""

    kind = "one network namespace for each server"

    def __init__(self) -> None:
        self._ss = find_program("ss")
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "up\n":
            self.close()
            raise OSError("no network namespace")

    def prefix(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    def forget(self) -> None:
        if self._ss is not None:
            command = [*self.prefix(), str(self._ss), "-H", "-t", "-K", "state", "time-wait"]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=False)

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()
        for stream in (self._holder.stdin, self._holder.stdout):
            if stream is not None:
                stream.close()


def new_network() -> Network:
    """A namespace where this process may make one, else the shared loopback."""
    if os.geteuid() == 0 and all(shutil.which(name) for name in ("unshare", "nsenter", "ip")):
        try:
            return Namespace()
        except OSError:
            pass
    return SharedLoopback()
