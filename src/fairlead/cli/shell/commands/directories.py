"""Directories of the server: where one is, and what they hold."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.shell.verbs import verb
from fairlead.cli.table import table
from fairlead.client.trace import printable
from fairlead.errors import NoSuchName, PermanentError, ReplyError
from fairlead.proto.entry import Entry, Kind

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell
    from fairlead.cli.shell.words import Word

MARKS = {Kind.DIRECTORY: "/", Kind.LINK: "@", Kind.FILE: "", Kind.OTHER: ""}


@verb("cd", "[DIRECTORY]", aliases=("chdir",))
def cd(shell: Shell, directory: str | None = None) -> None:
    """Go to DIRECTORY, to where the session began without it; cd - goes back to the one before."""
    link = shell.link
    target = link.home if directory is None else directory
    if directory == "-":
        target = link.previous or link.directory
    link.go(target)
    shell.tell(link.directory)


@verb("cdup")
def cdup(shell: Shell) -> None:
    """Go to the parent directory."""
    shell.link.go("..")
    shell.tell(shell.link.directory)


@verb("pwd")
def pwd(shell: Shell) -> None:
    """Print the directory one is in on the server."""
    print(printable(shell.client.pwd()))


@verb("ls", "[-l] [REMOTE...]")
def ls(shell: Shell, *places: Word, flags: Iterable[str] = ()) -> None:
    """List names, in a directory or by pattern; -l shows all that is known of each."""
    _each(shell, places, long="-l" in flags)


@verb("dir", "[REMOTE...]", aliases=("ll",))
def dir_(shell: Shell, *places: Word) -> None:
    """List with size, time and permissions, in a directory or by pattern."""
    _each(shell, places, long=True)


@verb("nlist", "[DIRECTORY]")
def nlist(shell: Shell, directory: str = "") -> None:
    """List bare names, as the server gives them (NLST)."""
    for name in shell.client.names(directory):
        print(printable(name))


@verb("mls", "REMOTE... LOCAL")
def mls(shell: Shell, *words: Word) -> None:
    """Write the names in each directory into the file LOCAL; - is the screen."""
    _into(shell, words, long=False)


@verb("mdir", "REMOTE... LOCAL")
def mdir(shell: Shell, *words: Word) -> None:
    """Write what dir shows of each directory into the file LOCAL; - is the screen."""
    _into(shell, words, long=True)


@verb("mkdir", "DIRECTORY...", changes=True)
def mkdir(shell: Shell, *directories: str) -> None:
    """Make directories."""
    for directory in directories:
        shell.client.mkdir(directory)


@verb("rmdir", "DIRECTORY...", changes=True)
def rmdir(shell: Shell, *directories: str) -> None:
    """Remove empty directories."""
    for directory in directories:
        shell.client.rmdir(directory)


def matching(shell: Shell, word: Word) -> list[Entry]:
    """What ``word`` names: a pattern's matches where ``glob`` is on. Raises NoSuchName."""
    found = shell.client.glob(word.pattern)
    if not found:
        message = f"nothing on the server matches {word}; ls shows what there is"
        raise NoSuchName(message)
    return found


def is_pattern(shell: Shell, word: Word) -> bool:
    """Whether ``word`` stands for the names that it matches."""
    return shell.on["glob"] and word.is_pattern


def _into(shell: Shell, words: Sequence[Word], *, long: bool) -> None:
    *places, local = words
    if local == "-":
        _each(shell, places, long=long)
        return
    lines: list[str] = []
    for place in places:
        lines += _lines(_entries(shell, place), long=long, width=0)
    Path(local).expanduser().write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogateescape")


def _each(shell: Shell, places: Sequence[Word], *, long: bool) -> None:
    from fairlead.cli.shell.words import Word

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for number, place in enumerate(places or (Word(""),)):
        if len(places) > 1:
            print(f"{'' if not number else chr(10)}{printable(place)}:")
        for line in _lines(_entries(shell, place), long=long, width=width):
            print(line)


def _entries(shell: Shell, place: Word) -> list[Entry]:
    if is_pattern(shell, place):
        return matching(shell, place)
    try:
        entries = shell.client.scandir(place)
    except PermanentError as no_directory:
        try:
            return [shell.client.stat(place)]
        except (ReplyError, NoSuchName):
            raise no_directory from None
    shell.link.remember(place, entries)
    return sorted(entries, key=lambda entry: entry.name)


def _lines(entries: Sequence[Entry], *, long: bool, width: int) -> list[str]:
    if long:
        return [printable(line) for line in table(entries)]
    return columns([printable(entry.name) + MARKS[entry.kind] for entry in entries], width)


def columns(names: Sequence[str], width: int) -> list[str]:
    """``names`` side by side in lines of at most ``width`` cells, downwards first; one a line where that is 0."""
    from fairlead.ladder.cells import width as cells_of

    cells = [cells_of(name) for name in names]
    column = max(cells, default=0) + 2
    count = max(1, (width + 2) // column)
    if count == 1 or not names:
        return list(names)
    rows = -(-len(names) // count)
    lines = []
    for row in range(rows):
        chosen = range(row, len(names), rows)
        lines.append("".join(names[each] + " " * (column - cells[each]) for each in chosen).rstrip())
    return lines
