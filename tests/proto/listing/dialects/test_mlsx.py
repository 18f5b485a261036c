from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from fairlead.errors import ArgumentError
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.mlsx import bare, is_heading, parse_mlsd, parse_mlsx, reader

ENTRY = Entry(
    "a;b =c",
    Kind.FILE,
    5,
    datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
    datetime(2020, 1, 1, tzinfo=UTC),
    "adfrw",
    "me",
    "us",
    None,
    "Ab1",
)


class TestParsing:
    @pytest.mark.req("C-3659-MLS-1")
    @pytest.mark.parametrize(
        "facts",
        [
            "type=file;size=5;modify=20231114221320;create=20200101000000;perm=adfrw;unique=Ab1;unix.owner=me;unix.group=us;",
            "UNIX.group=us;UNIX.owner=me;Unique=Ab1;Perm=adfrw;Create=20200101000000;Modify=20231114221320;Size=5;Type=File;",
            "X.y=z;type=file;size=5;media-type=text/plain;modify=20231114221320;create=20200101000000;perm=adfrw;"
            "unique=Ab1;unix.owner=me;unix.group=us;" + "long=" + "x" * 5000 + ";",
            "type=file;size=5;modify=20231114221320;create=20200101000000;perm=adfrw;unique=Ab1;unix.owner=me;unix.group=us",
        ],
    )
    def test_facts_come_in_any_order_case_and_number(self, facts: str) -> None:
        line = f"{facts} a;b =c"
        entry = parse_mlsd(line)

        assert entry == ENTRY._replace(raw=line)
        assert parse_mlsx(line) == entry

    @pytest.mark.req("C-3659-MLS-2")
    @pytest.mark.parametrize(
        ("line", "name"),
        [
            (" type=file; /a b", "/a b"),
            ("type=file; /a b", "/a b"),
            (" type=file;  a", " a"),
            ("  /a", "/a"),
            (" /a b", "/a b"),
            ("/a", "/a"),
        ],
    )
    def test_the_line_of_mlst_begins_with_a_space_or_not_and_may_have_no_facts(self, line: str, name: str) -> None:
        assert parse_mlsx(line).name == name

    @pytest.mark.parametrize("line", ["", " ", "type=file;", "type=file; ", " type=file;"])
    def test_a_line_of_mlst_without_a_name_is_malformed(self, line: str) -> None:
        with pytest.raises(ArgumentError):
            parse_mlsx(line)

    @pytest.mark.req("C-3659-MLS-1")
    @pytest.mark.parametrize(
        ("kind", "expected", "target"),
        [
            ("file", Kind.FILE, None),
            ("dir", Kind.DIRECTORY, None),
            ("DIR", Kind.DIRECTORY, None),
            ("OS.unix=slink:/X y;", Kind.LINK, "/X"),
            ("OS.UNIX=slink:/X", Kind.LINK, "/X"),
            ("OS.unix=slink:", Kind.LINK, None),
            ("OS.unix=symlink", Kind.LINK, None),
            ("OS.unix=chr-4/64", Kind.OTHER, None),
            ("OS.MacOS=alias", Kind.OTHER, None),
            ("x", Kind.OTHER, None),
            ("", Kind.FILE, None),
        ],
    )
    def test_types(self, kind: str, expected: Kind, target: str | None) -> None:
        entry = parse_mlsd(f"type={kind}; a")

        assert entry is not None
        assert (entry.kind, entry.target) == (expected, target)

    @pytest.mark.req("C-3659-MLS-1")
    @pytest.mark.parametrize("kind", ["cdir", "pdir", "CDir"])
    def test_the_headings_of_a_listing_are_no_entries_of_it(self, kind: str) -> None:
        assert parse_mlsd(f"type={kind}; /a") is None
        assert parse_mlsx(f" type={kind}; /a").kind is Kind.DIRECTORY

    @pytest.mark.req("C-3659-TIME-1")
    @pytest.mark.parametrize(
        ("fact", "moment"),
        [
            ("20231114221320.123", datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)),
            ("191231114221320", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
            ("2023", None),
            ("", None),
            ("20230230000000", None),
        ],
    )
    def test_a_time_that_cannot_be_read_counts_as_not_told(self, fact: str, moment: datetime | None) -> None:
        entry = parse_mlsd(f"modify={fact}; a")

        assert entry is not None
        assert entry.modified == moment

    @pytest.mark.parametrize("size", ["", "x", "-1", "٣", "1.5", "9" * 5000])
    def test_a_size_that_cannot_be_read_counts_as_not_told(self, size: str) -> None:
        entry = parse_mlsd(f"size={size}; a")

        assert entry is not None
        assert entry.size is None

    @pytest.mark.parametrize(
        "line", ["", "a", "a b", "total 8", "type=file;", "type=file; ", " a", "-rw-r--r-- 1 a=b c"]
    )
    def test_other_lines_are_none(self, line: str) -> None:
        assert parse_mlsd(line) is None

    def test_a_line_without_facts_is_read_where_it_is_expected(self) -> None:
        entry = parse_mlsd(" a=b c", bare=True)

        assert entry is not None
        assert entry.name == "a=b c"
        assert parse_mlsd(" ", bare=True) is None
        assert parse_mlsd("a b", bare=True) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [("UNIX.mode=0750;", "rwxr-x---"), ("perm=adfrw;", "adfrw"), ("perm=r;UNIX.mode=9;", None), ("size=1;", None)],
)
def test_permissions_are_the_mode_where_it_is_told(facts: str, expected: str | None) -> None:
    entry = parse_mlsd(f"{facts} name")

    assert entry is not None
    assert entry.permissions == expected


@pytest.mark.parametrize("line", ["type=cdir; /", "Size=5;TYPE=PDIR;modify=20200101000000; ..", "type=cdir /"])
def test_headings_are_no_entries(line: str) -> None:
    assert is_heading(line)
    assert reader(0)(line) is None


@pytest.mark.parametrize("line", ["type=dir; type=cdir;", " type=cdir; /", "xtype=cdir; /", "", "a;" * 100_000])
def test_other_lines_are_no_headings(line: str) -> None:
    begun = time.process_time()

    assert not is_heading(line)
    assert time.process_time() - begun < 1


def test_a_line_without_facts_is_read_where_it_is_asked_for() -> None:
    entry = bare(" a b")

    assert entry is not None
    assert entry.name == "a b"
    assert reader(0)(" a b") is None
