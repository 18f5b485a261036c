from __future__ import annotations

from tests.conformance import KNOWN, Requirement, report_lines


def requirement(name: str, due: str = "now") -> Requirement:
    return Requirement(name, "1. Grammar", due, f"text of {name}")


def test_a_name_begins_with_its_side() -> None:
    assert {name.partition("-")[0] for name in KNOWN} == {"S", "C", "U", "R"}


def test_each_requirement_is_due_now_or_later() -> None:
    assert {row.due for row in KNOWN.values()} <= {"now", "later"}


def test_the_report_names_the_tests_and_what_is_not_shown() -> None:
    rows = {name: requirement(name, due) for name, due in (("S-1", "now"), ("S-2", "now"), ("S-3", "later"))}

    lines = report_lines(rows, {"S-1": {"tests/b.py::test", "tests/a.py::test"}})

    assert lines == [
        "",
        "1. Grammar",
        "  S-1              tests/a.py::test, tests/b.py::test",
        "  S-2              NOT SHOWN",
        "  S-3              later",
        "",
        "  shown   due later  section",
        "      1     2     1  1. Grammar",
        "      1     2     1  in all",
        "",
        "Due, and shown by no test:",
        "  S-2              text of S-2",
    ]


def test_the_report_names_what_is_no_requirement() -> None:
    lines = report_lines({"S-1": requirement("S-1")}, {"S-1": {"a"}, "S-9": {"b", "c"}})

    assert lines[-2:] == ["Each requirement that is due is shown by a test.", "No such requirement: S-9 in b, c"]
