"""Local files: written whole or not at all, and gone on with."""

from __future__ import annotations

import errno
import io
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairlead.client._files import Transferred
from fairlead.client._local import Part
from fairlead.errors import PermanentError, TransferError
from tests.client.script import Step, data, door, later, on, reset, session, take

TYPE_I = on("TYPE I", "200 ok")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
SIZE = on("SIZE f", "213 6")
LONG_AGO = on("MDTM f", "213 20200101000000")
SOON = on("MDTM f", "213 20990101000000")


def retr(octets: bytes) -> Step:
    return on("RETR f", "150 go", data(octets), "226 done")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "big.bin"


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def test_download_appears_only_when_it_is_whole(target: Path) -> None:
    seen: list[tuple[bool, bytes]] = []

    def look(_done: int, _total: int | None) -> None:
        seen.append((target.exists(), part_of(target).read_bytes()))

    transfer = on("RETR f", "150 go", data(b"oct", end=False), later(1, data(b"ets"), "226 done"))
    with session(TYPE_I, SIZE, EPSV, transfer) as s:
        result = s.ftp.download("f", target, on_progress=look)
    assert seen == [(False, b"oct"), (False, b"octets")]
    assert target.read_bytes() == b"octets"
    assert not part_of(target).exists()
    assert (result.path, result.size, result.offset, result.mode) == ("f", 6, 0, "EPSV")


