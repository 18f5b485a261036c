"""Open files: read and written piece by piece, sought in, broken off."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead import AsyncClient
from fairlead.errors import (
    ArgumentError,
    DeadlineError,
    PermanentError,
    SessionLost,
    TransferError,
)
from fairlead.testing.peer import Peer, scripted
from tests.client.script import Action, Step, cut_off, data, door, hang_up, later, narrow, on, reset, session, take
from tests.peers.embedded import Embedded

Connect = Callable[..., Any]
TYPE_I = on("TYPE I", "200 ok")
SIZE = on("SIZE f", "213 6")
NO_SIZE = on("SIZE f", "550 no")
ABORTED = (on("ABOR", "426 aborted", "226 done"), on("NOOP", "200 ok"))
PWD = on("PWD", '257 "/"')
OCTETS = os.urandom(1_500_000)


def epsv(port: int = 5001, *actions: Action) -> Step:
    return on("EPSV", door(port, *actions), f"229 ok (|||{port}|)")


def retr(*pieces: bytes, end: bool = True) -> Step:
    """Each piece comes a second after the one before."""
    actions: tuple[Action, ...] = ("226 done",) if end else ()
    for piece in reversed(pieces):
        actions = (data(piece, end=end and piece is pieces[-1]), later(1, *actions))
    return on("RETR f", "150 go", *actions)


def stor(*actions: Action, name: str = "f") -> Step:
    return on(f"STOR {name}", "150 go", *actions)


def interrupt(file: Any, written: Any) -> None:
    file.write(written)
    raise InterruptedError


def forget(held: list[Any]) -> None:
    held.clear()
    gc.collect()


# Reading


def test_octets_are_there_to_be_read_as_they_arrive() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", b"ets")) as s, s.ftp.open("f", "rb") as file:
        began = s.wire.time
        assert file.read1(100) == b"oct"
        assert s.wire.time - began < 1
        assert (file.read(), file.read()) == (b"ets", b"")
        assert (file.name, file.mode) == ("f", "rb")


def test_opening_tells_that_the_server_refuses() -> None:
    with session(TYPE_I, NO_SIZE, epsv(), on("RETR f", "550 no such file"), PWD) as s:
        with pytest.raises(PermanentError, match="550 no such file"):
            s.ftp.open("f", "rb")
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-959-XFER-1")
@pytest.mark.parametrize(
    ("size", "end", "said"),
    [
        (SIZE, (data(b"oct"), "226 done"), "cut short: 3 of 6 bytes"),
        (NO_SIZE, (data(b"oct"), "426 connection broke"), "426 connection broke"),
        (NO_SIZE, (data(b"oct", end=False), reset, "226 done"), "Connection reset by peer"),
    ],
)
def test_data_that_ends_before_the_file_does_is_an_error_where_it_is_read(
    size: Step, end: tuple[Action, ...], said: str
) -> None:
    with session(TYPE_I, size, epsv(), on("RETR f", "150 go", *end), PWD) as s:
        with s.ftp.open("f", "rb") as file:
            assert file.read1(10) == b"oct"
            with pytest.raises(TransferError, match=said):
                file.read(10)
        assert s.ftp.pwd() == "/"


def test_reading_on_after_data_was_cut_asks_for_the_rest() -> None:
    steps = (
        *(TYPE_I, SIZE, epsv(), on("RETR f", "150 go", data(b"oct"), "226 done")),
        *(epsv(5002), on("REST 3", "350 at 3"), on("RETR f", "150 go", data(b"ets"), "226 done")),
    )
    with session(*steps) as s, s.ftp.open("f", "rb") as file:
        assert file.read1(10) == b"oct"
        with pytest.raises(TransferError):
            file.read(10)
        assert file.read(10) == b"ets"


def test_server_that_takes_its_time_to_end_what_was_broken_off_serves_the_next_transfer() -> None:
    slowly = (on("ABOR", later(0.5, "426 aborted", "226 done")), on("NOOP", later(1.5, "200 ok")))
    again = (epsv(5002), retr(b"octets"))
    steps = (TYPE_I, SIZE, epsv(), retr(b"oct", end=False), *slowly, *again)
    with session(*steps, mode="auto") as s, s.ftp.open("f", "rb") as file:
        assert file.read(3) == b"oct"
        file.seek(4)
        file.seek(0)
        assert file.read() == b"octets"


@pytest.mark.req("C-959-ABOR-1", "C-959-SYNC-1")
def test_closing_early_breaks_the_transfer_off_and_the_session_goes_on() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", end=False), *ABORTED, PWD) as s:
        with s.ftp.open("f", "rb") as file:
            assert file.read(3) == b"oct"
        assert s.play.data is not None
        assert isinstance(s.play.data.failure, ConnectionResetError)
        assert s.ftp.pwd() == "/"
        assert "STATUS  data connection closed by us: 3 bytes" in "\n".join(s.lines)
        assert "the file was closed here" in "\n".join(s.lines)


def test_closing_when_all_has_come_waits_for_the_final_reply_and_needs_no_abort() -> None:
    with session(TYPE_I, SIZE, epsv(), on("RETR f", "150 go", data(b"octets"), later(2, "226 done")), PWD) as s:
        with s.ftp.open("f", "rb") as file:
            assert file.read(6) == b"octets"
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-959-XFER-1")
def test_closing_when_all_has_come_tells_that_the_server_failed_after_all() -> None:
    steps = (TYPE_I, SIZE, epsv(), on("RETR f", "150 go", data(b"octets"), later(2, "451 disk trouble")))
    with session(*steps) as s:
        file = s.ftp.open("f", "rb")
        assert file.read(6) == b"octets"
        with pytest.raises(TransferError, match="451 disk trouble"):
            file.close()
        assert file.closed


def test_file_that_nobody_holds_any_more_is_broken_off() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", end=False), *ABORTED, PWD) as s:
        file = s.ftp.open("f", "rb")
        del file
        gc.collect()
        assert s.ftp.pwd() == "/"


def test_nothing_else_is_done_in_the_session_until_the_file_is_at_its_end() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"octets"), PWD) as s, s.ftp.open("f", "rb") as file:
        with pytest.raises(
            RuntimeError, match="f is open in this session and not at its end; close it, or use another"
        ):
            s.ftp.pwd()
        with pytest.raises(RuntimeError, match="f is open"):
            s.ftp.open("g", "rb")
        assert file.read() == b"octets"
        assert s.ftp.pwd() == "/"


def test_closing_the_client_ends_an_open_file() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", end=False)) as s:
        file = s.ftp.open("f", "rb")
        s.ftp.close()
        assert s.play.data is not None
        assert isinstance(s.play.data.failure, ConnectionResetError)
        with pytest.raises(SessionLost):
            file.read()
        file.close()


def test_session_lost_while_a_file_is_read() -> None:
    for end in ((hang_up,), (cut_off,), ("421 bye", hang_up)):
        transfer = on("RETR f", "150 go", data(b"oct", end=False), later(1, *end))
        with (
            session(TYPE_I, SIZE, epsv(), transfer) as s,
            s.ftp.open("f", "rb") as file,
            pytest.raises(SessionLost),
        ):
            file.read()


@pytest.mark.req("C-1123-UI-2")
def test_data_that_stands_still_is_given_up() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", end=False), *ABORTED, PWD, data_timeout=9) as s:
        with s.ftp.open("f", "rb") as file, pytest.raises(TransferError, match="stood still for 9"):
            file.read()
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-3659-RST-1")
def test_reading_begins_at_an_offset() -> None:
    steps = (TYPE_I, SIZE, epsv(), on("REST 3", "350 at 3"), on("RETR f", "150 go", data(b"ets"), "226 done"))
    with session(*steps) as s, s.ftp.open("f", "rb", offset=3) as file:
        assert (file.tell(), file.read(), file.tell()) == (3, b"ets", 6)


@pytest.mark.req("C-3659-RST-2")
def test_server_without_rest_sends_what_is_not_wanted_and_it_is_dropped() -> None:
    steps = (TYPE_I, SIZE, epsv(), on("REST 3", "502 no REST"), retr(b"oc", b"te", b"ts"))
    with session(*steps) as s, s.ftp.open("f", "rb", offset=3) as file:
        assert (file.tell(), file.read(), file.tell()) == (3, b"ets", 6)


def test_offset_at_the_end_needs_no_transfer() -> None:
    with session(TYPE_I, SIZE, PWD) as s, s.ftp.open("f", "rb", offset=6) as file:
        assert file.read() == b""
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-3659-RST-1")
def test_seeking_asks_for_what_is_read_there_and_for_nothing_before() -> None:
    steps = (
        *(TYPE_I, SIZE, epsv(), retr(b"oct", end=False), *ABORTED, PWD),
        *(epsv(5002), on("REST 4", "350 at 4"), on("RETR f", "150 go", data(b"ts"), "226 done")),
        *(epsv(5003), on("REST 1", "350 at 1"), on("RETR f", "150 go", data(b"ctets"), "226 done")),
    )
    with session(*steps) as s, s.ftp.open("f", "rb") as file:
        assert file.seekable()
        assert file.read(1) == b"o"
        assert file.seek(-2, os.SEEK_END) == 4
        assert s.ftp.pwd() == "/"
        assert (file.read(), file.tell()) == (b"ts", 6)
        assert file.seek(1) == 1
        assert file.read(2) == b"ct"
        assert file.seek(1, os.SEEK_CUR) == 4  # is here already
        assert file.read() == b"ts"
        with pytest.raises(ValueError, match="no place -7"):
            file.seek(-7, os.SEEK_END)
        assert file.seek(0, os.SEEK_END) == 6
        assert file.read() == b""


def test_end_of_a_file_whose_size_is_not_told_cannot_be_sought() -> None:
    with session(TYPE_I, NO_SIZE, epsv(), retr(b"octets")) as s, s.ftp.open("f", "rb") as file:
        with pytest.raises(io.UnsupportedOperation, match="does not tell where f ends"):
            file.seek(0, os.SEEK_END)
        assert file.read() == b"octets"


def test_closed_file() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"octets")) as s:
        file = s.ftp.open("f", "rb")
        raw: Any = file.raw
        file.read()
        file.close()
        for use in (file.read, raw.readall, raw.tell, lambda: raw.seek(0), lambda: raw.read(1)):
            with pytest.raises(ValueError, match="closed"):
                use()


@pytest.mark.parametrize("mode", ["", "b", "rw", "r+", "rb+", "w+b", "rr", "rbt", "wx", "U", "z"])
def test_modes_that_ftp_does_not_have(mode: str) -> None:
    with session() as s, pytest.raises(ValueError, match="invalid mode"):
        s.ftp.open("f", mode)


@pytest.mark.parametrize(
    ("mode", "options", "said"),
    [
        ("rb", {"offset": -1}, "offset of 0 or more"),
        ("ab", {"offset": 1}, "appended to at its end"),
        ("xb", {"offset": 1}, "appended to at its end"),
        ("rb", {"atomic": True}, "written as a whole"),
        ("ab", {"atomic": True}, "written as a whole"),
        ("wb", {"atomic": True, "offset": 1}, "written as a whole"),
        ("rb", {"encoding": "utf-8"}, "no encoding"),
        ("wb", {"newline": ""}, "no encoding"),
        ("r", {"newline": "x"}, "'x' ends no line"),
    ],
)
def test_arguments_that_do_not_go_together(mode: str, options: dict[str, Any], said: str) -> None:
    with session() as s, pytest.raises(ValueError, match=said):
        s.ftp.open("f", mode, **options)


def test_name_that_no_command_can_carry() -> None:
    for mode in ("rb", "wb"):
        with session() as s, pytest.raises(ArgumentError):
            s.ftp.open("a\r\nDELE b", mode)


# Writing


@pytest.mark.req("C-959-XFER-2")
def test_file_is_written_by_one_stor_whatever_the_number_of_writes() -> None:
    with session(TYPE_I, epsv(), stor(take(later(2, "226 stored"))), PWD) as s:
        with s.ftp.open("f", "wb") as file:
            for letter in b"octets":
                file.write(bytes([letter]))
                file.flush()
            assert not file.seekable()
            assert (file.tell(), file.name, file.mode) == (6, "f", "wb")
            with pytest.raises(RuntimeError, match="f is open"):
                s.ftp.pwd()
        assert s.play.stored == b"octets"
        assert s.ftp.pwd() == "/"


def test_empty_file_is_a_file() -> None:
    with session(TYPE_I, epsv(), stor(take("226 stored"))) as s:
        with s.ftp.open("f", "wb"):
            pass
        assert s.play.data is not None
        assert s.play.data.ended


@pytest.mark.parametrize("reply", ["552 quota", "451 disk trouble", "426 lost you"])
def test_file_that_the_server_did_not_keep_is_an_error_at_close(reply: str) -> None:
    with session(TYPE_I, epsv(), stor(take(reply)), PWD) as s:
        file = s.ftp.open("f", "wb")
        file.write(b"octets")
        with pytest.raises(TransferError, match=reply):
            file.close()
        assert file.closed
        assert s.ftp.pwd() == "/"


def test_final_reply_to_a_written_file_that_never_comes() -> None:
    with session(TYPE_I, epsv(), stor()) as s:
        file = s.ftp.open("f", "wb")
        with pytest.raises(DeadlineError, match="no reply to STOR f"):
            file.close()


def test_server_that_takes_no_more_is_an_error_at_write() -> None:
    with session(TYPE_I, epsv(5001, narrow(1000)), stor(later(1, "552 quota")), PWD) as s:
        file = s.ftp.open("f", "wb")
        with pytest.raises(TransferError, match="552 quota"):
            file.write(b"x" * 1_000_000)
        with pytest.raises(TransferError, match="and is not whole; write it again"):
            file.close()
        assert file.closed
        assert s.ftp.pwd() == "/"


def test_refusal_to_store_is_told_at_opening() -> None:
    with session(TYPE_I, epsv(), on("STOR f", "553 not you"), PWD) as s:
        with pytest.raises(PermanentError, match="553 not you"):
            s.ftp.open("f", "wb")
        assert s.ftp.pwd() == "/"


def test_exception_in_the_block_leaves_nothing_that_looks_whole() -> None:
    for mode, octets in (("wb", b"x" * 300_000), ("w", "x" * 300_000)):
        with session(TYPE_I, epsv(), stor(), *ABORTED, PWD) as s:
            with pytest.raises(InterruptedError), s.ftp.open("f", mode) as file:
                interrupt(file, octets)
            assert s.play.data is not None
            assert isinstance(s.play.data.failure, ConnectionResetError)
            assert s.ftp.pwd() == "/"


@pytest.mark.req("C-3659-RST-1")
def test_writing_from_an_offset_is_held_against_the_size_at_the_end() -> None:
    steps = (TYPE_I, epsv(), on("REST 3", "350 at 3"), stor(take("226 stored")))
    with session(*steps, SIZE) as s:
        with s.ftp.open("f", "wb", offset=3) as file:
            file.write(b"ets")
            assert file.tell() == 6
        assert s.play.stored == b"ets"
    with session(*steps, on("SIZE f", "213 3")) as s:
        file = s.ftp.open("f", "wb", offset=3)
        file.write(b"ets")
        with pytest.raises(TransferError, match="3 bytes on the server"):
            file.close()


@pytest.mark.req("C-3659-RST-2")
def test_offset_that_the_server_does_not_write_at_overwrites_nothing() -> None:
    with session(TYPE_I, epsv(), on("REST 3", "502 no REST"), PWD) as s:
        with pytest.raises(TransferError, match="does not let f be written from byte 3 on"):
            s.ftp.open("f", "wb", offset=3)
        assert s.ftp.pwd() == "/"


def test_appending() -> None:
    with session(TYPE_I, epsv(), on("APPE f", "150 go", take("226 stored"))) as s:
        with s.ftp.open("f", "ab") as file:
            file.write(b"more")
        assert s.play.stored == b"more"


def test_new_file_must_not_be_there_yet() -> None:
    features = (on("FEAT", "211-Features:\r\n MLST type*;\r\n211 End"),)
    there = on("MLST f", "250-Listing\r\n type=file; f\r\n250 End")
    with (
        session(there, features=features) as s,
        pytest.raises(FileExistsError, match="the server has such a file: 'f'"),
    ):
        s.ftp.open("f", "xb")
    missing = on("MLST f", "550 no")
    with session(missing, TYPE_I, epsv(), stor(take("226 ok")), features=features) as s:
        s.ftp.open("f", "xb").close()


class Atomic:
    """The name that a file has until it is whole is made up; the script takes it as it comes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fairlead.client._opened.os.urandom", lambda count: b"\xab" * count)
        self.name = "f.abababab.part"


