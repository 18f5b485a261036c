"""The whole examination: a look over each family of addresses, then every mode with each protection, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from fairlead.client._connect import is_ipv6
from fairlead.client._ways import Mode
from fairlead.client._wire import Address, Wire
from fairlead.client.trace import Trace
from fairlead.doctor.attempt import Attempt
from fairlead.doctor.look import Look, Scout
from fairlead.doctor.patience import WHOLE
from fairlead.doctor.plan import Plan
from fairlead.errors import ConnectError
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Evidence, Family
from fairlead.reach.explanations import EXPLANATIONS
from fairlead.reach.verdict import alone, together

_LOOK = 9.5
"""Seconds for the first look."""
_RESOLVE = 5.0
BY_CHANCE = frozenset(
    {
        Cause.CONTROL_LOST,
        Cause.CONTROL_TIMEOUT,
        Cause.TLS_FAILED,
        Cause.DATA_TLS_FAILED,
        Cause.DATA_STALLED,
        Cause.DATA_CUT,
    }
)
"""Causes that a listing should not meet twice unless they are there: it is tried once more."""

Watch: TypeAlias = Callable[[str], "Trace | None"]
"""Gives each session, by its name such as ``EPSV over IPv4 under TLS``, whoever listens to its records."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An attempt and its cause."""

    seen: Evidence
    cause: Cause
    seconds: float
    said: str = ""
    """What the server said where there was no session."""

    @property
    def ok(self) -> bool:
        """Whether the mode works."""
        return self.cause is Cause.OK

    @property
    def name(self) -> str:
        """Such as ``EPSV over IPv4 under TLS``."""
        return _name(self.seen.mode, self.seen.family, self.seen.private)


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found."""

    plan: Plan
    looks: tuple[Look, ...]
    probes: tuple[Probe, ...]
    seconds: float
    unresolved: str = ""
    """Why the name has no address."""

    @property
    def control(self) -> Look | None:
        """The look that tells most: the first over which there was a session."""
        return next((look for look in self.looks if look.cause is Cause.OK), self.looks[0] if self.looks else None)


async def examine(wire: Wire, plan: Plan, *, watch: Watch = lambda _: None) -> Examination:
    """Examine the server of ``plan``. Raises ConfigError where the settings cannot be used; all else is a finding."""
    began = wire.now()
    try:
        addresses = await wire.resolve(plan.host, plan.port, family=plan.family, timeout=_RESOLVE)
    except ConnectError as error:
        return Examination(plan, (), (), wire.now() - began, str(error))
    looks = _telling(await asyncio.gather(*(_look(wire, plan, *each, watch) for each in _by_family(addresses))))
    attempts = [
        Attempt(wire, plan, look, mode, private=private, trace=watch(_name(mode.value, look.family, private)))
        for look in looks
        if look.cause is Cause.OK
        for private, cause in ((False, look.clear), (True, look.private))
        if cause is not None
        for mode in Mode
        if plan.mode in {"auto", mode.lower()}
    ]
    times = await _run_all(wire, attempts, began + (plan.limit or WHOLE))
    causes = together([attempt.seen for attempt in attempts])
    for attempt, cause in zip(attempts, causes, strict=True):
        if cause is not Cause.OK:
            attempt.judged(cause, EXPLANATIONS[cause].sentence)
    probes = tuple(
        Probe(attempt.seen, cause, round(seconds, 3), attempt.said)
        for attempt, cause, seconds in zip(attempts, causes, times, strict=True)
    )
    return Examination(plan, looks, probes, round(wire.now() - began, 3))


def _by_family(addresses: Iterable[Address]) -> list[tuple[Family, Address]]:
    """The first address of each family."""
    found: dict[Family, Address] = {}
    for address in addresses:
        found.setdefault(6 if is_ipv6(address[0]) else 4, address)
    return list(found.items())


async def _look(wire: Wire, plan: Plan, family: Family, address: Address, watch: Watch) -> Look:
    scout = Scout(wire, plan, family, address, watch(f"first look over IPv{family}"))
    try:
        async with asyncio.timeout(_LOOK):
            return await scout.run()
    except TimeoutError:
        return scout.overdue()


def _telling(looks: Iterable[Look]) -> tuple[Look, ...]:
    """Those of ``looks`` that say something: a family that this machine has no way for is no finding beside another."""
    found = tuple(looks)
    said = tuple(look for look in found if look.said != Answer.UNREACHABLE)
    return said or found


async def _run_all(wire: Wire, attempts: list[Attempt], deadline: float) -> list[float]:
    """Run ``attempts`` beside one another; those that the server has no room for, once more one after the other."""
    times = [0.0] * len(attempts)
    fetching: set[bool] = set()

    async def run(index: int) -> None:
        attempt, began = attempts[index], wire.now()
        skipped = attempt.skip()
        if not skipped:
            try:
                async with asyncio.timeout(deadline - began):
                    await attempt.run()
                    if alone(attempt.seen) in BY_CHANCE and not attempt.crowded:
                        attempts[index] = attempt = attempt.again()
                        await attempt.run()
                    if attempt.fetches and attempt.seen.private not in fetching:
                        fetching.add(attempt.seen.private)
                        await attempt.fetch()
            except TimeoutError:
                attempt.overdue()
        times[index] = wire.now() - began

    await asyncio.gather(*map(run, range(len(attempts))))
    for index, attempt in enumerate(attempts):
        if attempt.crowded and wire.now() < deadline:
            attempts[index] = attempt.again()
            await run(index)
    return times


def _name(mode: str, family: int, private: bool) -> str:
    return f"{mode} over IPv{family} {'under TLS' if private else 'in clear'}"
