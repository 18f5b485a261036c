from __future__ import annotations

import pytest

from fairlead.client.mirror.parts import Parts, is_outdated, is_part, part_of
from fairlead.client.mirror.tree import Item, Span
from fairlead.proto.entry import Kind

FILE = Item("d/f.txt", Kind.FILE, 5, Span(7, 7))


@pytest.mark.parametrize("name", ["f", "f.txt", "grüße", "caf\udce9", "x" * 255, "ü" * 127, "a\nb", ".hidden"])
def test_part_is_recognised_and_no_longer_than_a_name_may_be(name: str) -> None:
    part = part_of(Item(f"d/{name}", Kind.FILE, 5, Span(7, 7)))
    directory, _, short = part.partition("/")
    assert directory == "d"
    assert is_part(short)
    assert len(short.encode("utf-8", "surrogateescape")) <= 255


def test_part_is_that_of_one_version() -> None:
    parts = {part_of(Item("d/f.txt", Kind.FILE, size, Span(at, at))) for size in (5, 6) for at in (7, 8)}
    assert len(parts) == 4
    assert part_of(FILE) == part_of(Item("d/f.txt", Kind.FILE, 5, Span(7, 7)))


def test_long_names_that_begin_alike_have_parts_of_their_own() -> None:
    one, other = (part_of(Item("x" * 250 + end, Kind.FILE, 5, None)) for end in "ab")
    assert one != other


@pytest.mark.parametrize("name", ["f.part", "f.0123456789ab.part.gz", ".0123456789ab.part", "f.0123456789AB.part", "f"])
def test_other_names_are_no_parts(name: str) -> None:
    assert not is_part(name)


def test_part_of_another_version_is_outdated() -> None:
    newer = Item("d/f.txt", Kind.FILE, 6, Span(8, 8))
    assert is_outdated(part_of(FILE), newer)
    assert not is_outdated(part_of(FILE), FILE)
    assert not is_outdated(part_of(FILE), Item("f.txt", Kind.FILE, 6, Span(8, 8)))
    assert not is_outdated(part_of(FILE), Item("d/f", Kind.FILE, 6, Span(8, 8)))
    assert not is_outdated("d/f.txt", newer)


def test_parts_that_were_found_may_be_outdated_and_those_that_were_begun_are_not() -> None:
    newer = Item("d/f.txt", Kind.FILE, 6, Span(8, 8))
    parts = Parts([part_of(FILE)])
    parts.begin(part_of(newer))
    assert parts.outdated(newer) == [part_of(FILE)]
    assert (part_of(FILE) in parts, part_of(newer) in parts) == (True, True)
    for part in (part_of(FILE), part_of(newer)):
        parts.end(part)
        assert part not in parts
    assert parts.outdated(newer) == []
