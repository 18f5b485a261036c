"""Which test shows which requirement: the ``req`` mark, and the report of ``make conformance``.

The requirements stand in ``requirements.toml``. A test that names one which is not there is an error. With
``--conformance`` a table of all requirements and the tests that show them follows the run; where tests ran, only
those that passed count, and with ``--collect-only`` all that claim to show it.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

SOURCE = Path(__file__).with_name("requirements.toml")
PROPERTY = "req"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of a section; ``due`` is ``now`` or ``later``."""

    name: str
    section: str
    due: str
    text: str


def read_requirements(source: Path = SOURCE) -> dict[str, Requirement]:
    """All requirements by name, in the order of the file."""
    with source.open("rb") as file:
        sections = tomllib.load(file)["section"]
    return {
        name: Requirement(name, f"{section['number']}. {section['title']}", row.get("due", section["due"]), row["text"])
        for section in sections
        for name, row in section["requirements"].items()
    }


KNOWN = read_requirements()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", action="store_true", help="show which test shows which requirement")


def pytest_itemcollected(item: pytest.Item) -> None:
    item.user_properties += [(PROPERTY, name) for mark in item.iter_markers("req") for name in mark.args]


def pytest_runtest_setup(item: pytest.Item) -> None:
    unknown = [name for key, name in item.user_properties if key == PROPERTY and name not in KNOWN]
    if unknown:
        pytest.fail(f"no such requirement in {SOURCE.name}: {unknown}", pytrace=False)


def _without_parameters(nodeid: str) -> str:
    return nodeid.partition("[")[0]


def _claims(reporter: TerminalReporter) -> dict[str, set[str]]:
    """The tests that show each requirement: those that passed, or all where none was run."""
    shown = defaultdict(set)
    if reporter.config.option.collectonly:
        session = reporter._session
        subjects = [(item.nodeid, item.user_properties) for item in session.items] if session else []
    else:
        subjects = [(report.nodeid, report.user_properties) for report in reporter.stats.get("passed", ())]
    for nodeid, properties in subjects:
        for key, value in properties:
            if key == PROPERTY:
                shown[str(value)].add(_without_parameters(nodeid))
    return shown


def report_lines(requirements: dict[str, Requirement], shown: dict[str, set[str]]) -> list[str]:
    """The table, section by section, then the sums, what is due and not shown, and names that are no requirements."""
    lines: list[str] = []
    sums: dict[str, list[int]] = {}
    missing: list[str] = []
    for requirement in requirements.values():
        if requirement.section not in sums:
            sums[requirement.section] = [0, 0, 0]
            lines += ["", requirement.section]
        tests = sorted(shown.get(requirement.name, ()))
        state = ", ".join(tests) or ("later" if requirement.due == "later" else "NOT SHOWN")
        lines.append(f"  {requirement.name:<16} {state}")
        due = requirement.due == "now"
        counts = sums[requirement.section]
        counts[0] += due
        counts[1] += due and bool(tests)
        counts[2] += not due and not tests
        if due and not tests:
            missing.append(f"  {requirement.name:<16} {requirement.text}")
    lines += ["", f"{'shown':>7} {'due':>5} {'later':>5}  section"]
    for section, (due_count, shown_count, later) in sums.items():
        lines.append(f"{shown_count:>7} {due_count:>5} {later:>5}  {section}")
    totals = [sum(column) for column in zip(*sums.values(), strict=True)]
    lines.append(f"{totals[1]:>7} {totals[0]:>5} {totals[2]:>5}  in all")
    lines += [
        "",
        "Due, and shown by no test:" if missing else "Each requirement that is due is shown by a test.",
        *missing,
    ]
    for name in sorted(shown.keys() - requirements.keys()):
        lines.append(f"No such requirement: {name} in {', '.join(sorted(shown[name]))}")
    return lines


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    if terminalreporter.config.getoption("conformance"):
        terminalreporter.section("conformance")
        for line in report_lines(KNOWN, _claims(terminalreporter)):
            terminalreporter.write_line(line)
