"""What a mirror will do, drawn from what both ends have; nothing is touched before the whole plan is there."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from fairlead.client.mirror.compare import Reason, difference
from fairlead.client.mirror.tree import Item, Tree, Trouble, above
from fairlead.proto.entry import Kind
from fairlead.record import Record


class Action(StrEnum):
    """What is done to the target."""

    MKDIR = "mkdir"
    COPY = "copy"
    REMOVE = "remove"
    RMDIR = "rmdir"


class Step(NamedTuple):
    """One thing to do at ``path``, which both ends name the same way."""

    action: Action
    path: str
    reason: Reason
    item: Item
    """What is copied, or what is removed."""
    replaces: Item | None = None
    """The older file that a copy takes the place of."""


class Rules(Record):
    """What counts as a difference, and what may be done about it."""

    delete: bool = False
    """Whether what the source does not have is removed from the target."""
    only_newer: bool = False
    """Whether files are replaced by newer ones only."""
    dated: bool = True
    """See :func:`fairlead.client.mirror.compare.difference`."""
    prune: bool = False
    """Whether directories that hold no file are not made."""
    fold: Callable[[str], str] | None = None
    """Equal for two names that are the same to the target, where it does not tell upper and lower case apart."""


class Plan(Record):
    """What will be done, in this order: clear the way, make directories, copy, remove."""

    clear: Sequence[Step]
    """What stands where the source has something of another kind."""
    directories: Sequence[Step]
    copies: Sequence[Step]
    removals: Sequence[Step]
    unchanged: int
    """Files that are the same already."""
    troubles: Sequence[Trouble]
    """What stays undone."""
    kept: int = 0
    """How many things were to be removed but are not, since the source could not be listed as a whole."""
    make_top: bool = False
    """Whether the target itself is made."""
    passed_over: Sequence[Item] = ()
    """Links, devices and pipes of the source: what the target has under their names stays."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of it, in order."""
        return (*self.clear, *self.directories, *self.copies, *self.removals)

    @property
    def octets(self) -> int:
        """The size of all files to copy, as far as it is known."""
        return sum(step.item.size or 0 for step in self.copies)


def folded(name: str) -> str:
    """What a name is to file systems that tell neither upper from lower case nor ways to compose a letter apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def draw_up(source: Tree, target: Tree, rules: Rules) -> Plan:
    """What makes the tree ``target`` like ``source``.

    Nothing is removed where ``source`` is not complete: what was not listed may be there.
    """
    return _Drawing(source, target, rules).plan()


class _Drawing:
    def __init__(self, source: Tree, target: Tree, rules: Rules) -> None:
        self._source = source
        self._target = target
        self._rules = rules
        self._fold = rules.fold or _itself
        self._there = {self._fold(path): item for path, item in target.items.items()}
        self._troubles = [*source.troubles, *target.troubles]
        self._may_delete = rules.delete and source.complete
        self._blocked = {trouble.path for trouble in target.troubles}
        self._passed_over: list[Item] = []
        self._clear: list[Step] = []
        self._directories: list[Step] = []
        self._copies: list[Step] = []
        self._unchanged = 0

    def plan(self) -> Plan:
        taken: dict[str, str] = {}
        full = _with_files(self._source.items.values()) if self._rules.prune else None
        for path, item in sorted(self._source.items.items()):
            if self._blocked and not self._blocked.isdisjoint(above(path)):
                continue
            if full is not None and item.kind is Kind.DIRECTORY and path not in full:
                continue
            first = taken.setdefault(self._fold(path), path)
            if first != path:
                self._block(path, f"the target does not tell it from {first}; rename one of them in the source")
            elif item.kind is Kind.DIRECTORY:
                self._directory(item)
            elif item.kind is Kind.FILE:
                self._file(item)
            else:
                self._blocked.add(path)
                self._passed_over.append(item)
        removals = self._removals(taken)
        kept = 0
        if removals and not self._may_delete:
            kept, removals = len(removals), []
        return Plan(
            self._clear,
            self._directories,
            self._copies,
            removals,
            self._unchanged,
            self._troubles,
            kept,
            not self._target.exists,
            self._passed_over,
        )

    def _directory(self, item: Item) -> None:
        there = self._there.get(self._fold(item.path))
        if there is not None and there.kind is Kind.DIRECTORY:
            return
        if there is None or self._cleared(there, "directory"):
            self._directories.append(Step(Action.MKDIR, item.path, Reason.MISSING, item))

    def _file(self, item: Item) -> None:
        there = self._there.get(self._fold(item.path))
        if there is not None and there.kind is Kind.FILE:
            reason = difference(item, there, only_newer=self._rules.only_newer, dated=self._rules.dated)
            if reason is None:
                self._unchanged += 1
            else:
                self._copies.append(Step(Action.COPY, item.path, reason, item, there))
        elif there is None or self._cleared(there, "file"):
            self._copies.append(Step(Action.COPY, item.path, Reason.MISSING, item))

    def _cleared(self, there: Item, wanted: str) -> bool:
        """Whether what stands in the way is removed first; where it may not be, nothing goes below it."""
        tree = [there, *_within(self._target.items.values(), there)]
        if self._may_delete and not any(item.path in self._target.left_out for item in tree):
            self._clear += [_removal(item, Reason.IN_THE_WAY) for item in reversed(tree)]
            return True
        advice = "remove it" if self._rules.delete else "remove it, or let --delete do it"
        self._block(there.path, f"a {wanted} of the source would take the place of a {_NAMES[there.kind]}; {advice}")
        return False

    def _block(self, path: str, why: str) -> None:
        self._blocked.add(path)
        self._troubles.append(Trouble(path, why))

    def _removals(self, taken: dict[str, str]) -> list[Step]:
        """What the source has not, whatever is below before what is above it."""
        if not self._rules.delete:
            return []
        gone = {step.path for step in self._clear}
        holding = {path for top in self._target.left_out for path in (top, *above(top))}
        return [
            _removal(item, Reason.EXTRA)
            for path, item in sorted(self._target.items.items(), reverse=True)
            if self._fold(path) not in taken
            and path not in gone
            and path not in holding
            and self._blocked.isdisjoint((path, *above(path)))
        ]


_NAMES = {Kind.FILE: "file", Kind.DIRECTORY: "directory", Kind.LINK: "link", Kind.OTHER: "device or pipe"}


def _itself(path: str) -> str:
    return path


def _removal(item: Item, reason: Reason) -> Step:
    action = Action.RMDIR if item.kind is Kind.DIRECTORY else Action.REMOVE
    return Step(action, item.path, reason, item)


def _within(items: Iterable[Item], top: Item) -> list[Item]:
    """What is below ``top``, each directory before what it holds."""
    start = f"{top.path}/"
    return sorted((item for item in items if item.path.startswith(start)), key=_path)


def _with_files(items: Iterable[Item]) -> set[str]:
    """The directories that hold files, or directories that do."""
    full: set[str] = set()
    for item in items:
        if item.kind is Kind.FILE:
            full.update(above(item.path))
    return full


def _path(item: Item) -> str:
    return item.path
