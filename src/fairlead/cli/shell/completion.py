"""What may come next in a line that is being typed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.shell import verbs
from fairlead.cli.shell.verbs import Kind, Parameter, find
from fairlead.cli.shell.words import Word, quoted, unfinished
from fairlead.errors import ConfigError, FairleadError
from fairlead.proto.entry import Kind as EntryKind

if TYPE_CHECKING:
    from fairlead.cli.shell.link import Link
    from fairlead.cli.shell.state import Shell
    from fairlead.cli.shell.words import Unfinished

_COMMANDS = (
    "ABOR ALLO AVBL CDUP CWD DELE FEAT HASH HELP MDTM MFMT MKD MLST NOOP OPTS PWD QUIT RMD RNFR RNTO SITE SIZE STAT"
)
"""What ``quote`` is of use for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may come next: ``text`` takes the place of everything from ``start`` on."""

    text: str
    start: int
    shown: str
    ends: bool = True
    """Whether the word is complete with it."""


def choices(shell: Shell, line: str) -> list[Choice]:
    """What may come next after ``line``."""
    if line.lstrip().startswith("!"):
        return []
    words, last = unfinished(line)
    if not words:
        return _listed(verbs.names(), last)
    try:
        place = _place(words, last)
    except ConfigError:
        return []
    return [] if place is None else _of_kind(shell, place, last)


def _place(words: list[Word], last: Unfinished) -> Parameter | None:
    """What is expected behind ``words``. Raises ConfigError where there is no such verb."""
    verb = find(words[0])
    behind = [word for word in words[1:] if word not in verb.flags]
    if behind and verb.takes_verb:
        return _place(behind, last)
    if last.text.startswith("-") and verb.flags:
        return Parameter("", Kind.FLAG, required=False, repeated=False, choices=tuple(sorted(verb.flags)))
    return verb.kind_at(len(behind))


def _of_kind(shell: Shell, place: Parameter, last: Unfinished) -> list[Choice]:
    if place.kind in {Kind.REMOTE, Kind.DIRECTORY}:
        return _remote(shell.link_or_none, last, directories=place.kind is Kind.DIRECTORY)
    if place.kind in {Kind.LOCAL, Kind.FOLDER}:
        return list(_local(last, directories=place.kind is Kind.FOLDER))
    if place.kind is Kind.URL:
        return _bookmarks(last)
    if place.kind is Kind.VERB:
        return _listed(verbs.names(), last)
    if place.kind is Kind.COMMAND:
        return _listed(_COMMANDS.split(), last, upper=True)
    return _listed(list(place.choices), last)


def _bookmarks(last: Unfinished) -> list[Choice]:
    from fairlead.cli import bookmarks

    try:
        return _listed([f"{bookmarks.MARK}{name}" for name in sorted(bookmarks.read())], last)
    except ConfigError:
        return []


def _listed(names: list[str], last: Unfinished, *, upper: bool = False) -> list[Choice]:
    begun = last.text.upper() if upper else last.text
    return [Choice(name, last.start, name) for name in names if name.startswith(begun)]


def _remote(link: Link | None, last: Unfinished, *, directories: bool) -> list[Choice]:
    if link is None or not link.connected:
        return []
    parent, slash, begun = last.text.rpartition("/")
    try:
        with _silently(link):
            entries = link.entries(parent or slash)
    except (FairleadError, OSError):
        return []
    except KeyboardInterrupt:  # the server does not answer: the next command begins a new session
        link.close()
        return []
    found = []
    for entry in sorted(entries, key=lambda entry: entry.name):
        holds_more = entry.kind is EntryKind.DIRECTORY
        fits = entry.name.startswith(begun) and (begun or not entry.name.startswith("."))
        if fits and not (directories and entry.kind is EntryKind.FILE):
            found.append(_named(f"{parent}{slash}{entry.name}", entry.name, last, directory=holds_more))
    return found


@contextmanager
def _silently(link: Link) -> Iterator[None]:
    link.silent = True
    try:
        yield
    finally:
        link.silent = False


def _local(last: Unfinished, *, directories: bool) -> Iterator[Choice]:
    parent, slash, begun = last.text.rpartition("/")
    try:
        with os.scandir(Path(parent + slash or ".").expanduser()) as found:
            entries = sorted((entry.name, entry.is_dir()) for entry in found)
    except OSError:
        return
    for name, directory in entries:
        fits = name.startswith(begun) and (begun or not name.startswith("."))
        if fits and (directory or not directories):
            yield _named(f"{parent}{slash}{name}", name, last, directory=directory)


def _named(path: str, name: str, last: Unfinished, *, directory: bool) -> Choice:
    """``path`` in the quotes that are open; those of a directory stay open, since more may follow."""
    mark = "/" if directory else ""
    text = last.quote + quoted(path + mark, last.quote) + ("" if directory else last.quote)
    return Choice(text, last.start, name + mark, ends=not directory)
