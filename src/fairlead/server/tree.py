"""What LIST, NLST and STAT show of the tree: options, patterns, recursion, and lines made batch by batch."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fairlead.accounts.base import Right
from fairlead.errors import Denied, LimitError, NotFound, StorageError
from fairlead.proto.listing.names import NameFormatter
from fairlead.proto.listing.unix import HIDE_CONTROLS
from fairlead.proto.path import join, resolve, split
from fairlead.server.formats import unix_formatter
from fairlead.storage.base import Item

if TYPE_CHECKING:
    import os

    from fairlead.proto.listing.layout import Formatter
    from fairlead.server.session import Session

Format: TypeAlias = "Callable[[str], Formatter]"
"""Gives what makes the lines; the text is what the names are to be prefixed with, where the format has them so."""

KNOWN = frozenset("aAlRtrSF1dhnLCgo")
"""Letters of ls that clients send; those without a meaning here change nothing."""
SORTABLE = 10_000
"""Entries up to which -t, -S and -r are obeyed; a store sorts by name up to as many."""
MATCHES = 10_000
"""Paths a pattern may match."""
VISITS = 100_000
"""Entries that a recursive listing may show and a pattern may look at."""
SMALL_DIRECTORY = 4096
"""A directory whose own size is no more than this is listed within a turn of the event loop."""
MAGIC = re.compile(r"[*?\[]")


class Options(NamedTuple):
    """What the options of LIST and NLST ask for."""

    everything: bool = False
    """``-a``: ``.`` and ``..`` too."""
    recursive: bool = False
    by_time: bool = False
    by_size: bool = False
    reverse: bool = False
    classify: bool = False
    itself: bool = False
    """``-d``: a directory's own entry instead of its contents."""

    @property
    def reordered(self) -> bool:
        """Whether they ask for another order than that of the store."""
        return self.by_time or self.by_size or self.reverse

    @classmethod
    def of(cls, letters: str) -> Options:
        """The options of ls with these letters."""
        return cls(*(letter in letters for letter in "aRtSrFd"))


class Listing(NamedTuple):
    """Lines to send, in chunks; the first is ready, so what can fail before the 150 reply has not failed."""

    path: str
    """What is listed; a pattern as it is."""
    chunks: Iterator[bytes]
    directory: bool
    small: bool
    """Whether all lines can be made within a turn of the event loop."""


def split_options(session: Session, argument: str) -> tuple[Options, str]:
    """Options in front and the path after them; a word with a dash that is no option is a path if it exists."""
    letters = ""
    while argument.startswith("-"):
        word, _, rest = argument.partition(" ")
        if word == "--":
            return Options.of(letters), rest
        if word == "-" or (not set(word[1:]) <= KNOWN and _exists(session, argument)):
            break
        letters += "" if word.startswith("--") else word[1:]
        argument = rest
    return Options.of(letters), argument


def _exists(session: Session, argument: str) -> bool:
    try:
        session.storage.stat(resolve(session.cwd, argument), follow=False)
    except StorageError:
        return False
    return True


def list_argument(session: Session, argument: str, *, quick: bool = False) -> Listing | None:
    """What LIST and STAT show for ``argument``, options in front included. Raises StorageError.

    With ``quick`` the answer is None where finding it would take longer than a turn of the event loop may.
    """
    options, name = split_options(session, argument)
    formatter: Formatter = unix_formatter(session)
    if options.classify:
        formatter = Classified(formatter)
    return _list(session, name, options, lambda _: formatter, quick=quick)


def name_argument(session: Session, argument: str, *, quick: bool = False) -> Listing | None:
    """What NLST shows for ``argument``: names that RETR takes unchanged (RFC 1123 section 4.1.2.7).

    Otherwise as :func:`list_argument`.
    """
    options, name = split_options(session, argument)
    return _list(session, name, options, NameFormatter, quick=quick)


def _list(session: Session, name: str, options: Options, form: Format, *, quick: bool) -> Listing | None:
    path = resolve(session.cwd, name)
    _check(session, path)
    try:
        status = session.storage.stat(path)
    except NotFound:
        if MAGIC.search(name):
            if quick:
                return None
            return Listing(path, _ready(_matched(session, name, form)), directory=False, small=False)
        status = session.storage.stat(path, follow=False)
    if options.itself or not stat.S_ISDIR(status.st_mode):
        parent, slash, last = name.rpartition("/")
        item = session.storage.entry(path)._replace(name=last or split(path)[1] or "/")
        line = form(parent + slash if last else "").lines([item])
        return Listing(path, iter([line]), directory=False, small=True)
    small = session.storage.inline and status.st_size <= SMALL_DIRECTORY and not options.recursive
    if quick and not small:
        return None
    prefix = _prefix(name)
    if options.recursive:
        return Listing(path, _ready(_recursive(session, path, prefix, options, form)), directory=True, small=False)
    chunks = _arranged_lines(session, path, options, form(prefix))
    return Listing(path, _ready(chunks), directory=True, small=small)


