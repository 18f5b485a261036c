"""``docs/reference/conformance.md``: where the servers differ, and which test shows which requirement."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

from fairlead.proto.sequences import legal
from tests.conformance import KNOWN, SOURCE
from tests.reference.ask import NAMES, OWN, Record
from tests.reference.replay import Answer
from tests.reference.script import LABELS, SCRIPT, Group, Step

PAGE = Path("docs/reference/conformance.md")
LONGEST = 60
WIDTH = 120
OUTSIDE = "†"

HEAD = """\
# Conformance

This page is generated: `make docs` writes it from the script of commands in `tests/reference/script.py`, from what
the servers last answered (`tests/reference/answers.json`, renewed by `make differential`) and from
`tests/requirements.toml`. Change those, not the page.
"""

DIFFERENCES = (
    "One script of {count} commands goes to {servers}, each with one user who may write, over a fresh copy of the same "
    "few files; the last groups go to servers that require TLS. Each is set up as `tests/peers/servers.py` has it, "
    "so some of them can do more than shows here. What is compared "
    "are the reply codes and, where a cell shows it, the data or the text. 150 stands for 125, too. `closed`: the "
    "server closed the connection; `silent`: no reply came within {deadline:g} seconds; {outside}: a code that neither "
    "RFC 959 section 5.4 nor a later document gives the command; *PASV 550*: the data connection was refused already."
)
SUMS = (
    "In {alike} steps all servers answer alike; the other {rest} follow. In {alone} of these Fairlead answers as none "
    "of the others does, and in {against_all} of those the others agree with one another."
)
REQUIREMENTS = (
    "{met} of {count} requirements are shown by tests. S server, C client, U ftp: URLs, R a ruling where documents or "
    "practice conflict. M must, S should, O optional (binding once offered), D what clients and servers in use "
    "rely on. `make conformance` names the tests themselves."
)


class Case(NamedTuple):
    """A step and what each server answered."""

    step: Step
    answers: Mapping[str, Answer]

    def agrees(self, name: str) -> bool:
        """Whether the server answers as Fairlead does."""
        return self._compared(name) == self._compared(OWN)

    def _compared(self, name: str) -> tuple[str, str]:
        codes, note = self.answers[name]
        return codes, "" if self.step.shows == LABELS else note

    @property
    def alone(self) -> bool:
        """Whether no other server answers as Fairlead does."""
        return not any(self.agrees(name) for name in self.answers if name != OWN)

    @property
    def against_all(self) -> bool:
        """Whether the other servers answer alike, and otherwise than Fairlead."""
        return self.alone and len({self._compared(name) for name in self.answers if name != OWN}) == 1

    @property
    def differs(self) -> bool:
        """Whether any server answers otherwise than Fairlead."""
        return not all(self.agrees(name) for name in self.answers)

    def outside(self, name: str) -> bool:
        """Whether the server's answer has a code that no document gives the command."""
        verb = self.step.send.partition(" ")[0]
        if self.answers[name].codes.startswith("PASV"):
            verb = "PASV"
        if self.step.raw or not (verb.isascii() and verb.isalpha()):
            return False
        codes = [int(code) for code in self.answers[name].codes.split() if code.isdecimal()]
        return not all(legal(verb, code, preliminary_seen=place > 0) for place, code in enumerate(codes))


def cases(records: Mapping[str, Record]) -> Iterator[tuple[Group, list[Case]]]:
    """The counted steps, group by group, with every server's answers to each."""
    for number, group in enumerate(SCRIPT):
        steps = [step for step in group.steps if not step.hidden]
        columns = {name: record["answers"][number] for name, record in records.items()}
        for name, column in columns.items():
            assert len(column) == len(steps), f"{name} was asked another script: make differential"
        yield (
            group,
            [
                Case(step, {name: Answer(*column[place]) for name, column in columns.items()})
                for place, step in enumerate(steps)
            ],
        )


def _shown(text: str) -> str:
    """The text as code in a cell of a table."""
    octets = text.encode("utf-8", "surrogateescape")
    shown = octets.decode("utf-8", "backslashreplace").replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0")
    shown = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in shown)
    if len(shown) > LONGEST:
        shown = f"{shown[:12]}… ({len(octets)} octets)"
    return f"`{shown}`".replace("|", "\\|") if shown.strip() else "(an empty line)"


