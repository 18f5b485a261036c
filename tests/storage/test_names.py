"""Names are octets; the paths that carry them are text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import InvalidName, NotFound
from fairlead.storage import names
from fairlead.storage.memory import MemoryStorage
from tests.storage.acts import get, listed, put

octet_names = st.binary(min_size=1, max_size=255).filter(
    lambda name: not {0, ord("/")} & set(name) and name not in {b".", b".."} and not names.is_partial(name)
)


def text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


@given(octet_names, octet_names)
def test_any_octets_make_a_path_and_come_back(parent: bytes, name: bytes) -> None:
    relative = names.relative(f"/{text(parent)}/{text(name)}")
    assert relative == parent + b"/" + name
    assert names.split(relative) == (parent, name)


@given(octet_names)
def test_any_octets_name_a_file(name: bytes) -> None:
    store = MemoryStorage()
    put(store, f"/{text(name)}", b"1")
    assert listed(store) == [text(name)]
    assert get(store, f"/{text(name)}") == b"1"


@given(octet_names, st.text())
def test_the_name_of_a_partial_is_short_hidden_and_stable(name: bytes, owner: str) -> None:
    partial = names.partial(name, owner)
    assert partial == names.partial(name, owner)
    for hidden in (partial, names.spare(partial)):
        assert names.is_partial(hidden)
        assert len(hidden) < 100
        with pytest.raises(NotFound):
            names.relative(f"/a/{text(hidden)}")
        with pytest.raises(InvalidName):
            names.relative(f"/{text(hidden)}/a", InvalidName)


def test_names_and_owners_each_make_a_different_partial() -> None:
    pairs = [(b"a", "x"), (b"a", "y"), (b"b", "x"), (b"x", "a"), (b"ax", "")]
    assert len({names.partial(*pair) for pair in pairs}) == len(pairs)


def test_spare_names_differ() -> None:
    partial = names.partial(b"a", "x")
    assert len({names.spare(partial) for _ in range(100)}) == 100


def test_a_lone_surrogate_that_stands_for_no_octet_is_refused() -> None:
    with pytest.raises(InvalidName):
        names.relative("/\ud800")
