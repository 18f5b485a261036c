from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects import mlsx
from fairlead.proto.listing.dialects.mlsx import is_heading, parse_mlsd, parse_mlsx, reader

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
    entry = parse_mlsd(" a b", bare=True)

    assert entry is not None
    assert entry.name == "a b"
    assert reader(0)(" a b") is None


_LABELS = st.sampled_from(
    ["type", "Type", "size", "modify", "create", "perm", "unique", "UNIX.mode", "unix.owner", "UNIX.group", "mode", "x"]
)
_DATES = ("20231114221320", "20231114221360", "20231414221320", "191001114221320")
_WORDS = ("file", "dir", "cdir", "PDIR", "OS.unix=slink:/a", "", "5", "007", "9" * 21, "٥", "-1", "0644", "4755", "9")
_VALUES = st.sampled_from([*_DATES, *_WORDS, "adfr", "é", "\udc80", "a\rb"])
_LINES = st.one_of(
    st.text(max_size=20),
    st.builds(
        lambda facts, end, name: ";".join(f"{label}={value}" for label, value in facts) + end + name,
        st.lists(st.tuples(_LABELS, _VALUES), max_size=6),
        st.sampled_from(["; ", " ", ";", ";  ", "=; "]),
        st.text(max_size=6),
    ),
)


@given(lines=st.lists(_LINES, max_size=12), bare=st.booleans())
def test_lines_read_quickly_are_read_alike(lines: list[str], bare: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlsx, "_PAYS_FROM", 0)
        read = reader(bare=bare)
        quick = [read(line) for line in lines * 2]

    plain = [parse_mlsd(line, bare=bare) for line in lines * 2]
    assert list(map(repr, quick)) == list(map(repr, plain))


def test_a_form_of_lines_is_learned_where_there_are_many_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slowly: list[str] = []

    def parse(line: str, *, bare: bool) -> Entry | None:
        slowly.append(line)
        return parse_mlsd(line, bare=bare)

    monkeypatch.setattr(mlsx, "parse_mlsd", parse)
    lines = [f"type=file;size={number};Modify=20231114221320;UNIX.uid=0; f{number}" for number in range(1000)]
    folders = [f"type=dir;modify=20231114221320;perm=e; d{number}" for number in range(1000)]

    read = reader()
    entries = list(map(read, lines + folders))

    assert len(slowly) < 200
    assert entries[-1] == Entry("d999", Kind.DIRECTORY, modified=ENTRY.modified, permissions="e", raw=folders[-1])
    assert entries[999] == Entry("f999", size=999, modified=ENTRY.modified, raw=lines[-1])


def test_a_listing_in_ever_other_forms_is_read_without_learning_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    formed: list[str] = []
    form = mlsx._form

    def counted(line: str) -> str:
        formed.append(line)
        return form(line)

    monkeypatch.setattr(mlsx, "_form", counted)
    lines = [f"type=file;x{number}=1; f" for number in range(1000)]
    read = reader()

    assert [entry.name for entry in map(read, lines) if entry] == ["f"] * 1000
    assert len(formed) < 10


def test_types_that_never_repeat_are_not_all_remembered() -> None:
    read = reader()
    lines = [f"type=OS.x={number}; f" for number in range(5000)]

    assert {entry.kind for entry in map(read, lines) if entry} == {Kind.OTHER}
