"""The matrix as lines on a terminal and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fairlead.reach.cause import Cause
from lab.expected import Cell, Mode, families
from lab.matrix import AUTO_LIMIT, DOCTOR_LIMIT, Row

_HEAD = """\
# The laboratory's matrix

Written by `make lab ARGS=--write`; [the laboratory](../../lab/__init__.py) builds every topology from network
namespaces, nftables and the kernel's FTP helper. In each, every mode is forced on our client, `fairlead doctor` is run,
its advice is followed to the letter, and our client is left to itself.

* **EPSV** to **PORT**: ✓ works; else the cause that `fairlead doctor` named. ✓ before a cause: our client gets through
  all the same, since it calls the server's own address whatever a 227 says. Over IPv4 where there is any.
* **IPv6**: modes that fail there. PASV and PORT, which cannot carry IPv6, are left out. **long**: what the doctor says
  of a file of 16 MB that takes some seconds, where listings come through and this does not.
* **doctor**: seconds of the whole program, ✗ where a cause is wrong. **alone**: seconds from the login to a listing
  when our client chooses the mode; – where none can work.
* **you**: a listing arrives when the person at the client follows the advice and nobody else does anything.
  **all**: failed modes that work once both networks and the server have followed it, too; where one fault hid another,
  the doctor is asked a second time.

"""
_FOOT = """
`server-nat-remap`: Fairlead's server tells its own address, so that the doctor knows where the router has to forward
to; other servers do not, and that a router maps ports to other ones cannot be seen from outside. What helps there is
active mode, as the advice for the person at the client says.
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of the design page that the matrix measures."""

    cells: int
    right: int
    slowest_doctor: float
    slowest_auto: float
    arrived: int
    could: int
    helped: int
    advised: int


def figures(rows: Sequence[Row]) -> Figures:
    """Sum up what was measured."""
    done = [row for row in rows if not row.skipped]
    judged = [row.right(cell) for row in done for cell in row.cells]
    could = [row for row in done if row.can_list]
    advised = [row for row in done if row.mended]
    return Figures(
        cells=len(judged),
        right=sum(judged),
        slowest_doctor=max((row.diagnosis.seconds for row in done), default=0.0),
        slowest_auto=max((row.auto.seconds for row in could), default=0.0),
        arrived=sum(row.auto.ok for row in could),
        could=len(could),
        helped=sum(any(own.ok for own in row.own) or all(row.mended.values()) for row in advised),
        advised=len(advised),
    )


def summary(found: Figures) -> Iterator[str]:
    """The figures in words, one line each."""
    yield f"verdicts right: {found.right} of {found.cells} (topology × server × TLS × mode × family)"
    yield (
        f"listing arrives when our client chooses the mode: {found.arrived} of {found.could}, the slowest after "
        f"{found.slowest_auto:.1f} s (to be reached: all, within {AUTO_LIMIT:.0f} s)"
    )
    yield f"slowest diagnosis: {found.slowest_doctor:.1f} s (to be reached: {DOCTOR_LIMIT:.0f} s)"
    yield f"advice that makes the transfer work: {found.helped} of {found.advised}"


def line(row: Row) -> str:
    """A row for a terminal."""
    task = row.task
    head = f"{task.topology.name:24} {task.server:9} {task.protection:9}"
    if row.skipped:
        return f"{head} skipped: {row.skipped}"
    modes = "  ".join(f"{mode} {text}" for mode, text in _modes(row).items())
    return (
        f"{head} {modes}{'  IPv6: ' + _v6(row) if _v6(row) else ''}  |  doctor {_doctor(row)}  alone {_alone(row)}"
        f"  you {_you(row)}  all {_all(row)}" + (f"  long {_long(row)}" if row.long else "")
    )


def page(rows: Iterable[Row]) -> str:
    """The matrix as Markdown."""
    rows = list(rows)
    lines = [_HEAD.rstrip(), "", *(f"* {text.strip()}" for text in summary(figures(rows))), ""]
    lines += [
        "| topology | server | TLS | EPSV | PASV | EPRT | PORT | IPv6 | long transfer | doctor | alone | you | all |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        task = row.task
        head = f"| `{task.topology.name}` | {task.server} | {task.protection} |"
        if row.skipped:
            lines.append(f"{head} {row.skipped} | | | | | | | | | |")
            continue
        texts = [*_modes(row).values(), _v6(row), _long(row), _doctor(row), _alone(row), _you(row), _all(row)]
        lines.append(f"{head} {' | '.join(texts)} |")
    return "\n".join(lines) + "\n" + _FOOT


def _shown(row: Row, cell: Cell) -> str:
    named = row.diagnosis.causes.get(cell)
    if named is None:
        return "?"
    through = row.forced[cell].ok if cell in row.forced else False
    if named is Cause.OK:
        return "✓" if through else "✗"
    return f"✓ {named}" if through else named.value


def _modes(row: Row) -> dict[Mode, str]:
    family = families(row.task.topology)[0]
    levels = sorted({cell.private for cell in row.cells})
    texts = {}
    for mode in Mode:
        each = [_shown(row, Cell(mode, family, private)) for private in levels]
        texts[mode] = each[0] if len(each) == 1 else f"{each[0]}, under TLS {each[1]}"
    return texts


def _v6(row: Row) -> str:
    if families(row.task.topology)[0] == 6:
        return ""
    failed = {
        f"{cell.mode} {_shown(row, cell)}"
        for cell in row.cells
        if cell.family == 6 and cell.mode.extended and _shown(row, cell) != "✓"
    }
    return ", ".join(sorted(failed))


def _long(row: Row) -> str:
    if row.long is None:
        return ""
    causes = set(row.long.causes.values()) - {Cause.OK, Cause.FAMILY_UNSUPPORTED, Cause.TLS_REQUIRED}
    return ", ".join(sorted(causes)) or "✓"


def _doctor(row: Row) -> str:
    wrong = "" if all(row.right(cell) for cell in row.cells) else " ✗"
    return f"{row.diagnosis.seconds:.1f} s{wrong}"


def _alone(row: Row) -> str:
    return f"{row.auto.seconds:.1f} s" if row.auto.ok else "–"


def _you(row: Row) -> str:
    return ("✓" if any(own.ok for own in row.own) else "–") if row.own else ""


def _all(row: Row) -> str:
    return f"{sum(row.mended.values())}/{len(row.mended)}" if row.mended else ""
