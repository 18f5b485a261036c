"""The table of ``fairlead ls``: the accelerator makes the same octets as Python, or leaves the listing alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead import accelerator
from fairlead.cli import table as tables
from fairlead.cli.table import masked, quick_table, table
from fairlead.client._listing import read_machine_listing
from fairlead.proto.entry import Entry, Kind

PURE = "type=file;size=1024;modify=20261130193512;UNIX.mode=0644;UNIX.uid=1000;UNIX.gid=1000;unique=801g1f; "
_VALUES = {
    "type": ("file", "Dir", "cdir", "PDIR", "OS.unix=slink:/a", "OS.unix=slink:", "OS.unix=SYMLINK", "OS.unix=chr", ""),
    "size": ("0", "5", "007", "00", "9" * 20, "", "9" * 21, "-1"),
    "modify": ("20240229235959", "20261130193512", "", "20230229000000", "20261130193560", "20261130193512.5"),
    "Perm": ("adfr", "a\rb", "\x7f", ""),
    "UNIX.mode": ("0644", "4755", "7777", "17", "", "1000000", "9"),
    "unix.owner": ("me", "x" * 20, "", "é", "x" * 256),
    "UNIX.group": ("us", ""),
    "x": ("1",),
    "": ("",),
}
_NAMES = st.one_of(
    st.sampled_from(
        ["a", "b", "aa", ".", "..", ".a", " a", "a b", "é", "\x85", "\x9fx", "\xa0", "\x1f\x7f", "a\r", "\r"]
    ),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=4),
)
_FACTS = st.lists(
    st.sampled_from([f"{label}={value};" for label, values in _VALUES.items() for value in values]), max_size=5
).map("".join)
_LINES = st.one_of(
    st.builds("{}{} {}{}".format, st.just("type=file;"), _FACTS, _NAMES, st.sampled_from(["\n", "\r\n", "\r\r\n"])),
    st.builds("{} {}\r\n".format, _FACTS, _NAMES),
    st.builds("{}{}\r\n".format, st.sampled_from(["x", "", PURE]), _NAMES),
)


@pytest.fixture(autouse=True)
def asked_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The accelerator is asked of the shortest listing as well."""
    monkeypatch.setattr(tables, "_PAYS_FROM", 0)


def by_python(octets: bytes) -> bytes:
    entries = sorted(read_machine_listing(octets).entries, key=lambda entry: entry.name)
    return masked("".join(f"{line}\n" for line in table(entries))).encode("utf-8", "surrogateescape")


def quickly(octets: bytes) -> bytes | None:
    made = quick_table(octets)
    return None if made is None else bytes(made)


def listing(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


needs_library = pytest.mark.skipif(
    accelerator.find()[0] is not accelerator.State.IN_USE, reason="the accelerator is not built: apt-get install gcc"
)


@needs_library
@settings(deadline=None)  # the first example loads the library
@given(lines=st.lists(_LINES, max_size=4))
@example(lines=[f"{PURE}b\r\n", f"{PURE}a\r\n", f"{PURE}a\r\n"])
def test_a_table_made_quickly_is_the_same_table(lines: list[str]) -> None:
    octets = "".join(lines).encode()

    assert quickly(octets) in {None, by_python(octets)}


@needs_library
@settings(deadline=None)  # the first example loads the library
@given(octets=st.binary(max_size=60).map(lambda octets: PURE.encode() + octets + b"\r\n"))
def test_no_octets_make_another_table(octets: bytes) -> None:
    assert quickly(octets) in {None, by_python(octets)}


@needs_library
@pytest.mark.parametrize(
    "lines",
    [
        [PURE + "a"],
        [PURE + "b", PURE + "a", PURE + "ab", PURE + ".hidden"],
        ["type=cdir;modify=20261130193512; .", "type=pdir; ..", PURE + "é", PURE + "\x85\x07", PURE + "z"],
        ["type=dir;modify=20000229000000;perm=el;UNIX.owner=me;UNIX.group=staff; d", PURE + "a"],
        ["type=OS.unix=slink:../x;modify=20261130193512;UNIX.mode=0777; l", "type=OS.unix=chr;UNIX.mode=1666; c"],
        ["type=file;size=00012;UNIX.mode=6711; s", "type=file;size=5;UNIX.mode=3666; t", "Type=Dir;Size=; d"],
    ],
)
def test_ordinary_listings_are_made_quickly(lines: list[str]) -> None:
    octets = listing(*lines)

    assert quickly(octets) == by_python(octets)


@needs_library
def test_many_entries_in_no_order_are_sorted() -> None:
    octets = listing(*(f"{PURE}{number * 7919 % 5000:05}" for number in range(5000)))

    made = quickly(octets)
    assert made == by_python(octets)
    assert made.splitlines()[1] == b"-rw-r--r-- 1024 2026-11-30 19:35 00001"


@needs_library
@pytest.mark.parametrize(
    "line",
    [
        " without facts",
        "drwxr-xr-x 2 me me 4096 Nov 30 19:35 d",
        "type=file;size=-1; a",
        "type=file;modify=20230229000000; a",
        "type=file;modify=20261130193512.250; a",
        "type=file;unix.owner=é; a",
        "type=file;unix.mode=u+x; a",
        f"type=file;unix.owner={'x' * 300}; a",
        "",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_python(line: str) -> None:
    assert quickly(listing(PURE + "a", line)) is None


@needs_library
def test_names_that_are_not_utf_8_are_left_to_python() -> None:
    assert quickly(PURE.encode() + b"\xe9\r\n") is None


def test_a_short_listing_is_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert quickly(listing(PURE + "a")) is None


def test_without_the_accelerator_all_is_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    tables._functions.cache_clear()
    monkeypatch.setattr(accelerator, "find", lambda: (accelerator.State.OFF, None))

    assert quickly(listing(PURE + "a")) is None
    tables._functions.cache_clear()


def rows(entries: Iterable[Entry]) -> list[str]:
    return table(entries)


def test_a_column_that_no_entry_tells_is_left_out() -> None:
    when = datetime(2026, 11, 30, 19, 35, tzinfo=UTC)

    assert rows([]) == []
    assert rows([Entry("a", size=5), Entry("bb", Kind.LINK, 12, when, target="a")]) == [
        "-  5                  a",
        "l 12 2026-11-30 19:35 bb -> a",
    ]
