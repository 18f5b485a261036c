from __future__ import annotations

import pytest

from fairlead.proto.entry import SIZE_DIGITS, Entry, Kind, parse_size


def test_what_a_listing_did_not_tell_is_none() -> None:
    entry = Entry("a")

    assert (entry.name, entry.kind) == ("a", Kind.FILE)
    assert set(entry[2:-2]) == {None}
    assert (entry.raw, entry.confidence) == ("", 1.0)


def test_an_entry_is_a_value() -> None:
    entry = Entry("a")

    assert entry == Entry("a")
    assert len({entry, Entry("a"), Entry("b")}) == 2
    assert entry != Entry("b")
    assert entry != tuple(entry)
    with pytest.raises(AttributeError):
        entry.name = "b"  # type: ignore[misc]


def test_how_sure_a_listing_is_makes_no_difference_between_entries() -> None:
    sure, unsure = Entry("a"), Entry("a", confidence=0.5)

    assert sure == unsure
    assert not sure != unsure  # noqa: SIM202 - of a tuple that is another method
    assert len({sure, unsure}) == 1


def test_kinds_are_words() -> None:
    assert [str(kind) for kind in Kind] == ["file", "directory", "link", "other"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("5", 5),
        ("9" * SIZE_DIGITS, int("9" * SIZE_DIGITS)),
        ("9" * (SIZE_DIGITS + 1), None),
        ("9" * 5000, None),
        ("", None),
        ("-1", None),
        ("5 ", None),
        ("٥", None),
    ],
)
def test_size_in_octets(text: str, size: int | None) -> None:
    assert parse_size(text) == size
