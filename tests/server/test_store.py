"""STOR, APPE, STOU and REST before them: what stands under the name afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import Busy, NoSpace
from fairlead.events import TransferFinished
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from fairlead.storage.local.upload import LocalUpload
from fairlead.storage.memory import MemoryStorage
from fairlead.storage.memory.transfer import MemoryUpload
from tests.server.session import DEADLINE, Control, Running, receive, serving

texts = st.lists(st.sampled_from([b"\r", b"\n", b"a"]), max_size=8).map(b"".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Running]:
    """One server for many examples."""
    with (
        closing(LocalStorage(folder, durability="relaxed")) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running,
    ):
        yield running


@pytest.mark.req("S-959-STOR-1")
@pytest.mark.parametrize("old", [None, b"", b"old", b"old content that is longer", bytes(300_000)])
@pytest.mark.parametrize("new", [b"", b"new", bytes(200_000)])
def test_stor_creates_or_replaces_whatever_was_longer(
    control: Control, root: Path, old: bytes | None, new: bytes
) -> None:
    if old is not None:
        (root / "file").write_bytes(old)
    assert control.store("STOR file", new).code == 226
    assert (root / "file").read_bytes() == new


@pytest.mark.req("S-DF-MISC-5")
@pytest.mark.parametrize("command", ["STOR file", "APPE file"])
def test_nothing_sent_makes_an_empty_file(control: Control, root: Path, command: str) -> None:
    assert control.store(command, b"").code == 226
    assert (root / "file").read_bytes() == b""


@pytest.mark.req("S-DF-MISC-6")
def test_a_file_keeps_its_permission_bits_when_it_is_replaced(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"old")
    (root / "file").chmod(0o640)
    assert control.store("STOR file", b"new").code == 226
    assert (root / "file").read_bytes() == b"new"
    assert (root / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.req("S-959-STOR-2", "R-2", "S-ERR-4", "S-959-DC-2")
@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize(
    "path", ["directory", "/", "missing/file", "file/below", "x" * 256, "leads-out", ".fairlead-" + "0" * 16]
)
def test_what_cannot_be_stored_to_is_refused_and_the_data_connection_is_left_alone(
    control: Control, root: Path, verb: str, path: str
) -> None:
    if path.startswith("."):
        path = f".fairlead-{'0' * 16}-{'0' * 16}.part"
    (root / "directory").mkdir()
    (root / "file").write_bytes(b"old")
    (root / "leads-out").symlink_to("../outside")
    with control.open("EPSV") as data:
        refusal = control.ask(f"{verb} {path}")
        assert refusal.code == 553
        assert str(root) not in refusal.text
        assert control.ask("STOR file").code == 150
        data.sendall(b"new")
    assert control.read().code == 226
    assert (root / "file").read_bytes() == b"new"
    assert sorted(path.name for path in root.iterdir()) == ["directory", "file", "leads-out"]
    assert not (root.parent / "outside").exists()


@pytest.mark.req("S-959-APPE-1")
@pytest.mark.parametrize("kind", ["A", "I"])
def test_appe_adds_to_the_end_or_creates(control: Control, root: Path, kind: str) -> None:
    assert control.ask(f"TYPE {kind}").code == 200
    for piece in (b"one\r\n", b"", b"two", b"three" * 40_000):
        assert control.store("APPE file", piece).code == 226
    end = b"\n" if kind == "A" else b"\r\n"
    assert (root / "file").read_bytes() == b"one" + end + b"two" + b"three" * 40_000


@pytest.mark.req("S-3659-REST-5")
@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_stor_from_an_offset_keeps_what_stands_before_it(control: Control, root: Path, verb: str) -> None:
    (root / "file").write_bytes(b"0123456789")
    assert control.ask("REST 4").code == 350
    assert control.store(f"{verb} file", b"new").code == 226
    assert (root / "file").read_bytes() == b"0123new"


@pytest.mark.req("S-3659-REST-5")
def test_stor_from_the_end_of_a_file_appends(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"0123456789")
    assert control.ask("REST 10").code == 350
    assert control.store("STOR file", b"new").code == 226
    assert (root / "file").read_bytes() == b"0123456789new"


@pytest.mark.req("S-3659-REST-5", "S-3659-REST-3")
@settings(max_examples=100, deadline=None)
@given(old=texts, new=texts, kind=st.sampled_from("AI"), offset=st.integers(0, 12))
@example(old=b"a\rb", new=b"\nc", kind="A", offset=2)
@example(old=b"a\nb", new=b"\nc", kind="A", offset=2)
@example(old=b"a\nb", new=b"c", kind="A", offset=2)
def test_stor_from_any_offset_gives_what_sending_all_of_it_would_have(
    shared: Running, folder: Path, old: bytes, new: bytes, kind: str, offset: int
) -> None:
    (folder / "file").write_bytes(old)
    sent = old.replace(b"\n", b"\r\n") if kind == "A" else old
    offset = min(offset, len(sent))
    with shared.login() as session:
        assert session.ask(f"TYPE {kind}").code == 200
        assert session.store("STOR whole", sent[:offset] + new).code == 226
        assert session.ask(f"REST {offset}").code == 350
        assert session.store("STOR file", new).code == 226
    assert (folder / "file").read_bytes() == (folder / "whole").read_bytes()


@pytest.mark.req("S-3659-REST-3")
@pytest.mark.parametrize("offset", [1, 65_536, 1_048_576, 1_048_577, 1_100_001])
def test_storing_offsets_reach_into_long_texts(control: Control, root: Path, offset: int) -> None:
    content = b"".join(b"%d\n" % number for number in range(160_000))
    (root / "file").write_bytes(content)
    assert control.ask("TYPE A").code == 200
    assert control.ask(f"REST {offset}").code == 350
    assert control.store("STOR file", b"\n").code == 226
    sent = content.replace(b"\n", b"\r\n")[:offset] + b"\n"
    assert (root / "file").read_bytes() == sent.replace(b"\r\n", b"\n")


@pytest.mark.req("S-1123-STOU-1")
@pytest.mark.parametrize("argument", ["", " hint"])
def test_stou_tells_the_unique_name_in_its_preliminary_reply(control: Control, root: Path, argument: str) -> None:
    (root / "directory").mkdir()
    (root / "hint").write_bytes(b"old")
    assert control.ask("CWD directory").code == 250
    with control.open("EPSV") as data:
        opening = control.ask(f"STOU{argument}")
        assert opening.code == 150
        assert opening.lines[0].startswith("FILE: ")
        name = opening.lines[0].removeprefix("FILE: ")
        data.sendall(b"content")
    assert control.read().code == 226
    assert control.fetch(f"RETR {name}") == b"content"
    assert [path.name for path in (root / "directory").iterdir()] == [name]
    assert (root / "hint").read_bytes() == b"old"


@pytest.mark.req("S-959-STOU-2")
def test_fifty_stou_at_once_never_collide(running: Running, root: Path) -> None:
    def store(number: int) -> tuple[str, bytes]:
        content = b"%d" % number
        with running.login() as control, control.open("EPSV") as data:
            opening = control.ask("STOU the same")
            assert opening.code == 150
            data.sendall(content)
            data.close()
            assert control.read().code == 226
        return opening.lines[0].removeprefix("FILE: "), content

    with ThreadPoolExecutor(10) as pool:
        stored = dict(pool.map(store, range(50)))
    assert len(stored) == 50
    assert {path.name: path.read_bytes() for path in root.iterdir()} == stored


@pytest.mark.req("S-3659-STOU-3")
def test_an_offset_before_stou_moves_nothing(control: Control, root: Path) -> None:
    assert control.ask("REST 4").code == 350
    assert control.store("STOU", b"content").code == 226
    assert [path.read_bytes() for path in root.iterdir()] == [b"content"]


class FullStorage(MemoryStorage):
    """A store with no room for another file."""

    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> MemoryUpload:
        raise NoSpace(path)


class BusyStorage(MemoryStorage):
    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> MemoryUpload:
        raise Busy(path)


@pytest.mark.req("S-959-STOR-3", "S-ERR-5")
@pytest.mark.parametrize("verb", ["STOR file", "APPE file", "STOU"])
@pytest.mark.parametrize(("storage", "code"), [(FullStorage, 452), (BusyStorage, 450)])
def test_no_room_and_no_time_are_told_before_any_data(storage: type[MemoryStorage], code: int, verb: str) -> None:
    store = storage()
    with (
        serving(store, accounts=MemoryAccounts.sharing(store, {"me": "secret"}, write=True)) as running,
        running.login() as control,
        control.open("EPSV"),
    ):
        assert control.ask(verb).code == code


@pytest.mark.req("S-959-STOR-3", "S-ERR-5")
@pytest.mark.parametrize("verb", ["STOR file", "APPE file", "STOU"])
def test_room_that_ends_meanwhile_ends_the_transfer_and_leaves_the_old_file(verb: str) -> None:
    store = MemoryStorage(capacity=100_000)
    with (
        serving(store, accounts=MemoryAccounts.sharing(store, {"me": "secret"}, write=True)) as running,
        running.login() as control,
    ):
        assert control.store("STOR file", b"old").code == 226
        with control.open("EPSV") as data:
            assert control.ask(verb).code == 150
            data.sendall(bytes(150_000))
            assert control.read().code == 552
        assert control.fetch("NLST") == b"file\r\n"
        assert control.fetch("RETR file") == b"old"
        assert control.store("STOR file", b"there is room again").code == 226
        assert control.fetch("RETR file") == b"there is room again"


@pytest.mark.req("S-959-STOR-1", "S-SEC-9")
def test_a_file_shows_only_once_it_is_whole(running: Running, root: Path) -> None:
    (root / "file").write_bytes(b"old")
    with running.login() as control, running.login() as other, control.open("EPSV") as data:
        assert control.ask("STOR file").code == 150
        data.sendall(bytes(200_000))
        assert other.fetch("RETR file") == b"old"
        assert other.fetch("NLST") == b"file\r\n"
        data.close()
        assert control.read().code == 226
        assert other.fetch("RETR file") == bytes(200_000)


@pytest.mark.req("S-959-STOR-1")
def test_stor_writes_to_the_file_a_link_leads_to(control: Control, root: Path) -> None:
    (root / "directory").mkdir()
    (root / "link").symlink_to("directory/file")
    assert control.store("STOR link", b"content").code == 226
    assert (root / "link").is_symlink()
    assert (root / "directory" / "file").read_bytes() == b"content"


def test_a_file_can_be_fetched_while_it_is_replaced(running: Running, root: Path) -> None:
    old, new = b"o" * 20_000_000, b"n" * 1000
    (root / "file").write_bytes(old)
    with running.login() as reader, running.login() as writer, reader.open("EPSV") as data:
        assert reader.ask("RETR file").code == 150
        start = data.recv(1000)
        assert writer.store("STOR file", new).code == 226
        assert start + receive(data) == old
        assert reader.read().code == 226
    assert (root / "file").read_bytes() == new


class SlowStorage(LocalStorage):
    """A store in which an upload takes its time to begin."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, durability="relaxed")
        self.begun, self.go_on = threading.Event(), threading.Event()

    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> LocalUpload:
        self.begun.set()
        assert self.go_on.wait(DEADLINE)
        return super().create(path, intent=intent, owner=owner, offset=offset)