def test_atomic_file_takes_its_name_when_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    name = Atomic(monkeypatch).name
    renamed = (on(f"RNFR {name}", "350 to?"), on("RNTO f", "250 ok"))
    with session(TYPE_I, epsv(), stor(take("226 ok"), name=name), *renamed) as s:
        with s.ftp.open("f", "wb", atomic=True) as file:
            file.write(b"octets")
        assert s.play.stored == b"octets"


def test_atomic_file_that_does_not_get_its_name_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    name = Atomic(monkeypatch).name
    steps = (on(f"RNFR {name}", "350 to?"), on("RNTO f", "553 f is there"), on(f"DELE {name}", "250 gone"), PWD)
    with session(TYPE_I, epsv(), stor(take("226 ok"), name=name), *steps) as s:
        file = s.ftp.open("f", "wb", atomic=True)
        with pytest.raises(PermanentError, match="553 f is there"):
            file.close()
        assert s.ftp.pwd() == "/"


def test_atomic_file_whose_block_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    name = Atomic(monkeypatch).name
    steps = (stor(name=name), *ABORTED, on(f"DELE {name}", "250 gone"))
    with session(TYPE_I, epsv(), *steps) as s, pytest.raises(InterruptedError), s.ftp.open("f", "wb", atomic=True):
        raise InterruptedError