def _cell(case: Case, name: str) -> str:
    codes, note = case.answers[name]
    mark = OUTSIDE if case.outside(name) else ""
    return f"{codes}{mark}" + (f" {_shown(note)}" if note and case.step.shows != LABELS else "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(head), "|" + "---|" * len(head), *map(_row, rows)]


def _agreement(every: Sequence[Case], records: Mapping[str, Record]) -> list[str]:
    rows = []
    for name, record in records.items():
        same = sum(case.agrees(name) for case in every)
        silent = sum(case.answers[name].codes in {"closed", "silent"} for case in every)
        outside = sum(case.outside(name) for case in every)
        rows.append([f"{NAMES[name]} {record['version']}", f"{same} of {len(every)}", str(outside), str(silent)])
    head = ["server", "answers as Fairlead does", f"codes outside the documents {OUTSIDE}", "no reply"]
    return _table(head, rows)


def _features(every: Sequence[Case], names: Sequence[str]) -> list[str]:
    case = next(case for case in every if case.step.shows == LABELS)
    listed = {name: case.answers[name].note.split() for name in names}
    labels = sorted({label for each in listed.values() for label in each})
    rows = [[f"`{label}`", *("yes" if label in listed[name] else "–" for name in names)] for label in labels]
    return _table(["FEAT lists", *(NAMES[name] for name in names)], rows)


def difference_lines(records: Mapping[str, Record], deadline: float) -> Iterator[str]:
    """The first half of the page."""
    groups = list(cases(records))
    every = [case for _, each in groups for case in each]
    others = [f"{NAMES[name]} {record['version']}" for name, record in records.items()]
    servers = f"{', '.join(others[:-1])} and {others[-1]}"
    text = DIFFERENCES.format(count=len(every), servers=servers, deadline=deadline, outside=OUTSIDE)
    yield from ("## Where servers differ", "", *wrap(text, WIDTH), "")
    yield from _agreement(every, records)
    alike = sum(not case.differs for case in every)
    alone, against_all = sum(case.alone for case in every), sum(case.against_all for case in every)
    text = SUMS.format(alike=alike, rest=len(every) - alike, alone=alone, against_all=against_all)
    yield from ("", *wrap(text, WIDTH))
    for group, each in groups:
        rows = [
            [_shown(case.step.send), *(_cell(case, name) for name in records), case.step.reason]
            for case in each
            if case.differs
        ]
        if rows:
            yield from ("", f"### {group.title}", "")
            yield from _table(["command", *(NAMES[name] for name in records), "why Fairlead does so"], rows)
    yield from ("", "### Features, without a certificate", "")
    yield from _features(every, list(records))


def collected(root: Path) -> dict[str, set[str]]:
    """Which files of tests claim to show each requirement, as pytest collects them."""
    command = [sys.executable, "-m", "pytest", "-qq", "--collect-only", "--conformance"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    shown: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        name, _, tests = line.strip().partition(" ")
        if line.startswith("  ") and name in KNOWN and "::" in tests:
            shown[name] = {test.partition("::")[0].strip() for test in tests.split(", ")}
    return shown


def _code(text: str) -> str:
    return text.replace("|", "\\|")


def requirement_lines(shown: Mapping[str, set[str]]) -> Iterator[str]:
    """The second half: each requirement with its level and the files of tests that show it."""
    with SOURCE.open("rb") as file:
        sections = tomllib.load(file)["section"]
    met = sum(name in shown for name in KNOWN)
    yield from (
        "## Requirements",
        "",
        *wrap(REQUIREMENTS.format(met=met, count=len(KNOWN)), WIDTH),
    )
    for section in sections:
        rows = [
            [
                name,
                row.get("level", "–"),
                row.get("reference", "–"),
                _code(row["text"]),
                "<br>".join(path.removeprefix("tests/") for path in sorted(shown.get(name, ()))) or "–",
            ]
            for name, row in section["requirements"].items()
        ]
        if rows:
            yield from ("", f"### {section['number']}. {section['title']}", "")
            yield from _table(["name", "level", "document", "requirement", "shown in `tests/`"], rows)


def page(records: Mapping[str, Record], shown: Mapping[str, set[str]], deadline: float) -> str:
    """The whole page."""
    return "\n".join([HEAD, *difference_lines(records, deadline), "", *requirement_lines(shown)]) + "\n"