@pytest.fixture
def slow(root: Path) -> Iterator[tuple[SlowStorage, Running]]:
    (root / "file").write_bytes(b"0123456789")
    with (
        closing(SlowStorage(root)) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running,
    ):
        yield storage, running


@pytest.mark.parametrize("commands", [("APPE file",), ("REST 4", "STOR file")], ids=" ".join)
def test_others_are_served_while_the_start_of_a_file_is_copied(
    slow: tuple[SlowStorage, Running], root: Path, commands: tuple[str, ...]
) -> None:
    storage, running = slow
    with running.login() as control, running.login() as other, control.open("EPSV") as data:
        for command in commands:
            control.send(command)
        assert storage.begun.wait(DEADLINE)
        assert other.fetch("RETR file") == b"0123456789"
        storage.go_on.set()
        assert [control.read().code for _ in commands][-1] == 150
        data.sendall(b"new")
        data.close()
        assert control.read().code == 226
    assert (root / "file").read_bytes() in {b"0123456789new", b"0123new"}


@pytest.mark.req("S-959-QUIT-3")
@pytest.mark.parametrize("commands", [("APPE file",), ("REST 4", "STOR file")], ids=" ".join)
def test_a_client_that_leaves_before_its_upload_begins_leaves_nothing_behind(
    slow: tuple[SlowStorage, Running], root: Path, commands: tuple[str, ...]
) -> None:
    storage, running = slow
    with running.login() as control, control.passive():
        for command in commands:
            control.send(command)
        assert storage.begun.wait(DEADLINE)
        control.close()
        running.settle()
        storage.go_on.set()
        running.await_idle()
    assert (root / "file").read_bytes() == b"0123456789"
    assert not any(isinstance(event, TransferFinished) for event in running.recorded)