# Text


def test_text_is_utf8_and_lines_end_as_files_here_do() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"na\xc3", b"\xafve\r\ntwo\n")) as s, s.ftp.open("f") as file:
        assert list(file) == ["naïve\n", "two\n"]
    with session(TYPE_I, epsv(), stor(take("226 ok"))) as s:
        with s.ftp.open("f", "w", newline="\r\n", encoding="latin-1") as text:
            print("naïve", file=text)
        assert s.play.stored == b"na\xefve\r\n"


# Pieces


def test_stream_gives_pieces_as_they_arrive() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", b"ets"), PWD) as s:
        assert list(s.ftp.stream("f")) == [b"oct", b"ets"]
        assert s.ftp.pwd() == "/"


def test_leaving_the_loop_over_a_stream_breaks_it_off() -> None:
    with session(TYPE_I, SIZE, epsv(), retr(b"oct", end=False), *ABORTED, PWD) as s:
        for piece in s.ftp.stream("f"):
            assert piece == b"oct"
            break
        assert s.ftp.pwd() == "/"


# Both faces with a server


def test_files_of_any_size_go_both_ways(served: Embedded, connect: Connect) -> None:
    with connect(served.url) as ftp:
        for octets in (b"", b"x", OCTETS):
            with ftp.open("f", "wb") as file:
                for start in range(0, len(octets), 70_001):
                    assert file.write(octets[start : start + 70_001]) == len(octets[start : start + 70_001])
                assert file.tell() == len(octets)
            assert (served.root / "f").read_bytes() == octets
            with ftp.open("f", "rb") as file:
                assert file.read() == octets
            assert b"".join(ftp.stream("f")) == octets
            assert b"".join(ftp.stream("f", offset=len(octets) // 2)) == octets[len(octets) // 2 :]


def test_places_in_a_file_are_sought(served: Embedded, connect: Connect) -> None:
    (served.root / "f").write_bytes(OCTETS)
    with connect(served.url) as ftp, ftp.open("f", "rb", offset=7) as file:
        assert (file.readable(), file.writable(), file.seekable()) == (True, False, True)
        assert file.read(5) == OCTETS[7:12]
        assert file.seek(3, os.SEEK_CUR) == 15
        assert file.read(1) == OCTETS[15:16]
        for place in (1_400_000, 3, 700_000, 700_100):
            assert file.seek(place) == place
            assert (file.read(100), file.tell()) == (OCTETS[place : place + 100], place + 100)
        assert file.seek(-10, os.SEEK_END) == len(OCTETS) - 10
        assert file.read() == OCTETS[-10:]
        assert file.read1(10) == b""


def test_appended_new_and_whole_files(served: Embedded, connect: Connect) -> None:
    target = served.root / "f"
    with connect(served.url) as ftp:
        with ftp.open("f", "xb", atomic=True) as file:
            file.write(b"one")
            file.flush()
            assert not target.exists()
        with pytest.raises(FileExistsError):
            ftp.open("f", "xb")
        with ftp.open("f", "ab") as file:
            file.write(b", two")
        with ftp.open("f", "wb", offset=3) as file:
            file.write(b" and two")
        with pytest.raises(InterruptedError), ftp.open("f", "wb", atomic=True) as file:
            interrupt(file, OCTETS)
        assert ftp.names() == ["f"]
    assert target.read_bytes() == b"one and two"


def test_lines_of_octets(served: Embedded, connect: Connect) -> None:
    lines = [b"one\n", b"\n", b"x" * 200_000 + b"\r\n", b"last"]
    (served.root / "f").write_bytes(b"".join(lines))
    with connect(served.url) as ftp, ftp.open("f", "rb") as file:
        assert list(file) == lines
        file.seek(0)
        assert [file.readline(2), file.readline(), file.readline(0)] == [b"on", b"e\n", b""]


@pytest.mark.parametrize("newline", [None, "", "\n", "\r", "\r\n"])
def test_text_is_what_it_is_in_local_files(
    served: Embedded, connect: Connect, tmp_path: Path, newline: str | None
) -> None:
    octets = "één\r\ntwo\rthree\n\r\n\r\rlast €".encode()
    (tmp_path / "f").write_bytes(octets)
    (served.root / "f").write_bytes(octets)
    with connect(served.url) as ftp:
        with open(tmp_path / "f", newline=newline, encoding="utf-8") as local, ftp.open("f", newline=newline) as file:
            assert list(file) == list(local)
            file.seek(0)
            local.seek(0)
            assert file.read(5) == local.read(5)
            assert file.read() == local.read()
        with (
            open(tmp_path / "g", "w", newline=newline, encoding="utf-16") as local,
            ftp.open("g", "w", newline=newline, encoding="utf-16") as file,
        ):
            for target in (file, local):
                target.write("one\n")
                target.write("two\r\nthree")
    assert (served.root / "g").read_bytes() == (tmp_path / "g").read_bytes()


def test_text_that_is_not_what_its_encoding_says(served: Embedded, connect: Connect) -> None:
    (served.root / "f").write_bytes(b"\xff")
    with connect(served.url) as ftp:
        with ftp.open("f") as file, pytest.raises(UnicodeDecodeError):
            file.read()
        with ftp.open("f", errors="replace") as file:
            assert file.read() == "\ufffd"


def test_wrong_direction(served: Embedded, connect: Connect) -> None:
    (served.root / "f").write_bytes(b"octets")
    with connect(served.url) as ftp:
        with ftp.open("f", "rb") as file, pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
        with ftp.open("g", "wb") as file, pytest.raises(io.UnsupportedOperation):
            file.read()


def test_archive_is_read_without_fetching_it_whole(served: Embedded) -> None:
    from fairlead import Client

    with zipfile.ZipFile(served.root / "a.zip", "w") as archive:
        archive.writestr("big", OCTETS)
        archive.writestr("small", "note")
    with Client(served.url) as ftp, ftp.open("a.zip", "rb") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("small") == b"note"
        assert archive.namelist() == ["big", "small"]


# The asynchronous face's own


def run(served: Embedded, scene: Callable[[AsyncClient], Any]) -> Any:
    async def play() -> Any:
        async with AsyncClient(served.url) as ftp:
            return await scene(ftp)

    return asyncio.run(play())


def test_asynchronous_file_is_awaited_or_a_context(served: Embedded) -> None:
    async def scene(ftp: AsyncClient) -> None:
        async with ftp.open("f", "w") as file:
            assert await file.write("one\ntwo\n") == 8
            assert (file.writable(), file.readable(), file.seekable(), file.closed) == (True, False, False, False)
        other = await ftp.open("f")
        assert [line async for line in other] == ["one\n", "two\n"]
        await other.close()
        await other.close()
        with pytest.raises(ValueError, match="closed"):
            await other.read()

    run(served, scene)


def test_asynchronous_text_is_sought_at_its_beginning_only(served: Embedded) -> None:
    async def scene(ftp: AsyncClient) -> None:
        async with ftp.open("f", "w") as file:
            await file.write("é" * 10)
        async with ftp.open("f") as file:
            assert await file.read(3) == "ééé"
            with pytest.raises(io.UnsupportedOperation, match="only its beginning"):
                await file.seek(4)
            with pytest.raises(io.UnsupportedOperation, match="no telling"):
                file.tell()
            assert await file.seek(0) == 0
            assert await file.read1() == "é" * 10

    run(served, scene)


def test_leaving_the_loop_over_an_asynchronous_stream_frees_the_session_at_once(served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)

    async def scene(ftp: AsyncClient) -> None:
        async for piece in ftp.stream("f"):
            assert OCTETS.startswith(piece)
            break
        assert await ftp.pwd() == "/"
        pieces = ftp.stream("f", offset=10)
        assert OCTETS[10:].startswith(await anext(pieces))
        with pytest.raises(RuntimeError, match="f is open"):
            await ftp.pwd()
        await pieces.aclose()  # type: ignore[attr-defined]
        assert await ftp.pwd() == "/"

    run(served, scene)


@pytest.mark.long
def test_forgotten_asynchronous_files_free_the_session(served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)

    async def scene(ftp: AsyncClient) -> None:
        file = await ftp.open("f", "rb")
        del file
        gc.collect()
        assert await ftp.pwd() == "/"
        written = [await ftp.open("g", "wb")]
        with pytest.warns(ResourceWarning, match="g was written and never closed"):
            forget(written)
        assert await ftp.pwd() == "/"

    run(served, scene)
    assert not (served.root / "g").exists()


def test_cancelled_read_leaves_a_usable_session_and_file() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", "213 6")
        with peer.passive() as connection:
            peer.expect("RETR f", "150 go")
            connection.sendall(b"oct")
            peer.expect("\udcff\udcf4\udcff\udcf2ABOR", "426 aborted", "226 done")
        peer.expect("NOOP", "200 ok")
        peer.expect("PWD", '257 "/"')
        with peer.passive() as connection:
            peer.expect("REST 3", "350 at 3")
            peer.expect("RETR f", "150 go")
            connection.sendall(b"ets")
        peer.send("226 done")
        peer.expect("QUIT", "221 bye")

    async def scene(url: str) -> None:
        async with AsyncClient(url) as ftp, ftp.open("f", "rb") as file:
            assert await file.read(3) == b"oct"
            task = asyncio.ensure_future(file.read())
            await asyncio.sleep(0)  # it waits for what does not come
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await ftp.pwd() == "/"
            assert await file.read() == b"ets"

    with scripted(script) as server:
        asyncio.run(scene(server.url))
