"""The ways to a data connection, and which of them a session still believes in."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import NamedTuple

from fairlead.client.settings import ModeSetting
from fairlead.reach.cause import Cause


class Mode(StrEnum):
    """How a data connection is agreed upon, in the order in which ``auto`` tries them."""

    EPSV = "EPSV"
    PASV = "PASV"
    EPRT = "EPRT"
    PORT = "PORT"

    @property
    def passive(self) -> bool:
        """Whether the client calls the server."""
        return self is Mode.EPSV or self is Mode.PASV


class Way(NamedTuple):
    """A mode; for EPSV also the family (1 or 2, RFC 2428 section 2) to ask for when the default one does not serve."""

    mode: Mode
    family: int | None = None

    def __str__(self) -> str:
        return _name(self)


@cache
def _name(way: Way) -> str:
    return f"{way.mode} {way.family}" if way.family else way.mode.value


class Verdict(StrEnum):
    """What a failed attempt means for later ones."""

    REFUSED = "refused"
    """5yz: not to be asked again in this session."""
    UNREACHED = "unreached"
    """Agreed upon, but the connection was never made: to be tried after all others."""
    BUSY = "busy"
    """4yz: says nothing about the next time."""


class Failure(NamedTuple):
    """A way that gave no data connection."""

    way: Way
    cause: Cause
    reason: str
    verdict: Verdict

    @property
    def uncalled(self) -> bool:
        """Whether our call met silence or refusal; another port of the server may answer."""
        return self.way.mode.passive and self.verdict is Verdict.UNREACHED and self.cause in _CALL_FAILED


_CALL_FAILED = {Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED, Cause.PASSIVE_PRIVATE_ADDRESS}


class Ways:
    """The ways worth trying in a session, best first.

    PASV and PORT carry IPv4 addresses only. ``other`` is the family (1 or 2) in which the server has an address beside
    that of the control connection, None when there is none: asking for it by ``EPSV other`` is the last resort. Without
    ``active`` the server cannot call us.
    """

    def __init__(
        self, setting: ModeSetting, *, passive_ipv4: bool, active_ipv4: bool, other: int | None, active: bool = True
    ) -> None:
        usable = {Mode.EPSV: True, Mode.PASV: passive_ipv4, Mode.EPRT: active, Mode.PORT: active and active_ipv4}
        wanted = list(Mode) if setting == "auto" else [Mode(setting.upper())]
        self._ways = [Way(mode) for mode in wanted if usable[mode]]
        if other is not None and Mode.EPSV in wanted:
            self._ways.append(Way(Mode.EPSV, other))
        self.unusable = [mode for mode in wanted if not usable[mode]]
        self._failures: dict[Way, Failure] = {}
        self._trusted: set[Way] = set()
        self._proven: set[Way] = set()
        self.patchy = False
        """Whether some calls to the server were answered and some not, as where a part of its ports is open."""
        self._preferred: Way | None = None
        self.sure: Way | None = None
        """The passive way that served last time in this session, where there is nothing against it."""

    def candidates(self) -> list[Way]:
        """What to try for the next transfer, in this order: what failed to connect comes last."""
        if not self._failures and self._preferred is None:
            return list(self._ways)
        return sorted(self._ways, key=lambda way: (self._unreached(way), way != self._preferred))

    @property
    def failures(self) -> list[Failure]:
        """What is known against the ways that are not tried any more."""
        return [failure for way, failure in self._failures.items() if way not in self._ways]

    @property
    def uncalled(self) -> bool:
        """Whether a call to the server is known to have failed in a way that may still serve."""
        return any(failure.uncalled and way in self._ways for way, failure in self._failures.items())

    def trusts(self, way: Way) -> bool:
        """Whether ``way`` served last time, in this session or in one that is remembered."""
        return way in self._trusted

    def proven(self, way: Way) -> bool:
        """Whether ``way`` served last time in this session."""
        return way in self._proven

    def note(self, failure: Failure) -> None:
        """Learn from a failed attempt."""
        self.sure = None
        self._failures[failure.way] = failure
        mode, family = failure.way.mode, failure.way.family
        if failure.verdict is Verdict.REFUSED:
            self._ways = [way for way in self._ways if way.mode is not mode or family not in {None, way.family}]
        if failure.verdict is not Verdict.BUSY:
            self._trusted.discard(failure.way)
            self._proven.discard(failure.way)

    def worked(self, way: Way) -> None:
        """Learn from a transfer that had its data connection in ``way``."""
        if way == self.sure:
            return
        self.patchy = self.patchy or (way.mode.passive and self.uncalled)
        self._failures.pop(way, None)
        self._trusted.add(way)
        self._proven.add(way)
        if way.mode.passive and not self.patchy and self.candidates()[0] == way:
            self.sure = way

    def prefer(self, mode: str) -> bool:
        """Try ``mode``, which served before, in front of the others; whether it is one of them."""
        self.sure = None
        way = next((way for way in self._ways if str(way) == mode), None)
        if way is not None:
            self._preferred = way
            self._trusted.add(way)
        return way is not None

    def keep_only(self, mode: Mode) -> None:
        """Drop every way of another mode, as ``EPSV ALL`` demands."""
        self.sure = None
        self._ways = [way for way in self._ways if way.mode is mode]

    def _unreached(self, way: Way) -> bool:
        failure = self._failures.get(way)
        return failure is not None and failure.verdict is Verdict.UNREACHED
