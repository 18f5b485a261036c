"""Transfers in a way that has served in the session: what is done without looking for one, and where that ends."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from fairlead.errors import DeadlineError, FairleadError, PermanentError, SessionLost, TransferError, TransientError
from fairlead.reach.cause import Cause
from tests.client.script import (
    LOGIN,
    WITH_MLST,
    Action,
    Play,
    Stage,
    Step,
    data,
    door,
    hang_up,
    later,
    on,
    reset,
    session,
    silent,
    take,
)

TYPE_I = on("TYPE I", "200 ok")
GO = ("150 go", data(b"octets"), "226 done")
AGREED = on("EPSV", door(5002), "229 ok (|||5002|)")
PASV = on("PASV", door(5003), "227 ok (192,0,2,90,19,139)")
SIZED = on("SIZE f", "213 6")
SERVED = (TYPE_I, SIZED, on("EPSV", door(5001), "229 ok (|||5001|)"), on("RETR f", *GO))
"""The first download of a session, by which its way is known to serve."""
ALIVE = on("PWD", '257 "/"')
ABORTED = (on("ABOR", "426 aborted", "226 done"), on("NOOP", "200 ok"))


def fetch(s: Stage) -> bytes:
    """What a download of ``f`` brings."""
    target = io.BytesIO()
    s.ftp.download("f", target)
    return target.getvalue()


def interrupt(_play: Play) -> None:
    """As Control-C does, wherever the client waits."""
    raise KeyboardInterrupt


def test_size_is_asked_for_beside_the_port_and_nobody_waits_in_between() -> None:
    together = (on("EPSV", door(5002)), on("SIZE f", "229 ok (|||5002|)", "213 6"))
    with session(*SERVED, *together, on("RETR f", *GO), features=WITH_MLST) as s:
        assert [fetch(s), fetch(s)] == [b"octets"] * 2
        assert bytes(s.play.raw).endswith(b"EPSV\r\nSIZE f\r\nRETR f\r\n")


def test_size_goes_alone_where_the_server_shows_no_facts_of_files() -> None:
    steps = (SIZED, on("EPSV", door(5002), "229 ok (|||5002|)"), on("RETR f", *GO))
    with session(*SERVED, *steps) as s:
        assert [fetch(s), fetch(s)] == [b"octets"] * 2


def test_size_that_the_server_does_not_know_is_asked_for_once() -> None:
    first = (TYPE_I, on("SIZE f", "213 6"), on("EPSV", door(5001), "229 ok (|||5001|)"), on("RETR f", *GO))
    second = (AGREED, on("SIZE f", "502 no"), on("RETR f", *GO))
    with session(*first, *second, AGREED, on("RETR f", *GO), features=WITH_MLST) as s:
        assert [fetch(s) for _ in range(3)] == [b"octets"] * 3


def test_fewer_octets_than_size_promised_beside_the_port_are_no_success() -> None:
    steps = (AGREED, on("SIZE f", "213 9"), on("RETR f", *GO), ALIVE)
    with session(*SERVED, *steps, features=WITH_MLST) as s:
        fetch(s)
        with pytest.raises(TransferError, match="cut short: 6 of 9 bytes"):
            fetch(s)
        assert s.ftp.pwd() == "/"


@pytest.mark.parametrize("told", [6, 9])
def test_server_that_swallows_a_second_command_is_asked_one_by_one_from_then_on(told: int) -> None:
    swallowed = (AGREED, on("SIZE f"), on("PWD", '257 "/"'), on("RETR f", *GO), on("SIZE f", f"213 {told}"))
    alone = (SIZED, on("EPSV", door(5003), "229 ok (|||5003|)"), on("RETR f", *GO))
    with session(*SERVED, *swallowed, *alone, features=WITH_MLST) as s:
        fetch(s)
        if told == len(b"octets"):
            assert fetch(s) == b"octets"
        else:
            with pytest.raises(TransferError, match="cut short: 6 of 9 bytes"):
                fetch(s)
        assert fetch(s) == b"octets"


def test_size_that_takes_long_is_waited_for() -> None:
    slow = (AGREED, on("SIZE f", later(3, "213 9")), on("PWD", later(4, '257 "/"')), on("RETR f", *GO), ALIVE)
    with session(*SERVED, *slow, features=WITH_MLST) as s:
        fetch(s)
        with pytest.raises(TransferError, match="cut short: 6 of 9 bytes"):
            fetch(s)
        assert s.ftp.pwd() == "/"


@pytest.mark.parametrize(
    "agreement",
    [
        pytest.param((on("EPSV", "500 what?"), SIZED), id="EPSV not known any more"),
        pytest.param((on("EPSV", "425 no port"), SIZED), id="no port"),
        pytest.param((on("EPSV", "229 somewhere"), SIZED), id="no port named"),
        pytest.param((on("EPSV", "229 ok (|||5009|)"), SIZED), id="port refused"),
        pytest.param((on("EPSV", silent(5009), "229 ok (|||5009|)"), SIZED), id="port silent"),
        pytest.param((AGREED, SIZED, on("RETR f", "425 no data connection")), id="425"),
        pytest.param((AGREED, SIZED, on("RETR f", "150 go", "425 no data connection")), id="425 after 150"),
    ],
)
def test_way_that_serves_no_more_leads_to_the_next_one(agreement: Sequence[Step]) -> None:
    with session(*SERVED, *agreement, PASV, on("RETR f", *GO), ALIVE, features=WITH_MLST) as s:
        assert [fetch(s), fetch(s)] == [b"octets"] * 2
        assert s.ftp.pwd() == "/"
        assert sum(line.startswith("STATUS  no data connection by EPSV") for line in s.lines) == 1


@pytest.mark.req("C-959-RPL-7")
@pytest.mark.parametrize(
    "actions",
    [
        GO,
        (data(b"octets"), "226 done"),
        ("150 go", "226 done", data(b"octets")),
        ("150 go\r\n226 done", later(1, data(b"octets"))),
        ("150 go", data(b"oct", end=False), "226 done", later(1, data(b"ets"))),
        ("150 go", later(1, data(b"octets"), later(1, "226 done"))),
        (later(1, "150 go", later(1, data(b"octets"), later(1, "226 done"))),),
        ("150 go", "110 MARK 1 = 2", data(b"octets"), "226-well\r\n226 done"),
    ],
)
def test_data_and_replies_come_in_any_order(actions: Sequence[Action]) -> None:
    with session(*SERVED, AGREED, SIZED, on("RETR f", *actions), ALIVE, features=WITH_MLST) as s:
        assert [fetch(s), fetch(s)] == [b"octets"] * 2
        assert s.ftp.pwd() == "/"


STALLED = ("150 go", data(b"oct", end=False))


@pytest.mark.req("C-959-SYNC-1")
@pytest.mark.parametrize(
    ("actions", "error", "match", "due"),
    [
        (("550 no such file",), PermanentError, "550 no such file", ()),
        (("450 not now",), TransientError, "450 not now", ()),
        (("150 go", data(b"oct"), "426 cut"), TransferError, "broke off", ()),
        (("150 go", data(b"oct"), "451 disk"), TransferError, "broke off", ()),
        (("150 go", data(b"oct"), "226 done"), TransferError, "cut short: 3 of 6", ()),
        (("150 go", data(b"oct", end=False), reset, "226 done"), TransferError, "not whole", ()),
        (STALLED, TransferError, "stood still", ABORTED),
        ((), DeadlineError, "no reply to RETR f", None),
        (("421 going down",), SessionLost, "421 going down", None),
        (("150 go", "421 going down"), SessionLost, "421 going down", None),
        ((hang_up,), SessionLost, "closed the control connection", None),
        (("150 go", hang_up), SessionLost, "closed the control connection", None),
    ],
)
def test_what_goes_wrong_is_told_and_the_replies_stay_in_step(
    actions: Sequence[Action], error: type[FairleadError], match: str, due: Sequence[Step] | None
) -> None:
    after = () if due is None else (*due, ALIVE)
    with session(*SERVED, AGREED, SIZED, on("RETR f", *actions), *after, features=WITH_MLST, final_timeout=5.0) as s:
        fetch(s)
        with pytest.raises(error, match=match) as caught:
            fetch(s)
        if due is not None:
            assert s.ftp.pwd() == "/"
        assert s.ftp.connected is (due is not None)
        cause = getattr(caught.value, "evidence", {}).get("cause")
        assert (cause is Cause.DATA_STALLED) is (actions is STALLED)
        assert s.play.data is not None
        assert s.play.data.other.closed


@pytest.mark.parametrize(
    "steps",
    [
        (on("EPSV", "421 going down"), on("SIZE f")),
        (on("EPSV", "229 ok (|||5002|)"), on("SIZE f", "421 going down")),
        (on("EPSV", hang_up), on("SIZE f")),
        (on("EPSV", door(5002, "421 going down"), "229 ok (|||5002|)"), SIZED),
        (on("EPSV", door(5002, hang_up), "229 ok (|||5002|)"), SIZED),
    ],
)
def test_session_that_ends_before_the_transfer_is_lost(steps: Sequence[Step]) -> None:
    with session(*SERVED, *steps, features=WITH_MLST) as s:
        fetch(s)
        with pytest.raises(SessionLost):
            fetch(s)
        assert not s.ftp.connected


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ((on("EPSV"), on("SIZE f", later(1, "229 ok (|||5002|)", "213 6", interrupt))), ()),
        ((on("EPSV", silent(5002), "229 ok (|||5002|)", later(0.5, interrupt)), SIZED), ()),
        ((AGREED, SIZED, on("RETR f", later(1, interrupt))), ABORTED),
        ((AGREED, SIZED, on("RETR f", "150 go", later(1, interrupt))), ABORTED),
        ((AGREED, SIZED, on("RETR f", "150 go", data(b"oct", end=False), later(1, interrupt))), ABORTED),
        ((AGREED, SIZED, on("RETR f", "150 go", data(b"octets"), later(1, interrupt))), ABORTED),
    ],
    ids=["agreeing", "calling", "before 150", "before the data", "within the data", "before 226"],
)
def test_interruption_at_any_point_leaves_the_session_in_step(
    tmp_path: Path, steps: Sequence[Step], due: Sequence[Step]
) -> None:
    with session(*SERVED, *steps, *due, ALIVE, features=WITH_MLST) as s:
        fetch(s)
        with pytest.raises(KeyboardInterrupt):
            s.ftp.download("f", tmp_path / "f")
        assert s.ftp.pwd() == "/"
        assert not (tmp_path / "f").exists()


@pytest.mark.parametrize(
    ("actions", "error"),
    [
        (("150 go", take("226 done")), None),
        (("150 go", take(later(1, "226-well\r\n226 done"))), None),
        (("553 no such place",), PermanentError),
        (("452 disk full",), TransientError),
        (("150 go", take("552 too much")), TransferError),
        (("150 go", reset, later(1, "426 cut")), TransferError),
        (("421 going down",), SessionLost),
    ],
)
def test_uploads_end_as_the_server_says(actions: Sequence[Action], error: type[FairleadError] | None) -> None:
    steps = (AGREED, on("STOR g", *actions))
    alive = error is not SessionLost
    with session(*SERVED, *steps, *((ALIVE,) if alive else ()), features=WITH_MLST) as s:
        fetch(s)
        if error is None:
            s.ftp.upload(io.BytesIO(b"stored"), "g")
            assert s.play.stored == b"stored"
        else:
            with pytest.raises(error):
                s.ftp.upload(io.BytesIO(b"stored"), "g")
        if alive:
            assert s.ftp.pwd() == "/"


@pytest.mark.parametrize("silence", [(), (hang_up,)], ids=["silence", "end"])
def test_final_reply_that_is_lost_is_settled_by_size_in_a_new_session(silence: Sequence[Action]) -> None:
    steps = (AGREED, SIZED, on("RETR f", "150 go", data(b"octets"), *silence), *LOGIN, *WITH_MLST, ALIVE)
    with session(*SERVED, *steps, features=WITH_MLST, final_timeout=5.0) as s:
        assert [fetch(s), fetch(s)] == [b"octets"] * 2
        assert s.ftp.pwd() == "/"


def test_part_that_came_before_the_session_was_lost_is_not_taken_for_the_whole() -> None:
    steps = (AGREED, SIZED, on("RETR f", "150 go", data(b"oct"), hang_up), *LOGIN, *WITH_MLST, ALIVE)
    with session(*SERVED, *steps, features=WITH_MLST) as s:
        fetch(s)
        with pytest.raises(SessionLost):
            fetch(s)
        assert s.ftp.pwd() == "/"


def test_upload_without_a_final_reply_is_none_where_nothing_shows_that_it_arrived() -> None:
    asked = (TYPE_I, on("SIZE g", "213 6"), ALIVE)
    with session(
        *SERVED, AGREED, on("STOR g", "150 go", take(hang_up)), *LOGIN, *WITH_MLST, *asked, features=WITH_MLST
    ) as s:
        fetch(s)
        with pytest.raises(SessionLost):
            s.ftp.upload(io.BytesIO(b"stored"), "g")
        assert s.ftp.pwd() == "/"


def test_chosen_mode_that_serves_no_more_is_not_tried_a_second_time() -> None:
    refused = (on("EPSV", "229 ok (|||5009|)"), SIZED)
    with session(*SERVED, *refused, ALIVE, features=WITH_MLST, mode="epsv") as s:
        fetch(s)
        with pytest.raises(FairleadError, match="no data connection"):
            fetch(s)
        assert s.ftp.pwd() == "/"
