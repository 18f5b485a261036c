"""HASH and OPTS HASH; and that hashing is stopped, remembered, and in nobody's way."""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import Busy
from fairlead.events import SessionClosed
from fairlead.server import hashing
from fairlead.server.hashing import ALGORITHMS, HashMemory
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, reset, serving
from tests.storage.acts import cut, put

DATA = b"line\r\nother\n\xff\x00" * 100
HUGE = 1 << 42


def feature(control: Control) -> str | None:
    return next((line for line in control.ask("FEAT").lines if line.startswith(" HASH")), None)


@pytest.fixture
def huge(root: Path) -> None:
    """A sparse file that nobody waits for the hash of."""
    with (root / "huge").open("wb") as file:
        file.truncate(HUGE)


@pytest.mark.req("S-HASH-2")
def test_the_feature_shows_what_is_chosen(running: Running) -> None:
    with running.connect() as control:
        assert feature(control) == " HASH SHA-256*;SHA-512;SHA-1;MD5;"
        assert control.ask("OPTS HASH sha-1").code == 200
        assert feature(control) == " HASH SHA-256;SHA-512;SHA-1*;MD5;"


@pytest.mark.req("S-HASH-3")
def test_an_option_chooses_the_algorithm(control: Control) -> None:
    for line, answer in [
        ("OPTS HASH", "SHA-256"),
        ("OPTS HASH SHA-512", "SHA-512"),
        ("opts hash md5", "MD5"),
        ("OPTS HASH", "MD5"),
    ]:
        reply = control.ask(line)
        assert (reply.code, reply.text) == (200, answer)
    assert control.codes("OPTS HASH CRC-37", "OPTS HASH CRC32", "OPTS HASH SHA-1 MD5") == [501] * 3
    assert control.ask("OPTS HASH").text == "MD5"
    assert control.ask("REIN").code == 220
    assert control.ask("OPTS HASH").text == "SHA-256"


@pytest.mark.req("S-HASH-1")
@pytest.mark.parametrize("name", ["SHA-256", "SHA-512", "SHA-1", "MD5"])
@pytest.mark.parametrize("kind", ["I", "A"])
def test_the_hash_is_of_the_octets_as_they_are(control: Control, root: Path, name: str, kind: str) -> None:
    (root / "a file").write_bytes(DATA)
    assert control.codes(f"TYPE {kind}", f"OPTS HASH {name}") == [200, 200]
    reply = control.ask("HASH a file")
    digest = hashlib.new(name.replace("SHA-1", "sha1").replace("-", ""), DATA).hexdigest()
    assert (reply.code, reply.lines) == (213, (f"{name} 0-{len(DATA) - 1} {digest} a file",))


@pytest.mark.req("S-HASH-1")
def test_an_empty_file(control: Control, root: Path) -> None:
    (root / "empty").touch()
    assert control.ask("HASH /empty").text == f"SHA-256 0-0 {hashlib.sha256().hexdigest()} /empty"
    assert control.ask("RANG 0 5").code == 350
    assert control.ask("HASH empty").text == f"SHA-256 0-0 {hashlib.sha256().hexdigest()} empty"


@pytest.mark.req("S-HASH-1")
def test_several_pieces(control: Control, root: Path) -> None:
    data = os.urandom(3 * hashing.PIECE + 17)
    (root / "file").write_bytes(data)
    assert control.ask("HASH file").text.split(" ")[1:3] == [f"0-{len(data) - 1}", hashlib.sha256(data).hexdigest()]


@pytest.mark.req("S-HASH-5", "S-RANG-1")
@pytest.mark.parametrize(
    ("argument", "shown", "octets"),
    [
        ("0 0", "0-0", DATA[:1]),
        ("5 9", "5-9", DATA[5:10]),
        ("5 99999", f"5-{len(DATA) - 1}", DATA[5:]),
        (f"{len(DATA) - 1} 99999", f"{len(DATA) - 1}-{len(DATA) - 1}", DATA[-1:]),
    ],
)
def test_a_range_of_a_file(control: Control, root: Path, argument: str, shown: str, octets: bytes) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask(f"RANG {argument}").code == 350
    assert control.ask("HASH file").text == f"SHA-256 {shown} {hashlib.sha256(octets).hexdigest()} file"
    assert control.ask("HASH file").text.startswith(f"SHA-256 0-{len(DATA) - 1} ")


