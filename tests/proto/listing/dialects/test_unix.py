"""What :mod:`tests.proto.listing.test_unix` says of common lines holds here for the variants of servers."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.unix import parse_unix, reader

NOW = 1_710_000_000.0


def read(line: str) -> Entry:
    entry, quickly_read = parse_unix(line, now=NOW), reader(NOW)(line)

    assert entry is not None
    assert entry == quickly_read
    return entry


@pytest.mark.req("C-3659-MLS-3")
@pytest.mark.parametrize(
    ("text", "owner", "group", "size"),
    [
        ("-rw-r-xr-t 1 me us 5 Jan  5  2020 x", "me", "us", 5),
        ("-rw-r--r--. 1 1000 1000 5 Jan  5  2020 x", "1000", "1000", 5),
        ("-rw-r--r--+ 1 me us 5 2020-01-05 00:00 x", "me", "us", 5),
        ("  917 8 -rw-r--r-- 1 me us 5 Jan  5  2020 x", "me", "us", 5),
        ("8 -rw-r--r-- 1 me us 5 Jan  5  2020 x", "me", "us", 5),
        ("-rw-r--r-- 1 DOM\\a b domain users 5 Jan  5  2020 x", "DOM\\a b domain", "users", 5),
        ("-rw-r--r-- longowner longgroup12345678 Jan  5  2020 x", "longowner", "longgroup", 12345678),
        ("-rw-r--r-- 1 me us 1.5M Jan  5  2020 x", "me", "us", None),
        ("-rw-r--r-- 1 me us 4,0K Jan  5  2020 x", "me", "us", None),
        ("-A---M----FTP B PARTNER 11 5 Jan  5  2020 x", None, None, 5),
        ("0100644  1000  100  5  1578182400 x", "1000", "100", 5),
    ],
)
def test_columns_may_be_others(text: str, owner: str | None, group: str | None, size: int | None) -> None:
    entry = read(text)

    assert (entry.owner, entry.group, entry.size, entry.name) == (owner, group, size, "x")
    assert entry.modified == datetime(2020, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mode", "kind", "permissions"),
    [
        ("0100640", Kind.FILE, "rw-r-----"),
        ("40755", Kind.DIRECTORY, "rwxr-xr-x"),
        ("0120777", Kind.LINK, "rwxrwxrwx"),
        ("0020600", Kind.OTHER, "rw-------"),
    ],
)
def test_a_mode_may_be_a_number(mode: str, kind: Kind, permissions: str) -> None:
    entry = read(f"{mode} 0 0 5 1578182400 x")

    assert (entry.kind, entry.permissions) == (kind, permissions)


@pytest.mark.parametrize("name", ["x", " x", "  a b ", "é", "\udce9", "12:34 x", "Jan 5 2020 x", "a\tb"])
def test_spaces_belong_to_the_name(name: str) -> None:
    assert read(f"-rw-r--r--   1 me       us              5 Jan  5  2020 {name}").name == name
    assert read(f"-rw-r--r--   1 me       us              5 2020-01-05 12:34 {name}").name == name


@pytest.mark.parametrize(
    ("shown", "size", "name", "target"),
    [
        ("a -> b -> cc", 2, "a -> b", "cc"),
        ("a -> b -> cc", 7, "a", "b -> cc"),
        ("\udce9 -> \udce9 -> x", 1, "\udce9 -> \udce9", "x"),
        ("a -> b", 99, "a", "b"),
        ("a", 1, "a", None),
        (" -> ", 0, "", ""),
    ],
)
def test_links_are_split_at_their_own_arrow(shown: str, size: int, name: str, target: str | None) -> None:
    entry = read(f"lrwxrwxrwx 1 me us {size} Jan  5  2020 {shown}")

    assert (entry.name, entry.target) == (name, target)


def test_what_no_client_decodes_is_no_reason_to_fail() -> None:
    assert read("lrwxrwxrwx 1 me us 1 Jan  5  2020 \ud800 -> b").target == "b"


@pytest.mark.parametrize(
    "text",
    [
        "-rw-r--r-- 1 me us ² Jan  5  2020 x",
        "-rw-r--r-- 1 me us 5 Foo  5  2020 x",
        "-rw-r--r-- 1 me us 5 Jan  5  2020 ",
        "xyz-r--r-- 1 me us 5 Jan  5  2020 x",
        "-rw-r--r-- 1 me us 5 x y z",
        "-rw-r--r-- 1 me us 111111111111111111111 Jan  5  2020 x",
    ],
)
def test_other_lines_are_none(text: str) -> None:
    assert parse_unix(text, now=NOW) is None
    assert reader(NOW)(text) is None


def test_more_modes_and_dates_than_are_remembered_are_read_rightly() -> None:
    read_quickly = reader(NOW)
    for at in range(5000):
        assert read_quickly(f"m{at} 1 me us 5 Jan  5 {1970 + at} x") is None
        entry = read_quickly(f"-rw-r--r-- 1 me us 5 Jan  5 {1970 + at} x")

        assert entry is not None
        assert entry.modified == datetime(1970 + at, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("part", [" 1", "a1", "1 ", " -> ", " 1,", " Jan", "é1"])
def test_a_line_made_to_be_slow_is_not(part: str) -> None:
    begun = time.process_time()
    reader(NOW)("lrwxrwxrwx 1 me us 4 Jan  5  2020 " + part * 100_000)
    reader(NOW)("-rw-r--r-- 1 me us " + part * 100_000)

    assert time.process_time() - begun < 1


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_quick_way_reads_nothing_otherwise(before: str, after: str) -> None:
    for line in (
        f"-rw-r--r-- 1 {before} us 5 Jan  5  2020 {after}",
        f"-rw-r--r-- 1 me us {before} Jan  5  2020 {after}",
        f"-rw-r--r-- 1 me us 5 {before} 2020 {after}",
        f"-rw-r--r-- {before} me us 5 Jan  5  2020 {after}",
    ):
        quick, slow = reader(NOW)(line), parse_unix(line, now=NOW)

        assert (quick is None) == (slow is None)
        assert quick is None or slow is None or (quick.name, quick.size) == (slow.name, slow.size)
