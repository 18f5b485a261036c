"""The rows of the tables: what is asked of a server, and which figure counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from benchmarks.running import Outcome

GIB = 1 << 30
MIB = 1 << 20


class Better(Enum):
    """Which of two values wins."""

    HIGHER = "higher"
    LOWER = "lower"


class Work(Enum):
    """What the server's CPU time is divided by."""

    OPERATION = "µs per operation"
    GIB = "s per GiB"
    NONE = ""


class Procedure(Enum):
    """How a row is measured (``measure.py``)."""

    SHARED = "on a server that all such rows share"
    OWN = "on a server started for the cell, others stopped"
    START = "the start itself"
    IDLE = "memory while sessions are held"
    GROWTH = "memory before and after"


@dataclass(frozen=True, slots=True)
class Row:
    """One row."""

    name: str
    title: str
    unit: str
    better: Better
    value: Callable[[Outcome], float]
    load: str = ""
    """The row of the load generator."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    file: int = 0
    """Octets of the file that is fetched."""
    hole: int = 0
    """Octets of a file without content that is fetched."""
    entries: int = 0
    """Entries of the directory that is listed."""
    work: Work = Work.NONE
    parallel: bool = False
    """Many sessions at once: the load generator keeps to half of the cores, or it would share one with the server."""
    procedure: Procedure = Procedure.SHARED
    rounds: int = 0
    """At most so many rounds; 0 for all."""
    limit: int = 60
    """Seconds for one cell."""
    compared: bool = True
    """Whether ratios mean something."""
    detail: Callable[[Outcome], str] | None = None
    """What stands behind the value in brackets."""
    cpu_counts: bool = False
    """Whether a server is behind when it needs more CPU time, however fast it is."""
    tls: bool = False
    """Whether control and data connections are under TLS."""
    on_disk: bool = False
    """Whether uploads go to a disk, not to a tmpfs."""
    optional: bool = False
    """Whether it runs only when asked for by name."""


def rate(outcome: Outcome) -> float:
    """Operations per second."""
    return outcome.operations / outcome.seconds


def megabytes(outcome: Outcome) -> float:
    """Millions of octets per second."""
    return outcome.octets / outcome.seconds / 1e6


def milliseconds_each(outcome: Outcome) -> float:
    """Milliseconds for each operation."""
    return outcome.seconds / outcome.operations * 1e3


def _first(outcome: Outcome) -> float:
    return outcome.first * 1e3


def _held(name: str) -> Callable[[Outcome], float]:
    return lambda outcome: outcome.held[name]


def rows(*, quick: bool = False) -> tuple[Row, ...]:
    """All rows; ``quick`` makes the same with less of everything."""
    seconds = 0.3 if quick else 1.0
    bulk = GIB // 4 if quick else GIB
    quarter = bulk // 4
    return (
        *_bulk(bulk, quarter),
        *_small(seconds),
        *_under_tls(bulk, seconds),
        *_dialogue(seconds, quarter),
        *_listings(seconds),
        *_alone(quick=quick),
    )


def _bulk(size: int, quarter: int) -> tuple[Row, ...]:
    def row(name: str, title: str, verb: str, sessions: int) -> Row:
        each = size if sessions == 1 else quarter
        return Row(
            name=name,
            title=title,
            unit="MB/s",
            better=Better.HIGHER,
            value=megabytes,
            load="bulk",
            arguments={"verb": verb, "size": each, "sessions": sessions, "repeat": 1 if verb == "STOR" else sessions},
            file=each if verb == "RETR" else 0,
            work=Work.GIB,
            cpu_counts=True,
        )

    return (
        row("retr", f"RETR {_size(size)}", "RETR", 1),
        row("stor", f"STOR {_size(size)}", "STOR", 1),
        row("retr-x4", f"4 parallel RETR of {_size(quarter)}", "RETR", 4),
        row("stor-x4", f"4 parallel STOR of {_size(quarter)}", "STOR", 4),
    )


def _small(seconds: float) -> tuple[Row, ...]:
    def row(name: str, title: str, verb: str, sessions: int, *, on_disk: bool = False) -> Row:
        return Row(
            name=name,
            title=title,
            unit="files/s",
            better=Better.HIGHER,
            value=rate,
            load="small",
            arguments={"verb": verb, "size": 1024, "sessions": sessions, "seconds": seconds},
            work=Work.OPERATION,
            parallel=sessions > 1,
            procedure=Procedure.OWN if on_disk else Procedure.SHARED,
            on_disk=on_disk,
        )

    return (
        row("retr-1k", "RETR 1 KiB", "RETR", 1),
        row("retr-1k-x8", "RETR 1 KiB, 8 sessions", "RETR", 8),
        row("stor-1k", "STOR 1 KiB", "STOR", 1),
        row("stor-1k-x8", "STOR 1 KiB, 8 sessions", "STOR", 8),
        row("stor-1k-x8-disk", "STOR 1 KiB, 8 sessions, to a disk", "STOR", 8, on_disk=True),
    )


def _under_tls(size: int, seconds: float) -> tuple[Row, ...]:
    def bulk(verb: str, sessions: int) -> Row:
        each = size // sessions
        suffix = "" if sessions == 1 else f"-x{sessions}"
        parallel = "" if sessions == 1 else f"{sessions} parallel "
        return Row(
            name=f"tls-{verb.lower()}{suffix}",
            title=f"{parallel}{verb} {_size(each)}, TLS",
            unit="MB/s",
            better=Better.HIGHER,
            value=megabytes,
            load="bulk",
            arguments={"verb": verb, "size": each, "sessions": sessions, "tls": 1},
            file=each if verb == "RETR" else 0,
            work=Work.GIB,
            cpu_counts=True,
            detail=_resumed,
            tls=True,
        )

    def small(verb: str, sessions: int) -> Row:
        suffix = "" if sessions == 1 else f"-x{sessions}"
        return Row(
            name=f"tls-{verb.lower()}-1k{suffix}",
            title=f"{verb} 1 KiB{'' if sessions == 1 else f', {sessions} sessions'}, TLS",
            unit="files/s",
            better=Better.HIGHER,
            value=rate,
            load="tls-small",
            arguments={"verb": verb, "size": 1024, "sessions": sessions, "seconds": seconds, "tls": 1},
            work=Work.OPERATION,
            parallel=sessions > 1,
            detail=_resumed,
            tls=True,
        )

    login = Row(
        name="tls-login",
        title="Login (connect to QUIT), TLS",
        unit="/s",
        better=Better.HIGHER,
        value=rate,
        load="tls-login",
        arguments={"sessions": 1, "seconds": seconds, "tls": 1},
        work=Work.OPERATION,
        tls=True,
    )
    verbs = ("RETR", "STOR")
    return (
        *(bulk(verb, sessions) for sessions in (1, 8) for verb in verbs),
        *(small(verb, sessions) for verb in verbs for sessions in (1, 8)),
        login,
    )


def _resumed(outcome: Outcome) -> str:
    share = outcome.resumed / outcome.operations
    return "" if share == 1 else f"{share:.0%} resumed"


def _dialogue(seconds: float, file: int) -> tuple[Row, ...]:
    def row(name: str, title: str, load: str, *, unit: str = "/s", sessions: int = 1, file: int = 0) -> Row:
        return Row(
            name=name,
            title=title,
            unit=unit,
            better=Better.HIGHER,
            value=rate,
            load=load,
            arguments={"sessions": sessions, "seconds": seconds},
            file=file,
            work=Work.NONE if file else Work.OPERATION,
            parallel=sessions > 1,
        )

    return (
        row("login", "Login (connect to QUIT)", "login"),
        row("login-x16", "Login, 16 at once", "login", sessions=16),
        row("noop", "NOOP", "noop"),
        row("noop-pipelined", "NOOP, 100 to 200 in flight", "pipelined"),
        row("noop-under-bulk", "NOOP while another session pulls a file", "noop-bulk", file=file * 4),
        _fairness("fairness-alone", "99th percentile of NOOP, 50 sessions", seconds),
        _fairness("fairness", "99th percentile of NOOP, 50 sessions beside one that pulls a file", seconds, file * 4),
    )


def _fairness(name: str, title: str, seconds: float, file: int = 0) -> Row:
    return Row(
        name=name,
        title=title,
        unit="ms",
        better=Better.LOWER,
        value=_first,
        load="latency",
        arguments={"sessions": 50, "seconds": seconds * 2, "size": file},
        file=file,
    )


def _listings(seconds: float) -> tuple[Row, ...]:
    def row(verb: str, entries: int, suffix: str) -> Row:
        return Row(
            name=f"{verb.lower()}-{suffix}",
            title=f"{verb} of {entries:,} entries",
            unit="ms",
            better=Better.LOWER,
            value=milliseconds_each,
            load="listing",
            arguments={"verb": verb, "size": entries, "seconds": seconds if entries <= 10_000 else 0, "repeat": 1},
            entries=entries,
            work=Work.OPERATION,
        )

    return (
        row("LIST", 10_000, "10k"),
        row("MLSD", 10_000, "10k"),
        row("LIST", 100_000, "100k"),
        row("MLSD", 100_000, "100k"),
    )


def _alone(*, quick: bool) -> tuple[Row, ...]:
    million = 100_000 if quick else 1_000_000
    five = GIB if quick else 5 * GIB

    def growth(
        name: str, title: str, load: str, arguments: Mapping[str, object], *, hole: int = 0, entries: int = 0
    ) -> Row:
        return Row(
            name=name,
            title=title,
            unit="MB",
            better=Better.LOWER,
            value=_held("growth"),
            load=load,
            arguments=arguments,
            procedure=Procedure.GROWTH,
            rounds=1,
            limit=120,
            compared=False,
            detail=lambda outcome: f"peak {outcome.held['peak']:.1f}",
            hole=hole,
            entries=entries,
        )

    def idle(name: str, sessions: int, *, optional: bool = False) -> Row:
        return Row(
            name=name,
            title=f"Memory with {sessions:,} idle sessions (PSS)",
            unit="MB",
            better=Better.LOWER,
            value=_held("pss"),
            load="idle",
            arguments={"sessions": sessions},
            detail=lambda outcome: f"{outcome.held['each']:.1f} KB each",
            procedure=Procedure.IDLE,
            rounds=1,
            limit=120,
            optional=optional,
        )

    return (
        Row(
            name="list-first",
            title=f"First octet of LIST of {million:,} entries",
            unit="ms",
            better=Better.LOWER,
            value=_first,
            load="first",
            arguments={"verb": "LIST"},
            entries=million,
            procedure=Procedure.OWN,
            rounds=3,
        ),
        idle("idle-500", 500),
        idle("idle-10000", 10_000, optional=True),
        growth(
            "growth-retr", f"Memory added by RETR of {_size(five)}", "bulk", {"verb": "RETR", "size": five}, hole=five
        ),
        growth("growth-stor", f"Memory added by STOR of {_size(five)}", "bulk", {"verb": "STOR", "size": five}),
        growth(
            "growth-list",
            f"Memory added by LIST of {million:,} entries",
            "listing",
            {"verb": "LIST", "size": million, "seconds": 0},
            entries=million,
        ),
        Row(
            name="start",
            title="Start to the first greeting",
            unit="ms",
            better=Better.LOWER,
            value=_first,
            load="await",
            procedure=Procedure.START,
            rounds=3,
        ),
    )


def _size(octets: int) -> str:
    return f"{octets // GIB} GiB" if octets % GIB == 0 else f"{octets // MIB} MiB"
