"""What is tried again, what never is, and where another attempt goes on."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.client.sync import Client
from fairlead.client.trace import TryingAgain
from fairlead.errors import ConnectError, LoginError, PermanentError, SessionLost, TransferError, TransientError
from tests.client.script import (
    HOST,
    LOGIN,
    NO_FEATURES,
    Action,
    Stage,
    Step,
    data,
    door,
    hang_up,
    later,
    on,
    reset,
    session,
    stage,
    take,
)

AGAIN = (*LOGIN, *NO_FEATURES)
"""A new session."""
TYPE_I = on("TYPE I", "200 ok")
NO_SIZE = on("SIZE f", "550 no")
SIX = on("SIZE f", "213 6")
OLD = on("MDTM f", "213 20200101000000")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
PASV = on("PASV", door(5001), "227 ok (192,0,2,90,19,137)")
PWD = on("PWD", '257 "/"')
LONG = b"octets" * 200_000
"""More than what is sent again as a whole."""


def waits(s: Stage) -> list[float]:
    return [record.seconds for record in s.records if isinstance(record, TryingAgain)]


@pytest.mark.req("C-1123-UI-2")
@pytest.mark.parametrize(
    "failure",
    [("450 busy",), ("421 bye", hang_up), (hang_up,), ("150 go", data(b"oct", end=False), later(1, hang_up))],
)
def test_listing_that_fails_for_now_is_asked_for_again(failure: Sequence[Action]) -> None:
    new_session = [] if failure == ("450 busy",) else AGAIN
    listed = on("NLST", "150 go", data(b"a\r\nb\r\n"), "226 done")
    with session(EPSV, on("NLST", *failure), *new_session, EPSV, listed, retries=1) as s:
        assert s.ftp.names() == ["a", "b"]
        assert any(line.startswith("STATUS  trying again in 750 ms (1 of 1): ") for line in s.lines)


def test_pauses_double_up_to_a_minute_and_leave_half_to_chance() -> None:
    busy = [on("PWD", "450 busy")] * 9
    with session(*busy, retries=8, retry_delay=2.0) as s:
        s.wire.luck = 1.0
        with pytest.raises(TransientError):
            s.ftp.pwd()
        assert waits(s) == [2, 4, 8, 16, 32, 60, 60, 60]
    with session(*busy[:2], retries=1, retry_delay=2.0) as s:
        s.wire.luck = 0.0
        with pytest.raises(TransientError):
            s.ftp.pwd()
        assert waits(s) == [1]


def test_nothing_is_tried_again_unless_asked_for() -> None:
    with session(on("PWD", "450 busy")) as s, pytest.raises(TransientError):
        s.ftp.pwd()


@pytest.mark.parametrize("verb", ["PWD", "CWD"])
def test_what_is_refused_for_good_is_not_asked_for_again(verb: str) -> None:
    line = "CWD a" if verb == "CWD" else verb
    with session(on(line, "550 no"), retries=3) as s, pytest.raises(PermanentError):
        s.ftp.cwd("a") if verb == "CWD" else s.ftp.pwd()


def test_new_session_stands_in_the_directory_of_the_old_one() -> None:
    steps = (
        on("CWD a", "250 ok"),
        on("CDUP", "250 ok"),
        on("CWD /b", "250 ok"),
        on("CWD c", "250 ok"),
        on("PWD", hang_up),
        *AGAIN,
        on("CWD /b", "250 ok"),
        on("CWD c", "250 ok"),
        on("PWD", '257 "/b/c"'),
    )
    with session(*steps, retries=1) as s:
        for place in ("a", "..", "/b", "c"):
            s.ftp.cwd(place)
        assert s.ftp.pwd() == "/b/c"


def test_way_back_is_not_forgotten_when_the_first_new_session_fails() -> None:
    steps = (
        on("CWD a", "250 ok"),
        on("PWD", hang_up),
        on("USER me", "421 not now", hang_up),
        *AGAIN,
        on("CWD a", "421 not now", hang_up),
        *AGAIN,
        on("CWD a", "250 ok"),
        on("PWD", '257 "/a"'),
    )
    with session(*steps, retries=3) as s:
        s.ftp.cwd("a")
        assert s.ftp.pwd() == "/a"


def test_server_that_is_not_back_yet_is_called_again() -> None:
    def go(play: Any) -> None:
        greet = play.wire.doors.pop((HOST, 21))
        play.wire.after(5, lambda: play.wire.doors.update({(HOST, 21): greet}))
        hang_up(play)

    with session(on("PWD", go), *AGAIN, PWD, retries=5) as s:
        assert s.ftp.pwd() == "/"
    with session(on("PWD", go), retries=1) as s, pytest.raises(ConnectError):
        s.ftp.pwd()


def test_server_that_does_not_come_back_is_told_of_with_what_was_lost() -> None:
    def go(play: Any) -> None:
        play.wire.doors.clear()
        hang_up(play)

    with session(on("PWD", go), retries=2) as s, pytest.raises(ConnectError) as caught:
        s.ftp.pwd()
    assert str(caught.value) == (
        "the server closed the control connection after PWD, and no new session began: "
        "cannot connect (192.0.2.90:21: connection refused); try again later"
    )


def test_login_that_is_refused_on_return_is_tried_again() -> None:
    """The server may still count the session that was lost."""
    full = (on("USER me", "331 password?"), on("PASS secret", "530 too many"))
    with session(on("PWD", hang_up), *full, *AGAIN, PWD, retries=2) as s:
        assert s.ftp.pwd() == "/"
    with session(on("PWD", hang_up), *full, retries=1) as s, pytest.raises(LoginError):
        s.ftp.pwd()


def test_session_that_was_lost_between_two_operations_is_begun_anew() -> None:
    with session(PWD, *AGAIN, PWD, on("MKD a", '257 "a"'), retries=1) as s:
        s.ftp.pwd()
        s.play.do(["421 idle for too long", hang_up])
        assert s.ftp.pwd() == "/"
        assert waits(s) == []
        s.ftp.mkdir("a")


def test_session_that_the_user_closed_stays_closed() -> None:
    with session(retries=3) as s:
        s.ftp.close()
        with pytest.raises(SessionLost, match="connect again"):
            s.ftp.pwd()


def test_session_of_another_user_is_not_taken_for_ours() -> None:
    steps = (on("USER other", "230 in"), on("PWD", hang_up))
    with session(*steps, retries=3) as s:
        s.ftp.command("USER", "other")
        with pytest.raises(SessionLost):
            s.ftp.pwd()


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("MKD a", lambda ftp: ftp.mkdir("a")),
        ("RMD a", lambda ftp: ftp.rmdir("a")),
        ("DELE a", lambda ftp: ftp.remove("a")),
        ("RNFR a", lambda ftp: ftp.rename("a", "b")),
    ],
)
def test_change_is_repeated_where_the_server_put_it_off_and_nowhere_else(
    line: str, change: Callable[[Client], object]
) -> None:
    with session(on(line, "450 busy"), on(line, "550 no"), retries=3) as s, pytest.raises(PermanentError):
        change(s.ftp)
    with session(on(line, hang_up), retries=3) as s, pytest.raises(SessionLost):
        change(s.ftp)


@pytest.mark.parametrize("verb", ["APPE", "STOU"])
def test_file_is_not_appended_or_stored_under_a_new_name_twice(verb: str) -> None:
    def add(ftp: Client) -> None:
        (ftp.append if verb == "APPE" else ftp.upload_unique)(io.BytesIO(b"octets"), "f")

    cut_off = on(f"{verb} f", "150 go", take("426 cut"))
    with session(TYPE_I, EPSV, cut_off, retries=3) as s, pytest.raises(TransferError):
        add(s.ftp)
    later_on = on(f"{verb} f", "450 busy")
    good = on(f"{verb} f", "150 go", take("226 done"))
    with session(TYPE_I, EPSV, later_on, EPSV, good, retries=3) as s:
        add(s.ftp)


def cut(*sent: bytes, verb: str = "RETR f") -> Step:
    return on(verb, "150 go", data(b"".join(sent), end=False), reset, "426 cut")


@pytest.mark.req("C-3659-RST-1")
def test_download_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    rest = on("RETR f", "150 go", data(b"ts"), "226 done")
    steps = (TYPE_I, SIX, EPSV, cut(b"octe"), SIX, OLD, EPSV, on("REST 4", "350 ok"), rest)
    with session(*steps, retries=1) as s:
        result = s.ftp.download("f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"octets"
    assert (result.offset, result.size) == (0, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_download_begins_anew_where_the_file_changed_or_nothing_goes_on(tmp_path: Path) -> None:
    new = on("MDTM f", "213 29990101000000")
    whole = on("RETR f", "150 go", data(b"octets"), "226 done")
    with session(TYPE_I, SIX, EPSV, cut(b"octe"), SIX, new, EPSV, whole, retries=1) as s:
        assert s.ftp.download("f", tmp_path / "f").size == 6
    refused = on("REST 4", "502 no")
    with session(TYPE_I, SIX, EPSV, cut(b"octe"), SIX, OLD, EPSV, refused, whole, retries=1) as s:
        assert s.ftp.download("f", tmp_path / "f").size == 6
    assert (tmp_path / "f").read_bytes() == b"octets"


def test_download_that_never_began_does_not_go_on_from_an_older_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"xyz")
    whole = on("RETR f", "150 go", data(b"octets"), "226 done")
    with session(TYPE_I, SIX, EPSV, on("RETR f", "450 busy"), SIX, EPSV, whole, retries=1) as s:
        s.ftp.download("f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"octets"


def test_attempts_that_get_on_do_not_count(tmp_path: Path) -> None:
    steps = [TYPE_I, SIX, EPSV, cut(b"o")]
    for offset, octet in enumerate(b"ctet", 1):
        steps += [SIX, OLD, EPSV, on(f"REST {offset}", "350 ok"), cut(bytes([octet]))]
    steps += [SIX, OLD, EPSV, on("REST 5", "350 ok"), on("RETR f", "150 go", data(b"s"), "226 done")]
    with session(*steps, retries=1) as s:
        s.ftp.download("f", tmp_path / "f")
        assert waits(s) == [0.75] * 5
    assert (tmp_path / "f").read_bytes() == b"octets"


def test_stalled_download_is_tried_again(tmp_path: Path) -> None:
    stalled = on("RETR f", "150 go", data(b"oct", end=False))
    aborted = (on("ABOR", "426 aborted", "226 done"), on("NOOP", "200 ok"))
    rest = on("RETR f", "150 go", data(b"ets"), "226 done")
    steps = (TYPE_I, SIX, EPSV, stalled, *aborted, SIX, OLD, EPSV, on("REST 3", "350 ok"), rest)
    with session(*steps, retries=1) as s:
        s.ftp.download("f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"octets"


def test_download_to_a_stream_goes_on_behind_what_was_written() -> None:
    rest = on("RETR f", "150 go", data(b"ets"), "226 done")
    target = io.BytesIO()
    with session(TYPE_I, SIX, EPSV, cut(b"oct"), SIX, EPSV, on("REST 3", "350 ok"), rest, retries=1) as s:
        result = s.ftp.download("f", target)
    assert target.getvalue() == b"octets"
    assert (result.offset, result.size) == (0, 6)


@pytest.mark.parametrize(
    "second",
    [(on("SIZE f", "213 7"),), (NO_SIZE,), (SIX, EPSV, on("REST 3", "502 no"))],
    ids=["changed", "?", "no REST"],
)
def test_stream_is_never_written_twice(second: Sequence[Step]) -> None:
    target = io.BytesIO()
    with (
        session(TYPE_I, SIX, EPSV, cut(b"oct"), *second, retries=1) as s,
        pytest.raises(TransferError, match="426 cut") as caught,
    ):
        s.ftp.download("f", target)
    assert target.getvalue() == b"oct"
    assert "cannot be taken back" in str(caught.value.__cause__)


def test_upload_goes_on_with_the_part_that_it_left(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(LONG)
    half, length = len(LONG) // 2, len(LONG)
    there, all_there = on("SIZE f", f"213 {half}"), on("SIZE f", f"213 {length}")
    good = on("STOR f", "150 go", take("226 done"))
    steps = (
        *(TYPE_I, NO_SIZE, EPSV, on("STOR f", "150 go", take("426 cut"))),
        *(there, OLD, EPSV, on(f"REST {half}", "350 ok"), good, all_there),
    )
    with session(*steps, retries=1) as s:
        result = s.ftp.upload(tmp_path / "f", "f")
    assert s.play.stored == LONG + LONG[half:]
    assert (result.offset, result.size) == (0, length)


@pytest.mark.parametrize(
    "after",
    [
        (on("SIZE f", "213 17"), OLD),
        (NO_SIZE,),
        (on("SIZE f", f"213 {len(LONG) + 1}"), OLD),
    ],
    ids=["the older file is still there", "nothing is there", "more is there than was sent"],
)
def test_upload_begins_anew_where_no_part_is_its_own(tmp_path: Path, after: Sequence[Step]) -> None:
    (tmp_path / "f").write_bytes(LONG)
    before = (on("SIZE f", "213 17"), OLD)
    good = on("STOR f", "150 go", take("226 done"))
    steps = (TYPE_I, *before, EPSV, on("STOR f", "150 go", take("426 cut")), *after, EPSV, good)
    with session(*steps, retries=1) as s:
        s.ftp.upload(tmp_path / "f", "f")
    assert s.play.stored == LONG + LONG


def test_small_upload_is_sent_again_as_a_whole() -> None:
    good = on("STOR f", "150 go", take("226 done"))
    with session(TYPE_I, EPSV, on("STOR f", "150 go", take("426 cut")), EPSV, good, retries=1) as s:
        s.ftp.upload(io.BytesIO(b"octets"), "f")
    assert s.play.stored == b"octetsoctets"


def test_upload_that_the_server_has_no_room_for_is_not_sent_again() -> None:
    full = on("STOR f", "150 go", take("552 quota exceeded"))
    with session(TYPE_I, EPSV, full, retries=3) as s, pytest.raises(TransferError):
        s.ftp.upload(io.BytesIO(b"octets"), "f")


def test_operations_within_one_that_is_tried_again_are_left_to_it() -> None:
    """Or attempts would multiply."""
    steps = (TYPE_I, on("SIZE f", "421 bye", hang_up), *AGAIN, TYPE_I, on("SIZE f", "421 bye", hang_up))
    with session(*steps, retries=1) as s:
        with pytest.raises(SessionLost):
            s.ftp.download("f", io.BytesIO())
        assert len(waits(s)) == 1


def test_server_that_takes_no_session_for_now_is_called_again() -> None:
    greetings = iter(["421 too many users", "421 too many users", "220 ready"])
    on_stage = stage(*LOGIN, *NO_FEATURES, retries=2, greeting=(lambda play: play.do([next(greetings)]),))
    with on_stage.ftp:
        assert waits(on_stage) == [0.75, 1.5]
    on_stage.play.done()


def test_server_that_takes_no_session_at_all_is_left_alone_in_the_end() -> None:
    on_stage = stage(retries=2, greeting=("421 too many users", hang_up))
    with pytest.raises(ConnectError, match="421 too many users"):
        on_stage.ftp.connect()
    assert len(on_stage.wire.calls) == 3


def test_server_that_is_not_there_is_not_called_again() -> None:
    on_stage = stage(retries=2)
    on_stage.wire.doors.clear()
    with pytest.raises(ConnectError):
        on_stage.ftp.connect()
    assert len(on_stage.wire.calls) == 1
