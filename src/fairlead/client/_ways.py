"""The ways to a data connection, and which of them a session still believes in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fairlead.client.settings import ModeSetting
from fairlead.reach.cause import Cause


class Mode(StrEnum):
    """How a data connection is agreed upon, in the order in which ``auto`` tries them."""

    EPSV = "EPSV"
    PASV = "PASV"
    EPRT = "EPRT"
    PORT = "PORT"


@dataclass(frozen=True, slots=True)
class Way:
    """A mode; for EPSV also the family (1 or 2, RFC 2428 section 2) to ask for when the default one does not serve."""

    mode: Mode
    family: int | None = None

    def __str__(self) -> str:
        return f"{self.mode} {self.family}" if self.family else self.mode.value


class Verdict(StrEnum):
    """What a failed attempt means for later ones."""

    REFUSED = "refused"
    """5yz: not to be asked again in this session."""
    UNREACHED = "unreached"
    """Agreed upon, but the connection was never made: to be tried after all others."""
    BUSY = "busy"
    """4yz: says nothing about the next time."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A way that gave no data connection."""

    way: Way
    cause: Cause
    reason: str
    verdict: Verdict


class Ways:
    """The ways worth trying in a session, best first.

    PASV and PORT carry IPv4 addresses only. ``other`` is the family (1 or 2) in which the server has an address beside
    that of the control connection, None when there is none: asking for it by ``EPSV other`` is the last resort.
    """

    def __init__(self, setting: ModeSetting, *, passive_ipv4: bool, active_ipv4: bool, other: int | None) -> None:
        usable = {Mode.EPSV: True, Mode.PASV: passive_ipv4, Mode.EPRT: True, Mode.PORT: active_ipv4}
        wanted = list(Mode) if setting == "auto" else [Mode(setting.upper())]
        self._ways = [Way(mode) for mode in wanted if usable[mode]]
        if other is not None and Mode.EPSV in wanted:
            self._ways.append(Way(Mode.EPSV, other))
        self.unusable = [mode for mode in wanted if not usable[mode]]
        self._failures: dict[Way, Failure] = {}

    def candidates(self) -> list[Way]:
        """What to try for the next transfer, in this order."""
        return list(self._ways)

    @property
    def failures(self) -> list[Failure]:
        """What is known against the ways that are not tried any more."""
        return [failure for way, failure in self._failures.items() if way not in self._ways]

    def note(self, failure: Failure) -> None:
        """Learn from a failed attempt."""
        self._failures[failure.way] = failure
        mode, family = failure.way.mode, failure.way.family
        if failure.verdict is Verdict.REFUSED:
            self._ways = [way for way in self._ways if way.mode is not mode or family not in {None, way.family}]
        elif failure.verdict is Verdict.UNREACHED and failure.way in self._ways:
            self._ways.remove(failure.way)
            self._ways.append(failure.way)

    def keep_only(self, mode: Mode) -> None:
        """Drop every way of another mode, as ``EPSV ALL`` demands."""
        self._ways = [way for way in self._ways if way.mode is mode]
