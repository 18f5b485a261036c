"""NOOP during transfers: sent in time, and never out of step with the replies."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from fairlead.errors import DeadlineError, SessionLost, TransferError
from tests.client.script import Action, Step, data, door, hang_up, later, on, session, take

OCTETS = b"octets"
TYPE_I = on("TYPE I", "200 ok")
NO_SIZE = on("SIZE f", "550 no")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
PWD = on("PWD", '257 "/"')
SLOW = on("RETR f", "150 go", later(25, data(OCTETS), "226 done"))
"""A transfer during which two NOOPs are due, ten seconds apart."""


def fetched(*steps: Step, slow: Step = SLOW) -> list[str]:
    """What the server heard when a slow transfer and then PWD were asked for."""
    target = io.BytesIO()
    with session(TYPE_I, NO_SIZE, EPSV, slow, *steps, noop_interval=10) as s:
        s.ftp.download("f", target)
        assert target.getvalue() == OCTETS
        assert s.ftp.pwd() == "/"
        return list(s.play.heard)


@pytest.mark.req("C-1123-UI-2")
def test_nothing_is_sent_during_a_transfer_unless_asked_for() -> None:
    with session(TYPE_I, NO_SIZE, EPSV, SLOW, PWD) as s:
        s.ftp.download("f", io.BytesIO())
        s.ftp.pwd()


@pytest.mark.req("C-959-SYNC-1")
@pytest.mark.parametrize("answer", ["200 ok", "500 what?", "502 not now", "503 bad sequence", "530 log in"])
def test_answers_that_come_at_once(answer: str) -> None:
    noop = on("NOOP", answer)
    assert fetched(noop, noop, PWD)[-3:] == ["NOOP", "NOOP", "PWD"]


@pytest.mark.req("C-959-SYNC-1")
@pytest.mark.parametrize(
    "end",
    [("226 done", "200 ok", "200 ok"), ("200 ok", "226 done", "200 ok"), ("226 done", later(0.5, "200 ok", "200 ok"))],
)
def test_answers_that_come_with_the_end_of_the_transfer_or_behind_it(end: Sequence[Action]) -> None:
    slow = on("RETR f", "150 go", later(25, data(OCTETS), *end))
    assert fetched(on("NOOP"), on("NOOP"), PWD, slow=slow)[-1] == "PWD"


@pytest.mark.req("C-959-SYNC-1")
@pytest.mark.parametrize("late", [(), ("200 ok",), ("200 ok", "200 ok")])
def test_answers_that_are_missing_are_not_waited_for_long(late: Sequence[str]) -> None:
    landmark = on("PWD", *late, '257 "/"')
    assert fetched(on("NOOP"), on("NOOP"), landmark, PWD)[-2:] == ["PWD", "PWD"]


def test_failure_of_the_transfer_is_not_taken_for_an_answer() -> None:
    slow = on("RETR f", "150 go", later(15, "552 quota exceeded"))
    with session(TYPE_I, NO_SIZE, EPSV, slow, on("NOOP"), PWD, PWD, noop_interval=10) as s:
        with pytest.raises(TransferError, match="552"):
            s.ftp.download("f", io.BytesIO())
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-959-SYNC-1")
def test_transfer_that_stands_still_is_given_up_all_the_same() -> None:
    noop = on("NOOP", "200 ok")
    aborted = (on("ABOR", "426 aborted", "226 done"), noop)
    stalled = (TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go"), noop, noop)
    with session(*stalled, *aborted, PWD, noop_interval=10, data_timeout=25) as s:
        with pytest.raises(TransferError, match=r"stood still for 25\.0 s"):
            s.ftp.download("f", io.BytesIO())
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-959-SYNC-1", "C-959-ABOR-1")
@pytest.mark.parametrize(
    ("answers", "landmark"), [(("200 ok", "200 ok"), on("NOOP", "200 ok")), (("200 ok",), PWD), ((), PWD)]
)
def test_answers_that_come_after_abor_are_told_from_those_to_it(answers: Sequence[str], landmark: Step) -> None:
    late = (on("NOOP"), on("NOOP"), on("ABOR", *answers, "426 aborted", "226 done"), landmark)
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go"), *late, PWD, noop_interval=10, data_timeout=25) as s:
        with pytest.raises(TransferError):
            s.ftp.download("f", io.BytesIO())
        assert s.ftp.pwd() == "/"


def test_upload_beats_as_well() -> None:
    def hold(play: object) -> None:
        play.data.window = 1  # type: ignore[attr-defined]

    slow = on("STOR f", hold, "150 go", later(15, take("226 done")))
    with session(TYPE_I, EPSV, slow, on("NOOP", "200 ok"), PWD, noop_interval=10) as s:
        s.ftp.upload(io.BytesIO(OCTETS), "f")
        s.ftp.pwd()


def test_session_that_is_lost_when_noop_is_sent_is_lost() -> None:
    slow = on("RETR f", "150 go", later(15, data(b"oct", end=False)))
    with session(TYPE_I, NO_SIZE, EPSV, slow, on("NOOP", hang_up), noop_interval=10) as s, pytest.raises(SessionLost):
        s.ftp.download("f", io.BytesIO())


def test_server_that_answers_nothing_any_more_is_given_up() -> None:
    with session(TYPE_I, NO_SIZE, EPSV, SLOW, on("NOOP"), on("NOOP"), on("PWD"), noop_interval=10) as s:
        s.ftp.download("f", io.BytesIO())
        with pytest.raises(DeadlineError):
            s.ftp.pwd()