@pytest.mark.req("S-HASH-4", "S-HASH-5")
def test_a_range_beyond_the_end_has_no_hash(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    assert control.codes(f"RANG {len(DATA)} 99999", "HASH file") == [350, 551]


@pytest.mark.req("S-HASH-4")
def test_what_cannot_be_hashed(control: Control, root: Path) -> None:
    (root / "d").mkdir()
    (root / "other").write_bytes(b"1")
    os.mkfifo(root / "fifo")
    assert control.codes("HASH none", "HASH d", "HASH", "HASH none/x", "HASH other/x", "HASH fifo") == [
        550, 553, 501, 550, 550, 552,
    ]  # fmt: skip


@contextmanager
def session_of(storage: MemoryStorage, **settings: object) -> Iterator[Control]:
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, **settings) as running, running.login() as control:
        yield control


class Occupied(MemoryStorage):
    def open(self, path: str, *, owner: str | None = None) -> None:  # type: ignore[override]
        raise Busy(path)


class Slow(MemoryStorage):
    inline = False


@pytest.mark.req("S-HASH-4")
def test_a_busy_file_may_be_asked_for_again() -> None:
    with session_of(Occupied()) as control:
        assert control.ask("HASH file").code == 450


@pytest.mark.req("S-HASH-4")
def test_a_file_that_is_too_large_by_policy() -> None:
    storage = MemoryStorage()
    put(storage, "/file", b"12345")
    with session_of(storage, hash_size_limit=4) as control:
        assert control.codes("HASH file", "XCRC file", "MD5 file") == [556, 556, 550]
        assert control.codes("TYPE I", "RANG 1 4", "HASH file") == [200, 350, 213]


def test_a_store_that_is_not_quick() -> None:
    storage = Slow()
    put(storage, "/file", b"12345")
    with session_of(storage) as control:
        assert hashlib.sha256(b"12345").hexdigest() in control.ask("HASH file").text
        assert control.ask("HASH none").code == 550


def test_a_partial_upload_of_the_account_itself() -> None:
    storage = MemoryStorage()
    cut(storage, "/file", b"123", owner="me")
    cut(storage, "/other", b"123", owner="you")
    with session_of(storage) as control:
        assert hashlib.sha256(b"123").hexdigest() in control.ask("HASH file").text
        assert control.ask("HASH other").code == 550


def test_nobody_hashes_before_login(running: Running) -> None:
    with running.connect() as control:
        assert control.ask("HASH file").code == 530


def test_a_file_that_becomes_shorter_meanwhile(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "PIECE", 10)
    (root / "file").write_bytes(b"x" * 20)
    with closing(LocalStorage(root)) as storage, closing(storage.open("/file")) as source:
        pieces = hashing._digest(source, "/file", "MD5", 0, 20)
        assert next(pieces) == 10
        os.truncate(root / "file", 10)
        with pytest.raises(Busy):
            next(pieces)


def test_crc32_is_that_of_zip() -> None:
    digest = ALGORITHMS["CRC32"]()
    assert digest.hexdigest() == "00000000"
    digest.update(b"1234")
    digest.update(b"56789")
    assert digest.hexdigest() == f"{zlib.crc32(b'123456789'):08x}" == "cbf43926"


# Stopping


@pytest.mark.req("S-HASH-4")
@pytest.mark.usefixtures("huge")
@pytest.mark.parametrize("command", ["HASH huge", "XCRC huge", "MD5 huge", "MMD5 huge, huge"])
def test_abor_stops_a_hash(control: Control, command: str) -> None:
    control.send(command)
    control.send("ABOR")
    assert control.read_codes(2) == [426, 226]
    assert control.codes("NOOP", "SIZE huge") == [200, 213]


@pytest.mark.req("S-HASH-4")
@pytest.mark.usefixtures("huge")
def test_abor_in_the_same_segment(control: Control) -> None:
    control.send(b"HASH huge\r\nABOR\r\nNOOP")
    assert control.read_codes(3) == [426, 226, 200]


