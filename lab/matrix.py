"""Topology × server × protection: what each mode does, what the doctor says of it, what its advice is worth."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from fairlead.reach.cause import Cause
from lab.diagnosis import (
    LIMIT,
    Diagnosis,
    Listed,
    change_networks,
    diagnose,
    list_by_modes,
    list_with,
    own_advice,
    server_advice,
)
from lab.expected import Cell, acceptable, can_list, cells, expected, expected_of_long, seen_from_outside, works
from lab.laboratory import Lab
from lab.probe import Met, attempt
from lab.servers import LARGE_FILE, Protection, Served, Unavailable, served
from lab.topologies import TOPOLOGIES, Topology

DOCTOR_LIMIT = 15.0
"""Seconds that a diagnosis may take."""
AUTO_LIMIT = 3.0
"""Seconds from the login to a listing wherever any mode can work."""
ROUNDS = 2
"""How often the doctor is asked at most, and its advice followed."""
BEYOND_ADVICE = frozenset({Cause.OK, Cause.FAMILY_UNSUPPORTED, Cause.TLS_REQUIRED})
"""Causes that nobody has to do anything about, or can."""


@dataclass(frozen=True, slots=True)
class Task:
    """One row: a topology with a server that wants TLS or not."""

    topology: Topology
    server: str
    protection: Protection

    def __str__(self) -> str:
        return f"{self.topology.name}, {self.server}, TLS {self.protection}"


@dataclass(slots=True)
class Row:
    """What was found; ``wrong`` are sentences about what should be otherwise."""

    task: Task
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    forced: dict[Cell, Listed] = field(default_factory=dict)
    auto: Listed = field(default_factory=lambda: Listed(False, 0.0))
    own: list[Listed] = field(default_factory=list)
    """What came of the advice for the person at the client, while nobody else did anything."""
    mended: dict[Cell, bool] = field(default_factory=dict)
    """Which of the failed modes work once everybody did what the doctor said."""
    long: Diagnosis | None = None
    """What the doctor says of a transfer of some megabytes, where that meets something."""
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def cells(self) -> list[Cell]:
        """What was to be diagnosed."""
        protection = self.task.protection
        levels = (False, True) if protection is Protection.OFFERED else (protection.tls,)
        return [cell for private in levels for cell in cells(self.task.topology, private=private)]

    @property
    def can_list(self) -> bool | None:
        """Whether our client gets a listing by itself; it uses TLS wherever the server offers that."""
        tls = self.task.protection.tls
        return can_list(self.task.topology, [cell for cell in self.cells if cell.private is tls])

    @property
    def expected_of_long(self) -> Cause:
        """What becomes of a long transfer."""
        return expected_of_long(self.task.topology, private=self.task.protection is Protection.REQUIRED)

    def right(self, cell: Cell) -> bool:
        """Whether the doctor named a cause that stands behind what a cell meets."""
        offered = self.task.protection is Protection.OFFERED
        named = self.diagnosis.causes.get(cell)
        return named in acceptable(self.task.topology, cell, server=self.task.server, offered=offered)


def tasks(
    topologies: Iterable[Topology] = TOPOLOGIES.values(), servers: Iterable[str] = ("fairlead", "vsftpd", "proftpd")
) -> Iterator[Task]:
    """The rows: Fairlead in clear and with TLS required, each of the others with one of the two in turn.

    Where a helper listens in there is a third row for Fairlead, TLS offered, so that the doctor can compare.
    """
    both = (Protection.CLEAR, Protection.REQUIRED)
    names = list(servers)
    for number, topology in enumerate(topologies):
        for place, server in enumerate(names):
            for protection in both if server == "fairlead" else (both[(number + place) % 2],):
                yield Task(topology, server, protection)
        if "fairlead" in names and any(part.helper for part in topology.parts):
            yield Task(topology, "fairlead", Protection.OFFERED)


def run(todo: Iterable[Task], *, side_by_side: int, tell: Callable[[Row], None]) -> list[Row]:
    """Do the rows, some of them at the same time since most of it is waiting; ``tell`` gets each when it is done."""
    with ThreadPoolExecutor(side_by_side) as threads:
        rows = []
        for row in threads.map(measure, todo):
            tell(row)
            rows.append(row)
        return rows


def measure(task: Task) -> Row:
    """Build the topology and find out everything about one row; what breaks becomes a sentence in ``wrong``."""
    row = Row(task)
    try:
        with Lab(task.topology) as lab:
            _measure(row, lab)
    except Unavailable as reason:
        row.skipped = str(reason)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        row.wrong.append(f"{task}: {error} {getattr(error, 'stderr', '') or ''}".rstrip())
    return row


def ask_doctor(row: Row, lab: Lab, server: Served) -> None:
    """Fill in what the doctor says; of a long transfer only where that meets something that a listing does not."""
    offered = ("--clear-password",) if row.task.protection is Protection.OFFERED else ()
    row.diagnosis = diagnose(lab, server, *offered)
    if row.expected_of_long is not Cause.OK:
        row.long = diagnose(lab, server, *offered, path=LARGE_FILE)


def _measure(row: Row, lab: Lab) -> None:
    task = row.task
    with served(lab, task.server, task.protection) as server:
        ask_doctor(row, lab, server)
        row.auto, row.forced = list_by_modes(lab, server, row.cells)
        advised = own_advice(row.diagnosis)
        with ThreadPoolExecutor(max(1, len(advised))) as threads:
            row.own = list(threads.map(lambda options: list_with(lab, server, *options, timeout=LIMIT), advised))
    _mend(row, lab)
    row.wrong += _judge(row)


def _mend(row: Row, lab: Lab) -> None:
    """Follow all advice; where one fault hid another, ask and follow a second time."""
    task, diagnosis = row.task, row.diagnosis
    failed = [cell for cell in row.cells if diagnosis.causes.get(cell, Cause.OK) not in BEYOND_ADVICE]
    extra: list[str] = []
    for _ in range(ROUNDS if failed else 0):
        extra += server_advice(diagnosis, task.server)
        change_networks(lab, diagnosis)
        with served(lab, task.server, task.protection, extra) as server, ThreadPoolExecutor(len(failed)) as threads:
            now = list(threads.map(partial(_mended, lab, server, diagnosis, extra), failed))
            row.mended = dict(zip(failed, now, strict=True))
            if all(now):
                break
            diagnosis = diagnose(lab, server, "--insecure")


def _mended(lab: Lab, server: Served, diagnosis: Diagnosis, extra: list[str], cell: Cell) -> bool:
    """Whether a mode works now: passive ones taken at their word, active ones as the person is told to use them."""
    told = [word for options in own_advice(diagnosis) for word in options]
    private = cell.private or "require" in told or any(word in " ".join(extra).lower() for word in ("tls", "ssl"))
    if cell.mode.passive:
        try:
            return attempt(lab, Cell(cell.mode, cell.family, private)).met is Met.OK
        except OSError:
            return False
    waiting = [options for options in own_advice(diagnosis) if "--active-ports" in options]
    options = [word for options in waiting for word in options]
    forced = ["--mode", cell.mode.lower(), f"-{cell.family}", "--tls", "require" if private else "off"]
    return list_with(lab, server, *options, *forced, "--insecure", "--timeout", "8").ok


def _judge(row: Row) -> Iterator[str]:
    yield from misdiagnoses(row)
    for kind, found in (("", row.diagnosis), (" with a file", row.long)):
        if found is not None and found.seconds > DOCTOR_LIMIT:
            yield f"{row.task}: the doctor took {found.seconds:.1f} s{kind}"
    yield from _judge_listings(row)
    for cell, ok in row.mended.items():
        if not ok and seen_from_outside(row.task.topology, cell):
            yield f"{row.task}: {cell} ({row.diagnosis.causes[cell]}) does not work when all advice is followed"


def misdiagnoses(row: Row) -> Iterator[str]:
    """What the doctor says otherwise than it is, in sentences."""
    task, diagnosis = row.task, row.diagnosis
    if diagnosis.error:
        yield f"{task}: the doctor says no more than: {diagnosis.error}"
    for cell in row.cells:
        if not row.right(cell):
            yield f"{task}: {cell} is {expected(task.topology, cell)}, the doctor says {diagnosis.causes.get(cell)}"
    cause = row.expected_of_long
    if row.long is not None and cause not in row.long.causes.values():
        yield f"{task}: a long transfer is {cause}, the doctor does not say so"


def _judge_listings(row: Row) -> Iterator[str]:
    task = row.task
    for cell in row.cells:
        may = works(task.topology, cell)
        if may is not None and row.forced[cell].ok is not may:
            yield f"{task}: a listing by {cell} should {_word(may)}, but: {row.forced[cell].said or 'it works'}"
    can = row.can_list
    if can is not None and row.auto.ok is not can:
        yield f"{task}: a listing by itself should {_word(can)}, but: {row.auto.said or 'it works'}"
    elif can and row.auto.seconds > AUTO_LIMIT:
        yield f"{task}: a listing by itself took {row.auto.seconds:.1f} s"
    if can and row.own and not any(listed.ok for listed in row.own):
        yield f"{task}: the advice for the person at the client brings no listing: {row.own[0].said}"


def _word(may: bool) -> str:
    return "work" if may else "fail"
