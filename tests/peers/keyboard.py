"""A program at a terminal: what is typed, and what is on the screen once it says what is waited for."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pyte

from tests.peers.process import DEADLINE, end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

LINES, COLUMNS = 200, 100
"""Of the screen: more lines than a test needs, so that nothing scrolls away."""


class Keyboard:
    """The terminal of ``process``."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, down to the line that the cursor is in."""
        shown: Sequence[str] = self._screen.display
        return [line.rstrip() for line in shown[: self._screen.cursor.y + 1]]

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def type(self, text: str) -> None:
        """Press keys; ``\\r`` is Enter, ``\\t`` Tab, ``\\x03`` Ctrl-C, ``\\x04`` Ctrl-D."""
        os.write(self._terminal, text.encode())

    def wait_for(self, pattern: str) -> None:
        """Return once ``pattern`` matches in the text on the screen."""
        self._wait(lambda: re.search(pattern, self.text) is not None, pattern)

    def run(self, line: str, prompt: str) -> str:
        """Type ``line``, wait until an empty line with ``prompt`` follows it; what is between the two."""
        here = self._screen.cursor.y
        self.type(f"{line}\r")
        return self.output(line, prompt, start=here)

    def output(self, line: str, prompt: str, *, start: int = 0) -> str:
        """What is between the last line that ends with ``line``, once it is there, and an empty one with ``prompt``.

        Lines of the screen before ``start`` do not count.
        """

        def typed() -> int | None:
            lines = self.lines
            found = [number for number, shown in enumerate(lines) if number >= start and shown.endswith(line)]
            return found[-1] if found and found[-1] < len(lines) - 1 and lines[-1] == prompt else None

        self._wait(lambda: typed() is not None, f"{line} … {prompt}")
        number = typed()
        assert number is not None
        return "\n".join(self.lines[number + 1 : -1])

    def wait_for_end(self) -> int:
        """The exit status, once the program has ended."""
        deadline = time.monotonic() + DEADLINE
        while self._receive(deadline):
            assert time.monotonic() < deadline, self.text
        return self.process.wait(DEADLINE)

    def _wait(self, met: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not met():
            going_on = time.monotonic() < deadline and self._receive(deadline)
            assert going_on, f"{what!r} never came:\n{self.text}"

    def _receive(self, deadline: float) -> bool:
        """Take what comes; False once nothing can come any more."""
        if not select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return True
        try:
            octets = os.read(self._terminal, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # the program closed its end
                raise
            return False
        self._stream.feed(octets)
        return True


@contextlib.contextmanager
def at_keyboard(command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None) -> Iterator[Keyboard]:
    """Run ``command`` at a terminal of its own."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        list(command),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={"TERM": "xterm", **env},
        cwd=cwd,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - one system call, before anything runs in the child
    )
    os.close(theirs)
    try:
        yield Keyboard(process, ours)
    finally:
        end(process)
        os.close(ours)


def _take_terminal() -> None:
    """Make the terminal that of the session, so that Ctrl-C is a signal to the program."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
