"""Data, preliminary and final replies in every order, and transfers that break."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from fairlead.client._face import session_of
from fairlead.client._flow import Inflow
from fairlead.client._local import Writer
from fairlead.client._wires.blocking import step
from fairlead.errors import DeadlineError, PermanentError, SessionLost, TransferError, TransientError
from fairlead.proto.codec import Representation
from fairlead.reach.cause import Cause
from tests.client.script import (
    LOGIN,
    NO_FEATURES,
    Action,
    Play,
    Step,
    cut_off,
    data,
    door,
    hang_up,
    later,
    narrow,
    on,
    reset,
    session,
    stage,
    take,
)

TYPE_I = on("TYPE I", "200 ok")
NO_SIZE = on("SIZE f", "550 no")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
ABORTED = (on("ABOR", "426 aborted", "226 done"), on("NOOP", "200 ok"))


def fetch(*actions: Action, size: Step = NO_SIZE) -> bytes:
    """What a download brings when ``actions`` follow RETR."""
    target = io.BytesIO()
    with session(TYPE_I, size, EPSV, on("RETR f", *actions)) as s:
        s.ftp.download("f", target)
    return target.getvalue()


def store(octets: bytes, *actions: Action) -> bytes:
    """What the server got when ``actions`` follow STOR."""
    with session(TYPE_I, EPSV, on("STOR f", *actions)) as s:
        result = s.ftp.upload(io.BytesIO(octets), "f")
    assert result.size == len(octets)
    return s.play.stored


@pytest.mark.req("C-959-RPL-7", "C-959-RPL-5")
@pytest.mark.parametrize(
    "actions",
    [
        ("150 go", data(b"octets"), "226 done"),
        ("125 go", data(b"oct", end=False), later(1, data(b"ets"), later(1, "250 done"))),
        ("150 go", "226 done", later(1, data(b"octets"))),
        ("150 go", data(b"oct", end=False), "226 done", later(1, data(b"ets"))),
        ("150 go", "110 MARK 1 = 2", data(b"oct", end=False), "110 MARK 3 = 4", data(b"ets"), "226 done"),
        ("150-go\r\n 226 not this\r\n150 now", data(b"octets"), "226-well\r\n226 done"),
        ("199 go", data(b"octets"), "299 done"),
    ],
)
def test_success_needs_the_end_of_the_data_and_the_final_reply_in_any_order(actions: Sequence[Action]) -> None:
    assert fetch(*actions) == b"octets"


@pytest.mark.req("C-1123-RPL-2")
def test_every_reply_of_a_session_may_have_several_lines() -> None:
    def long(code: int, text: str = "the end") -> str:
        return f"{code}-one\r\n 226 two\r\n{code}-three\r\n\r\n{code} {text}"

    on_stage = stage(
        on("USER me", long(331)),
        on("PASS secret", long(230)),
        on("FEAT", "211-\r\n SIZE\r\n211 "),
        on("TYPE I", long(200)),
        on("SIZE f", "213 6"),
        on("EPSV", door(5001), long(229, "ok (|||5001|)")),
        on("RETR f", long(150), data(b"octets"), long(226)),
        on("CWD d", long(250)),
        on("DELE x", long(550)),
        on("QUIT", long(221), hang_up),
        greeting=(long(120), long(220)),
    )
    target = io.BytesIO()
    with on_stage.ftp as ftp:
        ftp.download("f", target)
        ftp.cwd("d")
        with pytest.raises(PermanentError, match="the end"):
            ftp.remove("x")
    on_stage.play.done()
    assert target.getvalue() == b"octets"


@pytest.mark.req("C-959-RPL-9")
@pytest.mark.parametrize("actions", [("226 done", data(b"octets")), (data(b"octets"), "226 done")])
def test_final_reply_without_a_preliminary_one(actions: Sequence[Action]) -> None:
    assert fetch(*actions) == b"octets"


@pytest.mark.req("C-959-RPL-8")
def test_refusal_instead_of_a_preliminary_reply_closes_the_data_connection() -> None:
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "550 no such file"), on("PWD", '257 "/"')) as s:
        with pytest.raises(PermanentError, match="RETR f") as caught:
            s.ftp.download("f", io.BytesIO())
        assert caught.value.reply.code == 550
        assert s.play.data is not None
        assert s.play.data.other.closed
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-959-RPL-8")
def test_refusal_in_active_mode_closes_the_listener() -> None:
    steps = (TYPE_I, on("PORT 192,0,2,80,133,73", "200 ok"), on("STOR f", "553 not you"))
    with session(*steps, mode="port") as s:
        with pytest.raises(PermanentError, match="553"):
            s.ftp.upload(io.BytesIO(b"x"), "f")
        assert s.wire.listeners[0].closed


def test_temporary_refusal() -> None:
    with pytest.raises(TransientError, match="450 busy"):
        fetch("450 busy")


@pytest.mark.req("C-959-XFER-1")
@pytest.mark.parametrize("reply", ["426 connection broke", "451 disk trouble", "551 bad page"])
def test_no_success_when_the_server_says_that_it_failed(reply: str) -> None:
    with pytest.raises(TransferError, match=reply) as caught:
        fetch("150 go", data(b"oct"), reply)
    assert caught.value.transferred == 3
    assert caught.value.evidence["reply"].code == int(reply[:3])


@pytest.mark.req("C-959-XFER-1")
def test_failure_told_while_the_data_connection_stays_open() -> None:
    with pytest.raises(TransferError, match="451 disk trouble") as caught:
        fetch("150 go", data(b"oct", end=False), later(1, "451 disk trouble"))
    assert caught.value.transferred == 3


@pytest.mark.req("C-959-XFER-1")
def test_fewer_octets_than_size_promised_are_no_success_whatever_the_server_says() -> None:
    with pytest.raises(TransferError, match="3 of 6 bytes"):
        fetch("150 go", data(b"oct"), "226 done", size=on("SIZE f", "213 6"))


@pytest.mark.req("C-959-XFER-1")
def test_file_that_grew_meanwhile_is_whole() -> None:
    assert fetch("150 go", data(b"octets and more"), "226 done", size=on("SIZE f", "213 6")) == b"octets and more"


@pytest.mark.req("C-959-XFER-1")
def test_reset_data_connection_is_no_success() -> None:
    with pytest.raises(TransferError, match="Connection reset by peer") as caught:
        fetch("150 go", data(b"oct", end=False), reset, "226 done")
    assert caught.value.evidence["cause"] is Cause.DATA_CUT


def test_reset_after_the_last_octet_is_success_when_size_says_so() -> None:
    size = on("SIZE f", "213 6")
    assert fetch("150 go", data(b"octets", end=False), reset, "226 done", size=size) == b"octets"


@pytest.mark.req("C-1123-RPL-10")
@pytest.mark.parametrize("end", [("421 shutting down", hang_up), (hang_up,), (cut_off,)])
def test_control_connection_lost_during_a_transfer(end: Sequence[Action]) -> None:
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go", data(b"oct", end=False), later(1, *end))) as s:
        with pytest.raises(SessionLost):
            s.ftp.download("f", io.BytesIO())
        assert s.play.data is not None
        assert s.play.data.other.closed


def soothe(play: Play) -> None:
    """Say 150 every second, as if there were progress."""
    play.do(["150 still at it"])
    if play.wire.time < 60:
        play.do([later(1, soothe)])


def test_words_are_no_progress_of_the_data() -> None:
    stalled = on("RETR f", soothe, data(b"oct", end=False))
    with session(TYPE_I, NO_SIZE, EPSV, stalled, data_timeout=9) as s:
        began = s.wire.time
        with pytest.raises(TransferError, match=r"stood still for 9.0 s after 3 bytes"):
            s.ftp.download("f", io.BytesIO())
        assert s.wire.time - began == pytest.approx(9, abs=0.1)


def test_words_are_no_final_reply_and_buy_no_time() -> None:
    with session(EPSV, on("NLST", soothe, data(b"a\r\n")), final_timeout=9) as s:
        began = s.wire.time
        with pytest.raises(DeadlineError, match=r"within 9.0 s"):
            s.ftp.names()
        assert s.wire.time - began == pytest.approx(9, abs=0.1)


@pytest.mark.req("C-1123-UI-2")
def test_data_that_stands_still_is_given_up_and_the_session_goes_on() -> None:
    with session(
        TYPE_I,
        NO_SIZE,
        EPSV,
        on("RETR f", "150 go", data(b"oct", end=False)),
        *ABORTED,
        on("PWD", '257 "/"'),
        data_timeout=9,
    ) as s:
        began = s.wire.time
        with pytest.raises(TransferError, match=r"stood still for 9.0 s after 3 bytes") as caught:
            s.ftp.download("f", io.BytesIO())
        assert caught.value.evidence["cause"] is Cause.DATA_STALLED
        assert s.wire.time - began == pytest.approx(9, abs=0.1)
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-1123-UI-2")
def test_final_reply_that_never_comes() -> None:
    again = (*LOGIN, *NO_FEATURES, TYPE_I, NO_SIZE)
    silent = on("RETR f", "150 go", data(b"octets"))
    with (
        session(TYPE_I, NO_SIZE, EPSV, silent, *again) as s,
        pytest.raises(DeadlineError, match="no reply to RETR f"),
    ):
        s.ftp.download("f", io.BytesIO())


@pytest.mark.req("C-959-ABOR-1", "C-1123-TEL-1")
def test_abort_is_ip_then_an_urgent_synch_then_abor() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go", data(b"oct", end=False)), *ABORTED) as s:
        with pytest.raises(OSError, match="No space left"):
            s.ftp.download("f", Full())
        assert s.play.data is not None
        assert isinstance(s.play.data.failure, ConnectionResetError)
        s.play.raw.clear()
        with pytest.raises(AssertionError, match="'PWD' came, 'nothing' was due"):
            s.ftp.pwd()
        assert bytes(s.play.raw) == b"\xff\xf4\xff\xf2ABOR\r\nNOOP\r\nPWD\r\n"
        assert s.play.urgent == b"\xf2"


@pytest.mark.req("C-959-ABOR-1", "C-959-SYNC-1")
@pytest.mark.parametrize(
    ("abor", "noop"),
    [
        (("426 aborted", "226 done"), ("200 ok",)),
        (("426 aborted", "225 open"), ("200 ok",)),
        (("226 sent", "226 done"), ("200 ok",)),
        (("226 sent", "225 open"), ("200 ok",)),
        (("225 nothing to abort",), ("200 ok",)),
        (("426 aborted",), ("200 ok",)),
        (("426 aborted",), ("226 late", "200 ok")),
        (("451 error",), ("225 late", "200 ok")),
        (("226 sent", "502 no ABOR"), ("200 ok",)),
        (("426 aborted",), ("502 no NOOP",)),
        (("110 MARK 1 = 1", "426-well\r\n426 aborted", "226 done"), ("200 ok",)),
        ((later(3, "426 aborted", later(3, "226 done")),), (later(9, "200 ok"),)),
        ((), ("200 ok",)),
        (("150 0.003 seconds, 37.20 Mbytes per second",), ("200 ok",)),
        (("426 aborted", "226 done"), (later(5, "200 ok"),)),
    ],
)
def test_replies_are_in_step_after_any_answer_to_abor(abor: Sequence[Action], noop: Sequence[Action]) -> None:
    def stop(_done: int, _total: int | None) -> None:
        raise InterruptedError

    steps = (
        on("RETR f", "150 go", data(b"oct", end=False)),
        on("ABOR", *abor),
        on("NOOP", *noop),
        on("PWD", '257 "/here"'),
        on("CWD x", "250 ok"),
    )
    with session(TYPE_I, NO_SIZE, EPSV, *steps) as s:
        with pytest.raises(InterruptedError):
            s.ftp.download("f", io.BytesIO(), on_progress=stop)
        assert s.ftp.pwd() == "/here"
        s.ftp.cwd("x")


@pytest.mark.req("C-959-XFER-2")
@pytest.mark.parametrize("final", ["226 stored", "250 stored"])
@pytest.mark.parametrize("octets", [b"", b"x", b"octets" * 100_000])
def test_upload_ends_with_a_half_close_and_waits_for_the_final_reply(final: str, octets: bytes) -> None:
    assert store(octets, "150 go", take(later(2, final))) == octets


@pytest.mark.req("C-959-XFER-2", "C-959-RPL-8")
def test_upload_stops_sending_when_the_server_refuses_midway() -> None:
    with session(
        TYPE_I,
        on("EPSV", door(5001, narrow(1000)), "229 ok (|||5001|)"),
        on("STOR f", "150 go", later(1, "552 quota")),
    ) as s:
        with pytest.raises(TransferError, match="552 quota") as caught:
            s.ftp.upload(io.BytesIO(b"x" * 5000), "f")
        assert caught.value.transferred == 1000


@pytest.mark.req("C-959-XFER-2")
def test_success_told_before_everything_was_sent_is_none() -> None:
    with (
        session(
            TYPE_I,
            on("EPSV", door(5001, narrow(1000)), "229 ok (|||5001|)"),
            on("STOR f", "150 go", later(1, "226 enough")),
        ) as s,
        pytest.raises(TransferError, match="not whole"),
    ):
        s.ftp.upload(io.BytesIO(b"x" * 5000), "f")


@pytest.mark.req("C-959-XFER-2")
def test_upload_whose_data_connection_is_reset() -> None:
    with (
        session(
            TYPE_I,
            on("EPSV", door(5001, narrow(1000)), "229 ok (|||5001|)"),
            on("STOR f", "150 go", later(1, reset, later(1, "426 lost you"))),
        ) as s,
        pytest.raises(TransferError, match="426 lost you"),
    ):
        s.ftp.upload(io.BytesIO(b"x" * 5000), "f")


def test_upload_that_fails_here_is_reset_so_that_the_server_takes_no_part_for_the_whole() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().read(10)

    with session(TYPE_I, EPSV, on("STOR f", "150 go"), *ABORTED, on("PWD", '257 "/"')) as s:
        with pytest.raises(OSError, match="Input/output error"):
            s.ftp.upload(Broken(b"x" * 20), "f")
        assert s.play.data is not None
        assert isinstance(s.play.data.failure, ConnectionResetError)
        assert s.ftp.pwd() == "/"


@pytest.mark.req("C-959-XFER-3")
def test_type_is_sent_only_when_it_changes() -> None:
    steps = (
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on("LIST", "150 go", data(b""), "226 done"),
        TYPE_I,
        on("SIZE f", "213 1"),
        on("EPSV", door(5002), "229 ok (|||5002|)"),
        on("RETR f", "150 go", data(b"x"), "226 done"),
        on("SIZE f", "213 1"),
        on("EPSV", door(5003), "229 ok (|||5003|)"),
        on("RETR f", "150 go", data(b"x"), "226 done"),
        on("TYPE A", "200 ok"),
        on("EPSV", door(5004), "229 ok (|||5004|)"),
        on("NLST", "150 go", data(b""), "226 done"),
        on("TYPE A N", "200 ok"),
        on("TYPE I", "200 ok"),
        on("SIZE f", "213 1"),
    )
    with session(*steps) as s:
        s.ftp.scandir()
        s.ftp.download("f", io.BytesIO())
        s.ftp.download("f", io.BytesIO())
        s.ftp.names()
        s.ftp.command("TYPE", "A N")
        assert s.ftp.size("f") == 1


@pytest.mark.req("C-959-XFER-3", "U-1738-4")
def test_text_has_its_line_ends_converted_both_ways(tmp_path: Path) -> None:
    steps = (
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on(
            "RETR f",
            "150 go",
            data(b"one\r", end=False),
            later(1, data(b"\ntwo\r\nth", end=False), later(1, data(b"ree\r\n"), "226 done")),
        ),
        on("EPSV", door(5002), "229 ok (|||5002|)"),
        on("STOR f", "150 go", take("226 done")),
    )
    local = tmp_path / "text"
    with session(*steps) as s:
        s.ftp.download("f", local, text=True)
        assert local.read_bytes() == b"one\ntwo\nthree\n"
        s.ftp.upload(local, "f", text=True)
        assert s.play.stored == b"one\r\ntwo\r\nthree\r\n"


def test_progress_tells_what_is_done_and_what_there_is() -> None:
    told: list[tuple[int, int | None]] = []
    steps = (
        TYPE_I,
        on("SIZE f", "213 6"),
        EPSV,
        on("RETR f", "150 go", data(b"oct", end=False), later(1, data(b"ets"), "226 done")),
    )
    with session(*steps) as s:
        s.ftp.download("f", io.BytesIO(), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 6), (6, 6)]


def test_progress_takes_the_size_from_the_preliminary_reply_where_size_tells_none() -> None:
    told: list[tuple[int, int | None]] = []
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 Opening f (6 bytes)", data(b"octets"), "226 done")) as s:
        s.ftp.download("f", io.BytesIO(), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(6, 6)]


@pytest.mark.parametrize("replies", [(f"150 f ({'9' * 5000} bytes)",), ("150 go", f"110 MARK {'9' * 5000} = 6")])
def test_number_beyond_all_measure_is_none(replies: Sequence[str]) -> None:
    told: list[tuple[int, int | None]] = []
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", *replies, data(b"octets"), "226 done")) as s:
        s.ftp.download("f", io.BytesIO(), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(6, None)]


def test_one_operation_at_a_time() -> None:
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go", data(b"octets"), "226 done")) as s:

        def meddle(_done: int, _total: int | None) -> None:
            with pytest.raises(RuntimeError, match="in the middle of another operation"):
                s.ftp.pwd()

        s.ftp.download("f", io.BytesIO(), on_progress=meddle)


def test_debug_shows_the_dialogue_as_it_goes() -> None:
    steps = (
        on("PASV", door(50069), "227 Entering Passive Mode (192,0,2,90,195,149)."),
        on(
            "LIST",
            "150 Opening ASCII mode data connection for file list.",
            later(
                0.001,
                data(b"drwx------   3 slacker  users         104 Jul 27 01:45 public_html\r\n", end=False),
                later(0.003, data(b""), later(0.001, "226 Transfer complete.")),
            ),
        ),
    )
    with session(*steps, mode="pasv") as s:
        s.ftp.scandir()
        assert s.lines == [
            "---> PASV",
            "227 Entering Passive Mode (192,0,2,90,195,149).",
            "STATUS  calling 192.0.2.90:50069 (195 × 256 + 149) from :34121 … connected in 3 ms",
            "---> LIST",
            "150 Opening ASCII mode data connection for file list.",
            "drwx------   3 slacker  users         104 Jul 27 01:45 public_html",
            "STATUS  data connection closed by the server: 68 bytes in 4 ms",
            "226 Transfer complete.",
        ]


@pytest.mark.req("C-959-SYNC-1")
@pytest.mark.parametrize(
    ("notice", "due"),
    [(("426 you left",), ()), ((later(0.2, "451 you left"),), ()), ((), ABORTED)],
    ids=["at once", "soon", "never"],
)
def test_transfer_that_is_left_with_enough_is_ended_by_abor_only_where_the_server_does_not_notice(
    notice: Sequence[Action], due: Sequence[Step]
) -> None:
    class Enough(Inflow):
        def _take(self, data: memoryview) -> None:
            super()._take(data)
            self.enough = True

    target = io.BytesIO()
    retrieve = on("RETR f", "150 go", data(b"oct", end=False), *notice)
    with session(EPSV, retrieve, *due, on("PWD", '257 "/"')) as s:
        outcome = step(session_of(s.ftp).transfer("RETR", "f", Enough(Writer(target), Representation("I"))))
        assert (outcome.size, target.getvalue()) == (3, b"oct")
        assert s.ftp.pwd() == "/"
