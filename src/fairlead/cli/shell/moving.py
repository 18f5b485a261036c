"""Files on their way: what a person sees of it, and what they are called at the other end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fairlead.cli.shell.words import quoted
from fairlead.client.names import inside
from fairlead.client.trace import printable, show_duration
from fairlead.errors import ConfigError

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell
    from fairlead.client._files import Transferred

_MARK = 64 * 1024
"""Octets for which one # stands."""

OnProgress: TypeAlias = "Callable[[int, int | None], None] | None"


@contextmanager
def watched(shell: Shell, name: str, again: str = "") -> Iterator[OnProgress]:
    """What to give to a transfer as ``on_progress``: marks, a count, a bar, or nothing, as the switches say.

    ``again`` is the verb that goes on with a transfer which the user stops.
    """
    try:
        with _shown(shell, name) as on_progress:
            yield on_progress
    except KeyboardInterrupt:
        shell.advice = f"; {again} {quoted(name)} goes on from there" if again else ""
        raise


@contextmanager
def _shown(shell: Shell, name: str) -> Iterator[OnProgress]:
    if shell.on["hash"]:
        with _line_ended():
            yield _marks()
    elif shell.on["tick"]:
        with _line_ended():
            yield _count
    elif shell.on["progress"] and not shell.on["debug"]:
        from fairlead.cli.progress import progress

        with progress(shell.args, name, transient=True) as on_progress:
            yield on_progress
    else:
        yield None


@contextmanager
def _line_ended() -> Iterator[None]:
    try:
        yield
    finally:
        print(file=sys.stderr, flush=True)


def _marks() -> Callable[[int, int | None], None]:
    printed: int | None = None

    def mark(done: int, _total: int | None) -> None:
        nonlocal printed
        marks = done // _MARK
        printed = marks if printed is None and marks > 1 else printed or 0  # what a resumed part had is not printed
        print("#" * (marks - printed), end="", file=sys.stderr, flush=True)
        printed = marks

    return mark


def _count(done: int, total: int | None) -> None:
    of = "" if total is None else f" of {total}"
    print(f"\r{done}{of} bytes", end="", file=sys.stderr, flush=True)


def finished(shell: Shell, source: str, target: str, result: Transferred) -> None:
    """Say that a file has arrived; the listings of the server are another matter."""
    rate = f", {_rate(result.size / result.seconds)}" if result.seconds > 0 and result.size else ""
    went_on = f" from byte {result.offset} on" if result.offset else ""
    took = f"{result.size} bytes{went_on} in {show_duration(result.seconds)}{rate}"
    shell.tell(f"{printable(source)} → {printable(target)}: {took}")
    if shell.on["bell"]:
        print("\a", end="", file=sys.stderr, flush=True)


def _rate(octets: float) -> str:
    for unit in ("B", "KB", "MB"):
        if octets < 1000:
            return f"{octets:.1f} {unit}/s"
        octets /= 1000
    return f"{octets:.1f} GB/s"


def check_resumable(shell: Shell) -> None:
    """Raises ConfigError for text, whose offsets count other line ends than the file here has."""
    if shell.text:
        raise ConfigError("a text transfer cannot be resumed; binary switches to one that can")


def name_here(shell: Shell, remote: str) -> Path:
    """What the server's file ``remote`` is called here, in the working directory. Raises UnsafeName."""
    name = remote.rpartition("/")[2].translate(shell.translation)
    if shell.on["case"] and name.upper() == name:
        name = name.lower()
    path = inside(".", name)
    return _unused(path) if shell.on["runique"] else path


def name_there(shell: Shell, local: str) -> str:
    """What the local file ``local`` is called on the server."""
    return Path(local).name.translate(shell.translation)


def _unused(path: Path) -> Path:
    candidate, number = path, 0
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.{number}")
    return candidate