def _ready(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """``chunks`` with the first one made already."""
    first = next(chunks, b"")
    return chain((first,), chunks)


def _prefix(name: str) -> str:
    return f"{name.rstrip('/')}/" if name and name.strip("/") else name


def _check(session: Session, path: str) -> None:
    if not session.logged_in.allows(path, Right.LIST):
        raise Denied(path)


def _arranged_lines(session: Session, path: str, options: Options, formatter: Formatter) -> Iterator[bytes]:
    """The lines of a directory as the options want them, without what the account may not even see."""
    if options.reordered or session.logged_in.rules_below(path):
        yield from map(formatter.lines, _arranged(session, path, options))
        return
    chunks = session.storage.lines(path, formatter)
    if options.everything:
        yield formatter.lines(_dots(session, path)) + next(chunks, b"")
    yield from chunks


def _arranged(session: Session, path: str, options: Options) -> Iterator[list[Item]]:
    """The entries of a directory in batches, otherwise as :func:`_arranged_lines`."""
    batches = session.storage.scan(path)
    if options.everything:
        yield _dots(session, path)
    if options.reordered:
        batches = _sorted(batches, options)
    yield from _visible(session, path, batches)


def _dots(session: Session, path: str) -> list[Item]:
    return [Item(".", session.storage.stat(path)), Item("..", session.storage.stat(split(path)[0]))]


def _sorted(batches: Iterator[list[Item]], options: Options) -> Iterator[list[Item]]:
    """One sorted batch, or the batches as they are where there are too many entries to sort."""
    gathered: list[Item] = []
    for batch in batches:
        gathered += batch
        if len(gathered) > SORTABLE:
            break
    else:
        _sort(gathered, options)
    yield gathered
    yield from batches


def _sort(items: list[Item], options: Options) -> None:
    if options.by_time:
        items.sort(key=lambda item: -item.status.st_mtime_ns)
    elif options.by_size:
        items.sort(key=lambda item: -item.status.st_size)
    if options.reverse:
        items.reverse()


class Classified:
    """Lines whose names end with a mark of what they are (``-F``)."""

    def __init__(self, formatter: Formatter) -> None:
        self._formatter = formatter

    def lines(self, items: Iterable[tuple[str, os.stat_result, str | None]]) -> bytes:
        """See :class:`fairlead.proto.listing.layout.Formatter`."""
        return self._formatter.lines((name + _mark(status), status, target) for name, status, target in items)

    def layout(self) -> None:
        """There is none: the name as it is shown depends on the mode."""


def _mark(status: os.stat_result) -> str:
    if stat.S_ISDIR(status.st_mode):
        return "/"
    if stat.S_ISLNK(status.st_mode):
        return ""
    return "*" if status.st_mode & 0o111 else ""


def _recursive(session: Session, path: str, prefix: str, options: Options, form: Format) -> Iterator[bytes]:
    """A directory and those below it, links not followed, each after a heading."""
    account = session.logged_in
    waiting = [(path, prefix)]
    visited = 0
    while waiting:
        path, prefix = waiting.pop()
        below: list[tuple[str, str]] = []
        if visited:
            yield f"\r\n{prefix.rstrip('/').translate(HIDE_CONTROLS)}:\r\n".encode("utf-8", "surrogateescape")
        try:
            for batch in _arranged(session, path, options):
                visited += len(batch) + 1
                if visited > VISITS:
                    message = f"A recursive listing ends at {VISITS} entries"
                    raise LimitError(message)
                below += [
                    (join(path, item.name), f"{prefix}{item.name}/")
                    for item in batch
                    if stat.S_ISDIR(item.status.st_mode)
                    and item.name not in {".", ".."}
                    and account.allows(join(path, item.name), Right.LIST)
                ]
                yield form(prefix).lines(batch)
        except StorageError:
            if not visited:
                raise
        waiting += reversed(below)


def _matched(session: Session, pattern: str, form: Format) -> Iterator[bytes]:
    """The entries that a pattern of ``*``, ``?`` and ``[]`` matches, by the names as the pattern qualifies them.

    Raises NotFound when it matches nothing.
    """
    visits = 0

    def matching(name: str) -> Iterator[tuple[str, str, Item]]:
        nonlocal visits
        matches = re.compile(translate(name)).match
        for path, prefix in found:
            for batch in _scan_quietly(session, path):
                visits += len(batch)
                if visits > VISITS:
                    raise LimitError("The pattern looks at too much")
                for item in batch:
                    if matches(item.name) and (name.startswith(".") or not item.name.startswith(".")):
                        yield path, prefix, item

    root = "/" if pattern.startswith("/") else ""
    *parents, last = [name for name in pattern.split("/") if name not in {"", "."}]
    found = [(root or session.cwd, root)]
    for name in parents:
        if name == "..":
            found = [(split(path)[0], f"{prefix}../") for path, prefix in found]
        elif MAGIC.search(name):
            found = [
                (join(path, item.name), f"{prefix}{item.name}/")
                for path, prefix, item in matching(name)
                if stat.S_ISDIR(item.status.st_mode)
            ]
        else:
            found = [(join(path, name), f"{prefix}{name}/") for path, prefix in found]
    if MAGIC.search(last):
        items = [(prefix, item) for _, prefix, item in islice(matching(last), MATCHES + 1)]
    else:
        items = [(prefix, item) for path, prefix in found for item in _one_quietly(session, join(path, last))]
    if not items:
        raise NotFound(pattern)
    if len(items) > MATCHES:
        raise LimitError("The pattern matches too much")
    for prefix, item in items:
        yield form(prefix).lines([item])


def _scan_quietly(session: Session, path: str) -> Iterator[list[Item]]:
    try:
        _check(session, path)
        yield from _visible(session, path, session.storage.scan(path))
    except StorageError:
        return


def _one_quietly(session: Session, path: str) -> Iterator[Item]:
    try:
        _check(session, path)
        yield session.storage.entry(path)
    except StorageError:
        return


def _visible(session: Session, path: str, batches: Iterator[list[Item]]) -> Iterator[list[Item]]:
    """The batches of the directory ``path`` without what the account has no right to at all."""
    account = session.logged_in
    if not account.rules_below(path):
        return batches
    return ([item for item in batch if account.rights(join(path, item.name))] for batch in batches)