def test_size_that_a_listing_told_is_not_asked_for(target: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with session(TYPE_I, EPSV, retr(b"octets")) as s:
        result = s.ftp.download("f", target, expected=6, on_progress=lambda *done: seen.append(done))
    assert (target.read_bytes(), result.size, seen) == (b"octets", 6, [(6, 6)])


def test_fewer_octets_than_a_listing_told_are_no_whole_file(target: Path) -> None:
    with session(TYPE_I, EPSV, retr(b"oct")) as s, pytest.raises(TransferError, match="3 of 6 bytes came"):
        s.ftp.download("f", target, expected=6)
    assert not target.exists()


def test_file_that_shrank_since_it_was_listed_is_whole_after_all(target: Path) -> None:
    steps = (TYPE_I, EPSV, retr(b"oct"), on("SIZE f", "213 3"), LONG_AGO)
    with session(*steps, retries=1, retry_delay=0) as s:
        assert s.ftp.download("f", target, expected=6).size == 3
    assert target.read_bytes() == b"oct"


def test_size_of_a_text_says_nothing_of_its_octets_on_the_way(target: Path) -> None:
    with session(EPSV, retr(b"a\r\n")) as s:
        s.ftp.download("f", target, text=True, expected=6)
    assert target.read_bytes() == b"a\n"


@pytest.mark.parametrize("here", ["", ".", "./"])
def test_download_into_the_working_directory(target: Path, here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(target.parent)
    with session(TYPE_I, SIZE, EPSV, retr(b"octets")) as s:
        s.ftp.download("f", here)
    assert target.with_name("f").read_bytes() == b"octets"


def test_older_file_stays_until_the_new_one_is_whole(target: Path) -> None:
    target.write_bytes(b"old")
    with session(TYPE_I, SIZE, EPSV, retr(b"oct")) as s, pytest.raises(TransferError):
        s.ftp.download("f", target)
    assert target.read_bytes() == b"old"
    assert part_of(target).read_bytes() == b"oct"


def test_refused_download_leaves_nothing(target: Path) -> None:
    steps = (TYPE_I, on("SIZE f", "550 no"), EPSV, on("RETR f", "550 no such file"))
    with session(*steps) as s, pytest.raises(PermanentError):
        s.ftp.download("f", target)
    assert list(target.parent.iterdir()) == []


def announced(number: int, octets: bytes, opening: str = "150 go (6 bytes)") -> tuple[Step, Step]:
    return on("EPSV", door(number), f"229 ok (|||{number}|)"), on("RETR f", opening, data(octets), "226 done")


@pytest.mark.parametrize("stream", [False, True])
def test_size_is_asked_once_where_each_transfer_announces_it(target: Path, *, stream: bool) -> None:
    totals: list[int | None] = []
    with session(TYPE_I, SIZE, *announced(5001, b"octets"), *announced(5002, b"octets")) as s:
        for _ in range(2):
            local = io.BytesIO() if stream else target
            s.ftp.download("f", local, on_progress=lambda _done, total: totals.append(total))
    assert totals == [6, 6]


@pytest.mark.parametrize("opening", ["150 go", "150 go (6 bytes)"])
def test_size_is_asked_afterwards_where_less_came_than_was_announced(target: Path, opening: str) -> None:
    second = announced(5002, b"oct", opening)
    with session(TYPE_I, SIZE, *announced(5001, b"octets"), *second, SIZE) as s:
        s.ftp.download("f", target)
        with pytest.raises(TransferError, match="cut short"):
            s.ftp.download("f", target)
    assert target.read_bytes() == b"octets"


def test_size_has_the_last_word_about_what_was_announced(target: Path) -> None:
    shrunk = announced(5002, b"oct")
    with session(TYPE_I, SIZE, *announced(5001, b"octets"), *shrunk, on("SIZE f", "213 3")) as s:
        s.ftp.download("f", target)
        s.ftp.download("f", target)
    assert target.read_bytes() == b"oct"


def test_download_without_resume_begins_anew(target: Path) -> None:
    part_of(target).write_bytes(b"something longer than the file")
    with session(TYPE_I, SIZE, EPSV, retr(b"octets")) as s:
        s.ftp.download("f", target)
    assert target.read_bytes() == b"octets"


@pytest.mark.req("C-3659-RST-1")
def test_download_goes_on_where_it_ended(target: Path) -> None:
    part_of(target).write_bytes(b"oct")
    told: list[tuple[int, int | None]] = []
    with session(TYPE_I, SIZE, LONG_AGO, EPSV, on("REST 3", "350 at 3"), retr(b"ets")) as s:
        result = s.ftp.download("f", target, resume=True, on_progress=lambda done, total: told.append((done, total)))
    assert target.read_bytes() == b"octets"
    assert (result.size, result.offset) == (3, 3)
    assert told == [(6, 6)]


@pytest.mark.req("C-3659-RST-1")
def test_shorter_file_under_its_own_name_is_gone_on_with_too(target: Path) -> None:
    target.write_bytes(b"oct")
    with session(TYPE_I, SIZE, LONG_AGO, EPSV, on("REST 3", "350 at 3"), retr(b"ets")) as s:
        s.ftp.download("f", target, resume=True)
    assert target.read_bytes() == b"octets"
    assert not part_of(target).exists()


@pytest.mark.req("C-3659-RST-1")
def test_download_that_is_complete_is_not_fetched_again(target: Path) -> None:
    part_of(target).write_bytes(b"octets")
    with session(TYPE_I, SIZE, LONG_AGO, SIZE, LONG_AGO) as s:
        assert s.ftp.download("f", target, resume=True) == Transferred("f", 0, 6, 0.0, "")
        assert target.read_bytes() == b"octets"
        assert s.ftp.download("f", target, resume=True).offset == 6


@pytest.mark.req("C-3659-RST-1")
@pytest.mark.parametrize(
    ("kept", "check"), [(b"oct", (SOON,)), (b"longer than it", ()), (b"", ())], ids=["changed", "longer", "empty"]
)
def test_part_that_fits_no_more_is_begun_anew(target: Path, kept: bytes, check: tuple[Step, ...]) -> None:
    part_of(target).write_bytes(kept)
    with session(TYPE_I, SIZE, *check, EPSV, retr(b"octets")) as s:
        s.ftp.download("f", target, resume=True)
    assert target.read_bytes() == b"octets"


@pytest.mark.req("C-3659-RST-2")
def test_refused_rest_begins_anew_with_the_local_file_cut_to_nothing(target: Path) -> None:
    part_of(target).write_bytes(b"xxxxx")
    with session(TYPE_I, SIZE, LONG_AGO, EPSV, on("REST 5", "502 no REST"), retr(b"octets")) as s:
        result = s.ftp.download("f", target, resume=True)
    assert target.read_bytes() == b"octets"
    assert result.offset == 0


@pytest.mark.req("C-3659-RST-1")
def test_rest_that_was_not_used_up_is_taken_back(target: Path) -> None:
    part_of(target).write_bytes(b"oct")
    with session(
        TYPE_I,
        SIZE,
        LONG_AGO,
        EPSV,
        on("REST 3", "350 at 3"),
        on("RETR f", "550 gone"),
        on("SIZE f", "213 6"),
        on("EPSV", door(5002), "229 ok (|||5002|)"),
        on("REST 0", "350 at 0"),
        retr(b"octets"),
        on("SIZE f", "213 6"),
        on("EPSV", door(5003), "229 ok (|||5003|)"),
        retr(b"octets"),
    ) as s:
        with pytest.raises(PermanentError):
            s.ftp.download("f", target, resume=True)
        for _ in range(2):
            s.ftp.download("f", target)


@pytest.mark.req("C-3659-RST-1", "C-959-PORT-1")
def test_rest_is_said_again_when_another_mode_is_tried(target: Path) -> None:
    part_of(target).write_bytes(b"oct")
    with session(
        TYPE_I,
        SIZE,
        LONG_AGO,
        EPSV,
        on("REST 3", "350 at 3"),
        on("RETR f", "425 not from you"),
        on("PASV", door(5002), "227 ok (192,0,2,90,19,138)"),
        on("REST 3", "350 at 3"),
        retr(b"ets"),
    ) as s:
        s.ftp.download("f", target, resume=True)
    assert target.read_bytes() == b"octets"


@pytest.mark.req("C-3659-RST-1")
def test_cut_download_can_be_gone_on_with(target: Path) -> None:
    cut = on("RETR f", "150 go", data(b"oct", end=False), later(1, reset, "426 lost you"))
    with session(TYPE_I, SIZE, EPSV, cut) as s, pytest.raises(TransferError, match="try to resume"):
        s.ftp.download("f", target)
    assert not target.exists()
    with session(TYPE_I, SIZE, LONG_AGO, EPSV, on("REST 3", "350 at 3"), retr(b"ets")) as s:
        s.ftp.download("f", target, resume=True)
    assert target.read_bytes() == b"octets"


@pytest.mark.skipif(not hasattr(os, "splice"), reason="needs splice, of Linux")
def test_long_download_goes_through_a_pipe_once_it_is_long(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    octets, taken = os.urandom(3 << 20), 0
    drain = Part.drain

    def counted(part: Part, count: int) -> None:
        nonlocal taken
        taken += count
        drain(part, count)

    monkeypatch.setattr(Part, "drain", counted)
    with session(TYPE_I, on("SIZE f", f"213 {len(octets)}"), EPSV, retr(octets)) as s:
        assert s.ftp.download("f", target).size == len(octets)
    assert target.read_bytes() == octets
    assert 1 << 20 < taken < len(octets)


@pytest.mark.skipif(not hasattr(os, "splice"), reason="needs splice, of Linux")
def test_long_download_that_finds_no_room_keeps_what_it_has(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_part: Part, _count: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Part, "drain", full)
    transfer = on("RETR f", "150 go", data(bytes(3 << 20)), "226 done")
    with (
        session(TYPE_I, on("SIZE f", "213 3145728"), EPSV, transfer) as s,
        pytest.raises(OSError, match="No space left"),
    ):
        s.ftp.download("f", target)
    assert not target.exists()
    assert 1 << 20 <= part_of(target).stat().st_size < 3 << 20


@pytest.mark.req("C-3659-SIZE-1")
@pytest.mark.parametrize("refusal", ["550 not a plain file", "500 what?", "502 not here"])
def test_refused_size_does_not_mean_that_there_is_no_file(target: Path, refusal: str) -> None:
    with session(TYPE_I, on("SIZE f", refusal), EPSV, retr(b"octets")) as s:
        s.ftp.download("f", target)
    assert target.read_bytes() == b"octets"


def test_command_that_the_server_does_not_know_is_asked_only_once() -> None:
    steps = (TYPE_I, on("SIZE f", "502 not here"), on("MDTM f", "500 what?"))
    with session(*steps) as s:
        for _ in range(2):
            assert s.ftp.size("f") is None
            assert s.ftp.mtime("f") is None


@pytest.mark.req("C-3659-SIZE-1")
def test_size_is_asked_under_type_i() -> None:
    with session(TYPE_I, on("SIZE f", "213 5000000000"), on("SIZE g", "213 many")) as s:
        assert s.ftp.size("f") == 5_000_000_000
        assert s.ftp.size("g") is None


@pytest.mark.req("C-3659-TIME-1")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("19980615100045", datetime(1998, 6, 15, 10, 0, 45, tzinfo=UTC)),
        ("19980615100045.014", datetime(1998, 6, 15, 10, 0, 45, 14000, tzinfo=UTC)),
        ("19981231235960", datetime(1999, 1, 1, 0, 0, 0, tzinfo=UTC)),
        ("191000615100045", datetime(2000, 6, 15, 10, 0, 45, tzinfo=UTC)),
        ("yesterday", None),
    ],
)
def test_time_of_a_file(text: str, moment: datetime | None) -> None:
    with session(on("MDTM f", f"213 {text}")) as s:
        assert s.ftp.mtime("f") == moment


def test_link_to_a_file_stays_a_link(target: Path) -> None:
    real = target.with_name("real")
    real.write_bytes(b"old")
    target.symlink_to(real)
    with session(TYPE_I, SIZE, EPSV, retr(b"octets")) as s:
        s.ftp.download("f", target)
    assert target.is_symlink()
    assert real.read_bytes() == b"octets"


def test_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with session(TYPE_I, SIZE, EPSV, retr(b"octets")) as s:
        s.ftp.download("f", pipe)
    reader.join(10)
    assert got == [b"octets"]
    assert pipe.is_fifo()


def test_download_to_what_takes_octets() -> None:
    class Taker:
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def write(self, data: bytes, /) -> None:
            self.pieces.append(data)

    taker = Taker()
    transfer = on("RETR f", "150 go", data(b"oct", end=False), later(1, data(b"ets"), "226 done"))
    with session(TYPE_I, SIZE, EPSV, transfer) as s:
        s.ftp.download("f", taker)
        with pytest.raises(ValueError, match="named file"):
            s.ftp.download("f", taker, resume=True)
    assert taker.pieces == [b"oct", b"ets"]


def test_text_cannot_be_resumed(target: Path) -> None:
    target.write_bytes(b"x")
    with session() as s:
        with pytest.raises(ValueError, match="text"):
            s.ftp.download("f", target, resume=True, text=True)
        with pytest.raises(ValueError, match="text"):
            s.ftp.upload(target, "f", resume=True, text=True)


def test_upload_of_a_file(target: Path) -> None:
    target.write_bytes(b"octets" * 1000)
    told: list[int | None] = []
    with session(TYPE_I, EPSV, on("STOR f", "150 go", take("226 done"))) as s:
        result = s.ftp.upload(target, "f", on_progress=lambda done, total: told.extend((done, total)))
    assert s.play.stored == target.read_bytes()
    assert (result.size, result.offset, told) == (6000, 0, [6000, 6000])


@pytest.mark.req("C-3659-RST-1")
def test_upload_goes_on_where_it_ended_and_is_checked(target: Path) -> None:
    target.write_bytes(b"octets")
    steps = (
        TYPE_I,
        on("SIZE f", "213 3"),
        SOON,
        EPSV,
        on("REST 3", "350 at 3"),
        on("STOR f", "150 go", take("226 done")),
        on("SIZE f", "213 6"),
    )
    with session(*steps) as s:
        result = s.ftp.upload(target, "f", resume=True)
    assert s.play.stored == b"ets"
    assert (result.size, result.offset) == (3, 3)


@pytest.mark.req("C-3659-RST-1")
def test_resumed_upload_that_came_out_wrong_is_told(target: Path) -> None:
    target.write_bytes(b"octets")
    steps = (
        TYPE_I,
        on("SIZE f", "213 3"),
        SOON,
        EPSV,
        on("REST 3", "350 at 3"),
        on("STOR f", "150 go", take("226 done")),
        on("SIZE f", "213 3"),
    )
    with session(*steps) as s, pytest.raises(TransferError, match="upload it again without resume"):
        s.ftp.upload(target, "f", resume=True)


@pytest.mark.req("C-3659-RST-1")
@pytest.mark.parametrize(
    "known",
    [(on("SIZE f", "550 none"),), (on("SIZE f", "213 7"),), (on("SIZE f", "213 3"), LONG_AGO)],
    ids=["none there", "longer", "local file changed"],
)
def test_upload_with_nothing_to_go_on_from_begins_anew(target: Path, known: tuple[Step, ...]) -> None:
    target.write_bytes(b"octets")
    with session(TYPE_I, *known, EPSV, on("STOR f", "150 go", take("226 done"))) as s:
        s.ftp.upload(target, "f", resume=True)
    assert s.play.stored == b"octets"


@pytest.mark.req("C-3659-RST-2")
def test_refused_rest_sends_everything(target: Path) -> None:
    target.write_bytes(b"octets")
    steps = (on("SIZE f", "213 3"), SOON, EPSV, on("REST 3", "501 no"), on("STOR f", "150 go", take("226 done")))
    with session(TYPE_I, *steps) as s:
        assert s.ftp.upload(target, "f", resume=True).offset == 0
    assert s.play.stored == b"octets"


@pytest.mark.req("C-3659-RST-1")
def test_upload_that_is_complete_is_not_sent_again(target: Path) -> None:
    target.write_bytes(b"octets")
    with session(TYPE_I, SIZE, SOON) as s:
        assert s.ftp.upload(target, "f", resume=True) == Transferred("f", 0, 6, 0.0, "")


def test_upload_of_an_open_file_begins_where_it_stands(target: Path) -> None:
    target.write_bytes(b"octets")
    with (
        session(TYPE_I, EPSV, on("STOR f", "150 go", take("226 done"))) as s,
        target.open("rb") as file,
    ):
        file.seek(3)
        s.ftp.upload(file, "f")
        assert not file.closed
    assert s.play.stored == b"ets"


def test_upload_is_sent_again_from_its_beginning_when_another_mode_is_tried() -> None:
    steps = (
        TYPE_I,
        EPSV,
        on("STOR f", "150 go", take("425 not from you")),
        on("PASV", door(5002), "227 ok (192,0,2,90,19,138)"),
        on("STOR f", "150 go", take("226 done")),
    )
    with session(*steps) as s:
        s.ftp.upload(io.BytesIO(b"octets"), "f")
    assert s.play.stored == b"octets" * 2


def test_append_adds() -> None:
    with session(TYPE_I, EPSV, on("APPE f", "150 go", take("226 done"))) as s:
        assert s.ftp.append(io.BytesIO(b"more"), "f").size == 4
    assert s.play.stored == b"more"


@pytest.mark.req("C-1123-XFER-5")
@pytest.mark.parametrize(
    ("opening", "final", "name"),
    [
        ("150 FILE: f.1", "226 done", "f.1"),
        ("125 FILE: two words", "250 done", "two words"),
        ("150 go", "226 Transfer complete; FILE: f.2", "f.2"),
        ("150 go", "226 done", "suggested"),
    ],
)
def test_name_that_the_server_made(opening: str, final: str, name: str) -> None:
    with session(TYPE_I, EPSV, on("STOU suggested", opening, take(final))) as s:
        assert s.ftp.upload_unique(io.BytesIO(b"x"), "suggested").path == name


def test_missing_local_file_is_noticed_before_anything_is_sent(tmp_path: Path) -> None:
    with session() as s:
        with pytest.raises(FileNotFoundError):
            s.ftp.upload(tmp_path / "none", "f")
        assert s.play.heard == []


NONE_YET = on("SIZE f", "550 no such file")


def test_file_that_the_system_cannot_send_by_itself_is_read(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*_: object) -> int:
        raise NotImplementedError

    monkeypatch.setattr("fairlead.client._wires.memory.MemoryStream.send_file", cannot)
    target.write_bytes(b"octets" * 500_000)
    with session(TYPE_I, NONE_YET, EPSV, on("STOR f", "150 go", take("226 done"))) as s:
        s.ftp.upload(target, "f")
    assert s.play.stored == target.read_bytes()


def test_stream_that_cannot_seek_is_sent_once() -> None:
    def piped() -> io.BufferedReader:
        reader, writer = os.pipe()
        os.write(writer, b"octets")
        os.close(writer)
        return os.fdopen(reader, "rb")

    with piped() as pipe, session(TYPE_I, NONE_YET, EPSV, on("STOR f", "150 go", take("226 done"))) as s:
        assert s.ftp.upload(pipe, "f").size == 6
    assert s.play.stored == b"octets"
    refused = on("STOR f", "150 go", take("425 not from you"))
    again = on("PASV", door(5002), "227 ok (192,0,2,90,19,138)")
    with (
        piped() as pipe,
        session(TYPE_I, NONE_YET, EPSV, refused, again) as s,
        pytest.raises(OSError, match="cannot seek"),
    ):
        s.ftp.upload(pipe, "f")


def test_stream_that_took_octets_cannot_be_begun_anew() -> None:
    from fairlead.client._local import Writer

    writer = Writer(io.BytesIO())
    writer.begin(0)
    writer.write(memoryview(b"oct"))
    with pytest.raises(OSError, match="taken back"):
        writer.begin(0)


def test_raw_stream_that_takes_little_at_a_time() -> None:
    class Slow(io.RawIOBase):
        got = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            self.got += bytes(data)[:2]  # type: ignore[call-overload]
            return 2

    slow = Slow()
    with session(TYPE_I, SIZE, EPSV, retr(b"octets")) as s:
        s.ftp.download("f", slow)
    assert slow.got == b"octets"