@pytest.mark.req("S-HASH-4", "S-959-GRAM-9", "S-DF-MISC-2")
@pytest.mark.usefixtures("huge")
def test_what_is_asked_during_a_hash_is_answered_after_it(running: Running, control: Control) -> None:
    """No 1yz reply went before, so the client takes what comes next for the answer to HASH."""
    control.send("HASH huge")
    assert running.await_work() == "HASH /huge"
    for line in ("NOOP", "STAT", "NOOP"):
        control.send(line)
    control.send("ABOR")
    assert control.read_codes(5) == [426, 200, 211, 200, 226]


@pytest.mark.req("S-HASH-4")
@pytest.mark.usefixtures("huge")
@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
def test_the_end_of_the_session_stops_a_hash(running: Running, how: str) -> None:
    with running.login() as control:
        assert control.ask("EPSV").code == 229
        control.send("HASH huge")
        running.await_work()
        if how == "close":
            control.close()
        elif how == "reset":
            reset(control.socket)
        else:
            control.socket.shutdown(1)
            assert control.read().code == 426
            assert control.at_end()
        running.await_event(SessionClosed)
        running.await_condition(lambda: running.call(lambda: not running.server._background._work_queue.qsize()))
        running.await_idle()


@pytest.mark.usefixtures("huge")
def test_the_end_of_the_server_stops_a_hash(root: Path) -> None:
    with closing(LocalStorage(root)) as storage, ExitStack() as stack:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"})
        with serving(storage, accounts=accounts) as running:
            control = stack.enter_context(running.login())
            control.send("HASH huge")
            running.await_work()
        assert control.read_codes(2) == [426, 421]


@pytest.mark.req("S-HASH-4")
@pytest.mark.usefixtures("huge")
def test_many_long_hashes_block_no_other_session(running: Running, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    with ExitStack() as stack:
        busy = [stack.enter_context(running.login()) for _ in range(8)]
        for control in busy:
            control.send("HASH huge")
        other = stack.enter_context(running.login())
        assert other.ask("HASH file").code == 213
        assert other.fetch("RETR file") == DATA
        assert other.store("STOR new", DATA).code == 226
        for control in busy:
            control.send("ABOR")
        for control in busy:
            assert control.read_codes(2) == [426, 226]


# Remembering


@pytest.mark.req("S-HASH-4")
def test_a_hash_is_remembered_as_long_as_the_file_stays_as_it_is(
    running: Running, control: Control, root: Path
) -> None:
    file = root / "file"
    file.write_bytes(DATA)
    memory = running.server.hashes
    memory._clock = lambda: time.time_ns() + 60 * 10**9
    right = hashlib.sha256(DATA).hexdigest()
    assert right in control.ask("HASH file").text
    (key,) = memory._known
    memory._known[key] = "remembered"
    assert "remembered" in control.ask("HASH file").text
    assert "remembered" not in control.ask("XMD5 file").text
    assert control.codes("TYPE I", "RANG 0 3") == [200, 350]
    assert "remembered" not in control.ask("HASH file").text
    os.utime(file, ns=(0, 0))
    assert right in control.ask("HASH file").text
    memory._known = type(memory._known).fromkeys(memory._known, "remembered")
    assert "remembered" in control.ask("HASH file").text
    assert control.store("STOR file", DATA).code == 226
    assert right in control.ask("HASH file").text


def test_a_file_that_has_just_changed_is_not_remembered(running: Running, control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    running.server.hashes._clock = lambda: (root / "file").stat().st_ctime_ns + 10**9
    assert control.ask("HASH file").code == 213
    assert not running.server.hashes._known


def test_the_least_used_is_forgotten_first() -> None:
    memory = HashMemory(limit=2)
    keys = [hashing._Key(0, number, 0, 0, 0, "MD5", 0, 0) for number in range(3)]
    memory.put(keys[0], "a")
    memory.put(keys[1], "b")
    assert memory.get(keys[0]) == "a"
    memory.put(keys[2], "c")
    assert [memory.get(key) for key in keys] == ["a", None, "c"]
