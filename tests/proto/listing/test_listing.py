from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.entry import Kind
from fairlead.proto.listing import DIALECTS, parse

NOW = 1_710_000_000.0
UNIX = """\
total 8
drwxr-xr-x 2 me us 4096 Jan  5 12:34 .
drwxr-xr-x 2 me us 4096 Jan  5 12:34 ..
drwxr-xr-x 2 me us 4096 Jan  5 12:34 docs
-rw-r--r-- 1 me us    5 Jan  5  2020 a.txt"""
DOS = """\
01-05-24  12:34PM       <DIR>          docs
01-05-24  12:34PM                    5 a.txt"""
EPLF = "+/,m825718503\tdocs\n+r,s5,m825718503\ta.txt"
MLSX = """\
type=cdir;modify=20200101000000; /
type=pdir;modify=20200101000000; /
type=dir;modify=20200101000000; docs
type=file;size=5;modify=20200101000000; a.txt"""
LISTINGS = {"unix": UNIX, "dos": DOS, "eplf": EPLF, "mlsx": MLSX}


def names(lines: list[str], hint: str | None = None) -> list[str]:
    return [entry.name for entry in parse(lines, now=NOW, hint=hint)]


@pytest.mark.req("C-3659-MLS-3", "C-3659-MLS-1")
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("hint", [None, *DIALECTS])
def test_each_dialect_is_known_whatever_the_hint(dialect: str, hint: str | None) -> None:
    entries = parse(LISTINGS[dialect].split("\n"), now=NOW, hint=hint)

    assert [(entry.name, entry.kind, entry.size) for entry in entries if entry.kind is Kind.FILE] == [
        ("a.txt", Kind.FILE, 5)
    ]
    assert [(entry.name, entry.kind) for entry in entries if entry.kind is Kind.DIRECTORY] == [("docs", Kind.DIRECTORY)]


@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n"])
def test_lines_may_bring_their_ends(end: str) -> None:
    assert names([line + end for line in UNIX.split("\n")]) == ["docs", "a.txt"]


def test_a_line_that_no_dialect_knows_spoils_nothing() -> None:
    lines = ["hello", *UNIX.split("\n"), "", "\x00\udcff", "ls: x: Permission denied", *DOS.split("\n")]

    assert names(lines) == ["docs", "a.txt", "docs", "a.txt"]


def test_a_bad_date_spoils_only_itself() -> None:
    [entry] = parse(["-rw-r--r-- 1 me us 5 Feb 30  2020 a"], now=NOW)

    assert (entry.name, entry.modified) == ("a", None)


def test_a_line_without_facts_is_read_as_mlsx_only_on_the_hint() -> None:
    assert names([" a", " b c"], hint="mlsx") == ["a", "b c"]
    assert names([" a", " b c"]) == []


def test_an_unknown_hint_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        parse([], now=NOW, hint="vms2")


def test_nothing_is_listed_of_nothing() -> None:
    assert parse([], now=NOW) == []


@given(st.lists(st.text(max_size=30) | st.sampled_from("\n".join(LISTINGS.values()).split("\n")), max_size=6))
def test_no_line_ever_fails(lines: list[str]) -> None:
    for hint in (None, *DIALECTS):
        for entry in parse(lines, now=NOW, hint=hint):
            assert entry.name not in {"", ".", ".."}
            assert entry.raw in {line.removesuffix("\n").removesuffix("\r") for line in lines}


@given(st.data())
def test_no_change_of_one_character_ever_fails(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from("\n".join(LISTINGS.values()).split("\n")))
    at = data.draw(st.integers(0, len(line)))
    changed = line[:at] + data.draw(st.text(max_size=2)) + line[at + data.draw(st.integers(0, 2)) :]

    assert len(parse([changed], now=NOW)) <= 1
