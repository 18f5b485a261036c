"""Who may log in, and what they may do where."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from fairlead.record import Record

if TYPE_CHECKING:
    from fairlead.storage.base import Storage


class Right(IntFlag):
    """What an account may do with a path."""

    LIST = 1
    READ = 2
    CREATE = 4
    OVERWRITE = 8
    """Replace, continue or append to a file that exists."""
    DELETE = 16
    RENAME = 32
    MKDIR = 64
    CHANGE = 128
    """Permission bits and times."""

    NONE = 0
    READER = LIST | READ
    WRITER = LIST | READ | CREATE | OVERWRITE | DELETE | RENAME | MKDIR | CHANGE


class Rule(Record):
    """The rights in the tree below ``path``, in place of what a shorter rule gives."""

    path: str
    rights: Right


class Account(Record):
    """A logged-in identity: its tree of files and its rights in it.

    The rule with the longest path that is the asked path or a parent of it decides.
    """

    name: str
    storage: Storage | None = None
    """Its tree of files; None for the one that the server has for all."""
    rules: Sequence[Rule] = (Rule("/", Right.READER),)
    home: str = "/"
    anonymous: bool = False
    allow_fxp: bool = False
    admin: bool = False
    """Whether it may see the other sessions (SITE WHO)."""
    account_at: str = ""
    """When an ACCT is asked for: never (empty), ``login`` or ``store`` (RFC 959 section 4.1.1)."""

    @cached_property
    def _sorted(self) -> tuple[Rule, ...]:
        """The rules, the longest path first."""
        return tuple(sorted(self.rules, key=lambda rule: -len(rule.path)))

    @cached_property
    def _everywhere(self) -> Right | None:
        """The rights on all paths, where they are the same."""
        return self._sorted[0].rights if self._sorted and self._sorted[0].path == "/" else None

    def rights(self, path: str) -> Right:
        """The rights on the absolute virtual path ``path``."""
        for rule in self._sorted:
            if rule.path == "/" or path == rule.path or path.startswith(rule.path + "/"):
                return rule.rights
        return Right.NONE

    def allows(self, path: str, right: Right) -> bool:
        """Whether all of ``right`` is given on the absolute virtual path ``path``."""
        # The plain operation on integers: that of flags makes a flag, which takes longer than all the rest.
        rights = self._everywhere
        return int.__and__(self.rights(path) if rights is None else rights, right) == right

    def rules_below(self, path: str) -> bool:
        """Whether entries of the directory ``path`` may have rights of their own."""
        prefix = path.rstrip("/") + "/"
        return any(rule.path.startswith(prefix) and rule.path != "/" for rule in self._sorted)


class Accounts(Protocol):
    """A directory of accounts. Errors are :class:`fairlead.errors.LoginRefused`, alike for every reason."""

    def anonymous(self, user: str) -> bool:
        """Whether ``user`` is a name of anonymous access (RFC 1635) that is switched on."""

    async def authenticate(self, user: str, password: str, *, peer: str) -> Account:
        """The account of ``user``; costs the same time whether the name or the password is wrong.

        Work that takes long (hashing) is awaited in a thread, quick answers come without suspending.
        """

    def certified(self, user: str, names: Sequence[str]) -> Account | None:
        """The account of ``user`` where a certificate with one of ``names`` opens it, so that no password is needed."""

    async def check_account(self, account: Account, information: str) -> bool:
        """Whether ``information`` is what ACCT must carry for ``account``."""
