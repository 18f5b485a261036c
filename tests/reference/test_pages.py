"""The pages in docs/reference are those that their sources make: ``make docs`` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fairlead.server import commands as declared
from fairlead.server.registry import COMMANDS, SITE
from tests.conformance import KNOWN, PROPERTY
from tests.reference import commands, conformance, faults, shell
from tests.reference.ask import NAMES, read
from tests.reference.conformance import Case
from tests.reference.replay import DEADLINE, Answer
from tests.reference.script import LABELS, Step

ROOT = Path(__file__).parents[2]
PAGES = "make docs"
ROW = re.compile(r"^\| ([SCUR]-[A-Z0-9-]+) \| (.*) \| ([^|]*) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / conformance.PAGE).read_text()


@pytest.fixture(scope="module")
def shown(page: str) -> dict[str, set[str]]:
    """The files of tests that the page names for each requirement."""
    rows = {name: files for name, _, files in ROW.findall(page)}
    assert rows.keys() == KNOWN.keys()
    return {name: {f"tests/{file}" for file in files.split("<br>")} for name, files in rows.items() if files != "–"}


def test_the_page_of_commands_is_what_the_declarations_make() -> None:
    assert commands.page(commands.features()) == (ROOT / commands.PAGE).read_text(), PAGES


def test_the_page_of_the_interactive_client_is_what_the_declarations_make() -> None:
    assert shell.page() == (ROOT / shell.PAGE).read_text(), PAGES


def test_the_page_of_commands_has_every_command() -> None:
    declared.load()
    page = (ROOT / commands.PAGE).read_text()

    usages = {usage.partition(" ")[0] for usage in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)}

    assert usages == {*COMMANDS, "SITE", "OPTS"}
    assert set(re.findall(r"^\| `SITE ([A-Z]+)", page, re.MULTILINE)) == set(SITE)


def test_the_page_of_faults_is_what_the_declarations_make() -> None:
    assert faults.page() == (ROOT / faults.PAGE).read_text(), PAGES


def test_the_page_of_conformance_is_what_the_record_and_the_requirements_make(
    page: str, shown: dict[str, set[str]]
) -> None:
    assert conformance.page(read(), shown, DEADLINE) == page, PAGES


def test_the_page_of_conformance_names_the_files_that_have_the_tests(
    request: pytest.FixtureRequest, shown: dict[str, set[str]]
) -> None:
    """Of what is collected in this run, which may be a part."""
    claims = {
        (str(name), item.nodeid.partition("::")[0])
        for item in request.session.items
        for key, name in item.user_properties
        if key == PROPERTY
    }

    assert [each for each in sorted(claims) if each[1] not in shown.get(each[0], ())] == [], PAGES
    assert [file for files in shown.values() for file in files if not (ROOT / file).exists()] == [], PAGES


def test_every_server_was_asked() -> None:
    assert list(read()) == list(NAMES)


def test_each_difference_has_a_reason_that_names_its_source() -> None:
    steps = [case.step for _, each in conformance.cases(read()) for case in each if case.differs]

    sources = [re.search(r"\(([^()]+)\)$", step.reason) for step in steps]

    assert [step for step, source in zip(steps, sources, strict=True) if source is None] == []
    names = {source[1] for source in sources if source}
    assert {name for name in names if name not in KNOWN and not name.startswith("RFC ")} == set()


def test_no_reason_stands_beside_a_step_in_which_all_agree() -> None:
    cases = [case for _, each in conformance.cases(read()) for case in each]

    assert [case.step for case in cases if case.step.reason and not case.differs] == []


def test_no_code_of_ours_is_outside_the_documents() -> None:
    cases = [case for _, each in conformance.cases(read()) for case in each]

    assert [case.step for case in cases if case.outside("fairlead")] == []


def case(step: Step, *codes: str, notes: tuple[str, ...] = ("", "", "")) -> Case:
    return Case(step, dict(zip(NAMES, map(Answer, codes, notes), strict=False)))


def test_servers_agree_in_codes_and_in_what_the_step_shows() -> None:
    same = case(Step("SIZE x", shows="text"), "213", "213", "550", notes=("3", "4", ""))

    assert [same.agrees(name) for name in same.answers] == [True, False, False]
    assert (same.differs, same.alone, same.against_all) == (True, True, False)


def test_which_features_are_listed_is_no_difference() -> None:
    assert not case(Step("FEAT", shows=LABELS), "211", "211", "211", notes=("SIZE", "MDTM", "")).differs


def test_others_that_agree_with_one_another_are_told_apart() -> None:
    assert case(Step("LANG"), "200", "500", "500").against_all
    assert not case(Step("LANG"), "200", "500", "502").against_all


@pytest.mark.parametrize(
    ("step", "codes", "expected"),
    [
        (Step("CWD x"), "250", False),
        (Step("CWD x"), "226", True),
        (Step("RETR x"), "150 226", False),
        (Step("RETR x"), "150 550", True),
        (Step("LIST"), "PASV 550", True),
        (Step("LIST"), "closed", False),
        (Step("CWD x\n", raw=True), "226", False),
    ],
)
def test_codes_are_held_against_the_documents(step: Step, codes: str, expected: bool) -> None:
    assert case(step, codes).outside("fairlead") is expected
