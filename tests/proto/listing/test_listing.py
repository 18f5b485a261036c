from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fairlead.proto.listing
from fairlead.proto.entry import Kind
from fairlead.proto.listing import DIALECTS, parse, read_listing
from tests.proto.listing.samples import LISTINGS, NOW

DOS, UNIX = LISTINGS["dos"], LISTINGS["unix"]
LINES = sorted({line for listing in LISTINGS.values() for line in listing.split("\n")})


def names(lines: list[str], hint: str | None = None) -> list[str]:
    return [entry.name for entry in parse(lines, now=NOW, hint=hint)]


def test_there_is_a_sample_of_each_dialect() -> None:
    assert set(LISTINGS) == set(DIALECTS)


@pytest.mark.req("C-3659-MLS-3", "C-3659-MLS-1")
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("hint", [None, *DIALECTS])
def test_each_dialect_is_known_whatever_the_hint(dialect: str, hint: str | None) -> None:
    if hint == "mlsx" and LISTINGS[dialect].startswith(" "):
        pytest.skip("under this hint a line that begins with a space is a name without facts")
    entries = parse(LISTINGS[dialect].split("\n"), now=NOW, hint=hint)

    assert [(entry.name.partition(".")[0].partition(";")[0].upper(), entry.kind) for entry in entries] == [
        (
            "JOB00017" if dialect == "jes" else "DOCS",
            Kind.FILE if dialect in {"jes", "guardian", "pds"} else Kind.DIRECTORY,
        ),
        ("JOB00018" if dialect == "jes" else "A", Kind.FILE),
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_listing_is_read_with_more_confidence_than_a_line_astray_in_another(dialect: str) -> None:
    lines = LISTINGS[dialect].split("\n")
    other = LISTINGS["dos" if dialect in {"unix", "netpresenz"} else "unix"].split("\n")
    own = parse(lines, now=NOW)
    astray = parse([*lines, *other * 9], now=NOW)[: len(own)]

    assert own == astray
    for entry, stray in zip(own, astray, strict=True):
        assert 0.8 <= entry.confidence <= 1
        assert stray.confidence == entry.confidence / 2


def test_the_lines_of_a_listing_decide_its_dialect_together() -> None:
    of_netpresenz = "-rw-r--r--  1000  24  1024 Jan  5  2020 x"
    of_unix = "-rw-r--r--  1000  100  1024 Jan  5  2020 y"

    assert [entry.owner for entry in parse([of_netpresenz], now=NOW)] == [None]
    assert [entry.owner for entry in parse([of_netpresenz, of_unix], now=NOW)] == ["24", "100"]


def test_lines_that_nobody_knows_at_the_beginning_decide_nothing() -> None:
    assert [entry.confidence for entry in parse(["welcome"] * 1000 + UNIX.split("\n"), now=NOW)] == [1, 1]


def test_there_is_nothing_else_in_the_package() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'parce'"):
        fairlead.proto.listing.parce  # noqa: B018


@pytest.mark.long
def test_a_listing_of_a_hundred_thousand_lines_is_read_in_a_moment() -> None:
    line = UNIX.split("\n")[-1]
    lines = [f"{line}{number}" for number in range(100_000)]
    begun = time.process_time()

    assert len(parse(lines, now=NOW)) == len(lines)
    assert time.process_time() - begun < 3  # several times what it takes


@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n"])
def test_lines_may_bring_their_ends(end: str) -> None:
    assert names([line + end for line in UNIX.split("\n")]) == ["docs", "a.txt"]


def test_a_line_that_no_dialect_knows_spoils_nothing() -> None:
    lines = ["hello", *UNIX.split("\n"), "", "\x00\udcff", "ls: x: Permission denied", *DOS.split("\n")]

    assert names(lines) == ["docs", "a.txt", "docs", "a.txt"]


def test_lines_that_no_dialect_knows_are_told() -> None:
    lines = ["hello", *UNIX.split("\n"), "", "ls: x: Permission denied", *DOS.split("\n"), "a <<file>> 2 KB"]

    assert read_listing(lines, now=NOW).unread == ["hello", "ls: x: Permission denied", "a <<file>> 2 KB"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_headings_are_no_lines_that_nobody_knows(dialect: str) -> None:
    assert read_listing(LISTINGS[dialect].split("\n"), now=NOW).unread == []


def test_first_half_of_an_entry_on_two_lines_is_known() -> None:
    lines = [f"{'A' * 60}.TXT;1", "    1/3   5-JAN-2020 12:34:56  [SMITH]  (RWED,RWED,RE,)", f"{'B' * 60}.TXT;1"]

    assert read_listing(lines, now=NOW).unread == lines[2:]


def test_a_bad_date_spoils_only_itself() -> None:
    [entry] = parse(["-rw-r--r-- 1 me us 5 Feb 30  2020 a"], now=NOW)

    assert (entry.name, entry.modified) == ("a", None)


def test_a_line_without_facts_is_read_as_mlsx_only_on_the_hint() -> None:
    assert names([" a", " b c"], hint="mlsx") == ["a", "b c"]
    assert names([" a", " b c"]) == []


def test_an_unknown_hint_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="'vms2' is no dialect"):
        parse([], now=NOW, hint="vms2")


def test_nothing_is_listed_of_nothing() -> None:
    assert parse([], now=NOW) == []


@given(st.lists(st.text(max_size=30) | st.sampled_from(LINES), max_size=6))
def test_no_line_ever_fails(lines: list[str]) -> None:
    for hint in (None, *DIALECTS):
        for entry in parse(lines, now=NOW, hint=hint):
            assert entry.name not in {"", ".", ".."}
            assert entry.raw in "\n".join(line.removesuffix("\n").removesuffix("\r") for line in lines)


@given(st.data())
def test_no_change_of_one_character_ever_fails(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(LINES))
    at = data.draw(st.integers(0, len(line)))
    changed = line[:at] + data.draw(st.text(max_size=2)) + line[at + data.draw(st.integers(0, 2)) :]

    assert len(parse([changed], now=NOW)) <= 1


@given(
    dialect=st.sampled_from(DIALECTS),
    junk=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(["", "hello world", "ls: x: Permission denied", "\udcff"]))
    ),
)
def test_no_bad_line_costs_a_good_one(dialect: str, junk: list[tuple[int, str]]) -> None:
    lines = LISTINGS[dialect].split("\n")
    good = parse(lines, now=NOW)
    if dialect != "vms":  # whose entries may be on two lines that belong together
        for at, line in junk:
            lines.insert(at, line)

    assert parse(lines, now=NOW) == good


@pytest.mark.parametrize(
    "part", [" ", " 1", "1", "1 ", "a ", "A1 ", "x;1", "[", "(", "*", " -> ", "<DIR>", "1-", "01/", ",", "\t"]
)
@pytest.mark.parametrize(
    "start",
    ["", "-rw-r--r-- 1 me us 5 ", "d [RWC] me ", "A.B;1 ", "VOL001 3390 ", "lrwxrwxrwx 1 me us 0 Jan  5  2020 "],
)
def test_no_line_made_to_be_slow_is(start: str, part: str) -> None:
    begun = time.process_time()
    parse([start + part * 10_000] * 3, now=NOW)

    assert time.process_time() - begun < 1
