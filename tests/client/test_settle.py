"""A final reply that never comes: what the server says in a new session decides."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from fairlead.errors import DeadlineError, SessionLost
from tests.client.script import (
    LOGIN,
    NO_FEATURES,
    Action,
    Stage,
    Step,
    cut_off,
    data,
    door,
    hang_up,
    later,
    on,
    session,
    take,
)

OCTETS = b"octets"
LONG = b"octets" * 200_000
AGAIN = (*LOGIN, *NO_FEATURES, on("TYPE I", "200 ok"))
TYPE_I = on("TYPE I", "200 ok")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
SIX = on("SIZE f", "213 6")
UNKNOWN = on("SIZE f", "550 no")
ALL = on("SIZE f", f"213 {len(LONG)}")
XMD5 = on("FEAT", "211-Features:\r\n XMD5\r\n211 End")
MD5 = on("XMD5 f", f"250 {hashlib.md5(OCTETS).hexdigest()}")
LOST: list[Sequence[Action]] = [(), (hang_up,), (later(1, cut_off),), ("421 shutting down", hang_up)]
"""What may come in place of the final reply."""


def settled(s: Stage) -> bool:
    return any("final reply is missing" in line for line in s.lines)


@pytest.mark.req("C-1123-RPL-10")
@pytest.mark.parametrize("end", LOST, ids=["silence", "end", "reset", "421"])
def test_download_that_size_shows_to_be_whole_needs_no_final_reply(tmp_path: Path, end: Sequence[Action]) -> None:
    with session(TYPE_I, SIX, EPSV, on("RETR f", "150 go", data(OCTETS), *end), *AGAIN[:-1]) as s:
        result = s.ftp.download("f", tmp_path / "f")
        assert settled(s)
    assert (tmp_path / "f").read_bytes() == OCTETS
    assert (result.size, result.mode) == (6, "EPSV")


def test_download_whose_size_was_not_known_asks_for_it_in_the_new_session(tmp_path: Path) -> None:
    retrieve = on("RETR f", "150 go", data(OCTETS), hang_up)
    with session(TYPE_I, UNKNOWN, EPSV, retrieve, *AGAIN, SIX) as s:
        s.ftp.download("f", tmp_path / "f")
    with session(TYPE_I, UNKNOWN, EPSV, retrieve, *AGAIN, on("SIZE f", "213 7")) as s, pytest.raises(SessionLost):
        s.ftp.download("f", tmp_path / "f")


def test_whole_download_needs_no_new_session(tmp_path: Path) -> None:
    refused = (on("USER me", "331 password?"), on("PASS secret", "530 not now"))
    with session(TYPE_I, SIX, EPSV, on("RETR f", "150 go", data(OCTETS), hang_up), *refused) as s:
        s.ftp.download("f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_data_goes_on_after_the_control_connection_broke(tmp_path: Path) -> None:
    """A router may have forgotten the control connection while the data flowed."""
    retrieve = on("RETR f", "150 go", data(b"oct", end=False), later(1, cut_off), later(3, data(b"ets")))
    with session(TYPE_I, SIX, EPSV, retrieve, *AGAIN[:-1]) as s:
        s.ftp.download("f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_data_that_stands_still_after_the_control_connection_broke_is_not_waited_for_long(tmp_path: Path) -> None:
    retrieve = on("RETR f", "150 go", data(b"oct", end=False), later(1, cut_off), later(8, data(b"ets")))
    with session(TYPE_I, SIX, EPSV, retrieve) as s, pytest.raises(SessionLost):
        s.ftp.download("f", tmp_path / "f")
    assert (tmp_path / "f.part").read_bytes() == b"oct"


def test_text_whose_final_reply_is_missing_is_not_settled(tmp_path: Path) -> None:
    with session(EPSV, on("RETR f", "150 go", data(b"a\r\n"), hang_up)) as s, pytest.raises(SessionLost):
        s.ftp.download("f", tmp_path / "f", text=True)


@pytest.mark.req("C-1123-RPL-10")
@pytest.mark.parametrize("end", LOST, ids=["silence", "end", "reset", "421"])
def test_upload_that_size_shows_to_be_stored_needs_no_final_reply(tmp_path: Path, end: Sequence[Action]) -> None:
    (tmp_path / "f").write_bytes(LONG)
    with session(TYPE_I, UNKNOWN, EPSV, on("STOR f", "150 go", take(*end)), *AGAIN, ALL) as s:
        assert s.ftp.upload(tmp_path / "f", "f").size == len(LONG)
        assert settled(s)
    assert s.play.stored == LONG


OLD, NEW = on("MDTM f", "213 20200101000000"), on("MDTM f", "213 20240101000000")


@pytest.mark.parametrize(("now", "well"), [(NEW, True), (OLD, False)])
def test_older_file_of_the_same_size_is_not_taken_for_the_upload(tmp_path: Path, now: Step, well: bool) -> None:
    (tmp_path / "f").write_bytes(LONG)
    store = on("STOR f", "150 go", take(hang_up))
    with session(TYPE_I, ALL, OLD, EPSV, store, *AGAIN, ALL, now) as s:
        if well:
            s.ftp.upload(tmp_path / "f", "f")
        else:
            with pytest.raises(SessionLost):
                s.ftp.upload(tmp_path / "f", "f")


def test_small_upload_is_settled_by_the_servers_digest() -> None:
    store = on("STOR f", "150 go", take(hang_up))
    again = (*LOGIN, XMD5, TYPE_I, SIX)
    with session(TYPE_I, EPSV, store, *again, MD5) as s:
        s.ftp.upload(io.BytesIO(OCTETS), "f")
        assert any("XMD5 shows that f is whole" in line for line in s.lines)
    other = on("XMD5 f", f"250 {hashlib.md5(b'other!').hexdigest()}")
    with session(TYPE_I, EPSV, store, *again, other) as s, pytest.raises(SessionLost):
        s.ftp.upload(io.BytesIO(OCTETS), "f")


def test_upload_that_is_not_settled_is_sent_again_where_retries_are_left() -> None:
    store, good = on("STOR f", "150 go", take(hang_up)), on("STOR f", "150 go", take("226 done"))
    with session(TYPE_I, EPSV, store, *AGAIN, SIX, EPSV, good, retries=1) as s:
        s.ftp.upload(io.BytesIO(OCTETS), "f")
    assert s.play.stored == OCTETS * 2


def test_upload_that_is_cut_short_on_the_server_is_not_settled(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(LONG)
    part = on("SIZE f", "213 17")
    store = on("STOR f", "150 go", take(hang_up))
    with session(TYPE_I, UNKNOWN, EPSV, store, *AGAIN, part) as s, pytest.raises(SessionLost):
        s.ftp.upload(tmp_path / "f", "f")


@pytest.mark.req("C-1123-UI-2")
def test_final_reply_has_a_deadline_of_its_own() -> None:
    slow = on("RETR f", "150 go", data(OCTETS), later(50, "226 done"))
    with session(TYPE_I, UNKNOWN, EPSV, slow, reply_timeout=10, final_timeout=60) as s:
        s.ftp.download("f", io.BytesIO())
    silent = on("RETR f", "150 go", data(OCTETS))
    steps = (TYPE_I, UNKNOWN, EPSV, silent, *AGAIN, UNKNOWN)
    with (
        session(*steps, final_timeout=5) as s,
        pytest.raises(DeadlineError, match=r"no reply to RETR f within 5\.0 s"),
    ):
        s.ftp.download("f", io.BytesIO())
