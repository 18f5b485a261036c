"""COMB."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.errors import Busy
from fairlead.events import Changed
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from fairlead.storage.memory.transfer import MemorySource
from tests.server.session import Control, Running, serving
from tests.server.test_space import session_of
from tests.storage.acts import get, listed, put

PARTS = {"p1": b"one ", "p2": b"two ", "p 3": b"three"}


@pytest.fixture
def parts(root: Path) -> Path:
    for name, data in PARTS.items():
        (root / name).write_bytes(data)
    return root


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


@pytest.mark.req("S-STRM-6")
def test_parts_make_a_new_file(running: Running, control: Control, parts: Path) -> None:
    assert " COMB target;source_list" in control.ask("FEAT").lines
    assert control.ask('COMB "whole" "p1" "p2" "p 3"').code == 250
    assert (parts / "whole").read_bytes() == b"one two three"
    assert names(parts) == ["whole"]
    event = running.await_event(Changed)
    assert (event.verb, event.path, event.detail) == ("COMB", "/whole", "3 parts")


@pytest.mark.req("S-STRM-6")
def test_parts_are_appended_in_the_order_given(control: Control, parts: Path) -> None:
    (parts / "my file").write_bytes(b"zero ")
    (parts / "d").mkdir()
    assert control.codes("CWD d", 'COMB "../my file" /p2 ../p1') == [250, 250]
    assert (parts / "my file").read_bytes() == b"zero two one "
    assert names(parts) == ["d", "my file", "p 3"]


def test_large_parts(control: Control, root: Path) -> None:
    data = bytes(range(256)) * 10_000
    (root / "a").write_bytes(data)
    (root / "b").write_bytes(data)
    assert control.ask("COMB c a b").code == 250
    assert (root / "c").read_bytes() == data + data


@pytest.mark.req("S-STRM-6", "S-ERR-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ('"whole"', 501),
        ("whole p1 p1", 501),
        ("p1 p1", 501),
        ("p1 p2 ./p1", 501),
        ('"whole "p1', 501),
        ("whole p1 none", 550),
        ("whole p1 d", 550),
        ("d p1 p2", 550),
        ("none/whole p1 p2", 550),
        ('whole p1 ""', 550),
        ("whole p1 out", 550),
    ],
)
def test_where_something_is_wrong_nothing_changes(control: Control, parts: Path, argument: str, code: int) -> None:
    (parts / "d").mkdir()
    (parts / "out").symlink_to("/etc/passwd")
    before = names(parts)
    assert control.ask(f"COMB {argument}").code == code
    assert names(parts) == before
    assert all((parts / name).read_bytes() == data for name, data in PARTS.items())


@pytest.mark.req("S-STRM-6")
@pytest.mark.parametrize(
    ("there", "rights", "code"),
    [
        (False, Right.CREATE, 250),
        (False, Right.OVERWRITE, 550),
        (True, Right.CREATE, 550),
        (True, Right.OVERWRITE, 250),
    ],
)
def test_the_target_needs_the_rights_to_store(there: bool, rights: Right, code: int) -> None:
    storage = MemoryStorage()
    storage.mkdir("/in")
    put(storage, "/p1", b"1")
    if there:
        put(storage, "/in/whole", b"0")
    with session_of(storage, Rule("/", Right.READ | Right.DELETE), Rule("/in", rights)) as (_, control):
        assert control.ask("COMB in/whole p1").code == code
    assert listed(storage) == (["in"] if code == 250 else ["in", "p1"])


@pytest.mark.req("S-STRM-6")
@pytest.mark.parametrize("missing", [Right.READ, Right.DELETE])
def test_the_parts_need_the_rights_to_read_and_delete(missing: Right) -> None:
    storage = MemoryStorage()
    put(storage, "/p1", b"1")
    put(storage, "/p2", b"2")
    with session_of(storage, Rule("/", Right.WRITER), Rule("/p2", Right.WRITER & ~missing)) as (_, control):
        assert control.ask("COMB whole p1 p2").code == 550
    assert listed(storage) == ["p1", "p2"]


@pytest.mark.req("S-959-ACCT-2")
def test_an_account_that_is_still_to_be_given(parts: Path) -> None:
    with closing(LocalStorage(parts)) as storage:
        account = Account("me", storage, (Rule("/", Right.WRITER),), account_at="store")
        user = User(account, KeyedDigest("secret"), KeyedDigest("billing"))
        with serving(storage, accounts=MemoryAccounts([user])) as running, running.login() as control:
            assert control.codes("COMB whole p1", "ACCT billing", "COMB whole p1") == [550, 230, 250]


class Occupied(MemoryStorage):
    """Its file ``p2`` is busy when it is opened."""

    def open(self, path: str, *, owner: str | None = None) -> MemorySource:
        if path == "/p2":
            raise Busy(path)
        return super().open(path, owner=owner)


@pytest.mark.req("S-STRM-6")
def test_a_busy_part_leaves_everything_as_it_was() -> None:
    storage = Occupied()
    for name in ("whole", "p1", "p2"):
        put(storage, f"/{name}", name.encode())
    with session_of(storage) as (_, control):
        assert control.ask("COMB whole p1 p2").code == 450
    assert get(storage, "/whole") == b"whole"
    assert listed(storage) == ["p1", "p2", "whole"]


class Endless(MemorySource):
    def read(self, size: int, offset: int) -> bytes:
        return b"x"


class WithoutEnd(MemoryStorage):
    def open(self, path: str, *, owner: str | None = None) -> MemorySource:
        return Endless(self._tree, self._tree.file(path))


@pytest.mark.req("S-STRM-6")
def test_abor_stops_it_and_leaves_everything_as_it_was() -> None:
    storage = WithoutEnd()
    put(storage, "/whole", b"0")
    put(storage, "/p1", b"1")
    with session_of(storage) as (_, control):
        control.send("COMB whole p1")
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
    assert storage.stat("/whole").st_size == 1
    assert listed(storage) == ["p1", "whole"]
