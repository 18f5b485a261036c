"""Reading files, in every kind of store."""

from __future__ import annotations

import pytest

from fairlead.errors import NotFound
from fairlead.storage.base import Storage
from tests.storage.acts import OWNER, cut, put


def test_read_by_offset(store: Storage) -> None:
    put(store, "/a", b"0123456789")
    source = store.open("/a")
    assert source.status.st_size == 10
    assert source.read(4, 0) == b"0123"
    assert source.read(100, 4) == b"456789"
    assert source.read(4, 10) == b""
    assert source.read(4, 100) == b""
    source.close()
    source.close()


def test_what_was_just_written_is_read_without_waiting(store: Storage) -> None:
    data = bytes(range(256)) * 1_000
    put(store, "/a", data)
    source = store.open("/a")
    assert source.read_cached(1 << 20, 0) == data
    assert source.read_cached(10, 1_000) == data[1_000:1_010]
    assert source.read_cached(10, len(data)) == b""
    assert source.read_cached(10, len(data) + 1) == b""
    source.close()


def test_what_a_file_grew_by_is_read_too(store: Storage) -> None:
    put(store, "/a", b"")
    source = store.open("/a")
    assert source.read_cached(10, 0) == b""
    source.close()


def test_an_open_file_keeps_its_content_when_it_is_replaced(store: Storage) -> None:
    put(store, "/a", b"old")
    source = store.open("/a")
    put(store, "/a", b"newer")
    assert source.read(10, 0) == b"old"
    source.close()


@pytest.mark.req("S-SEC-9")
def test_a_partial_upload_cannot_be_read(store: Storage) -> None:
    cut(store, "/a", b"1")
    with pytest.raises(NotFound):
        store.open("/a")


def test_the_owner_may_read_what_came_of_an_upload(store: Storage) -> None:
    put(store, "/a", b"old")
    cut(store, "/a", b"12345")
    for owner, data in ((OWNER, b"12345"), ("bob", b"old"), (None, b"old")):
        source = store.open("/a", owner=owner)
        assert source.read(10, 0) == data
        source.close()
    with pytest.raises(NotFound):
        store.open("/b", owner=OWNER)
