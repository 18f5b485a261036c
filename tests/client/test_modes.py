"""Ways to a data connection: what is sent, who calls whom, and what is tried next."""

from __future__ import annotations

from io import BytesIO

import pytest

from fairlead.client.sync import Client
from fairlead.errors import DataConnectionError, PermanentError
from fairlead.reach.cause import Cause
from tests.client.script import (
    HOST,
    HOST6,
    LOGIN,
    call,
    data,
    door,
    later,
    on,
    session,
    silent,
)

LIST = on("LIST", "150 here", data(b""), "226 done")
TYPE_I = on("TYPE I", "200 ok")


@pytest.mark.req("C-2428-EPSV-2", "C-959-PORT-1")
def test_epsv_first_at_the_address_of_the_control_connection_and_anew_for_every_transfer() -> None:
    with session(
        on("EPSV", door(5001), "229 ok (|||5001|)"), LIST, on("EPSV", door(5002), "229 ok (|||5002|)"), LIST
    ) as s:
        s.ftp.scandir()
        s.ftp.scandir()
        assert s.wire.calls[1:] == [(HOST, 5001), (HOST, 5002)]


@pytest.mark.req("C-2428-EPSV-1")
@pytest.mark.parametrize(
    "text",
    [
        "Entering Extended Passive Mode (|||5001|)",
        "Extended (!!!5001!)",
        "ok (|1|10.0.0.1|5001|) (not used)",
        "|||5001|",
        "Passiv-Modus (5555001555)".replace("555", "|||", 1).replace("555", "|"),
    ],
)
def test_forms_of_229(text: str) -> None:
    with session(on("EPSV", door(5001), f"229 {text}"), LIST, mode="epsv") as s:
        assert s.ftp.scandir() == []
        assert s.wire.calls[-1] == (HOST, 5001)


@pytest.mark.req("C-1123-PASV-1")
@pytest.mark.parametrize(
    "text",
    [
        "Entering Passive Mode (192,0,2,90,19,137).",
        "Entering Passive Mode. 192,0,2,90,19,137",
        "=192,0,2,90,19,137",
        "Entering Passive Mode. A1=192,0,2,90,19,137",
    ],
)
def test_forms_of_227(text: str) -> None:
    with session(on("PASV", door(5001), f"227 {text}"), LIST, mode="pasv") as s:
        assert s.ftp.scandir() == []
        assert s.wire.calls[-1] == (HOST, 5001)


@pytest.mark.req("C-SEC-PASV-2")
@pytest.mark.parametrize("announced", ["10,0,0,5", "0,0,0,0", "203,0,113,9", "127,0,0,1"])
def test_foreign_address_in_227_is_not_called(announced: str) -> None:
    with session(on("PASV", door(5001), f"227 ok ({announced},19,137)"), LIST, mode="pasv") as s:
        s.ftp.scandir()
        assert s.wire.calls[-1] == (HOST, 5001)
        assert f"STATUS  ignoring the address {announced.replace(',', '.')} of 227" in "\n".join(s.lines)


@pytest.mark.req("C-SEC-PASV-2")
def test_foreign_address_in_227_is_called_when_told_to() -> None:
    passive = on("PASV", door(5001, host="203.0.113.9"), "227 ok (203,0,113,9,19,137)")
    with session(passive, LIST, mode="pasv", trust_announced_address=True) as s:
        s.ftp.scandir()
        assert s.wire.calls[-1] == ("203.0.113.9", 5001)


@pytest.mark.req("C-959-PASV-3", "C-DF-FALL-1")
@pytest.mark.parametrize("bad", ["(192,0,2,90,19,999)", "(192,0,2,90,0,0)", "(192,0,2)", "somewhere"])
def test_227_that_makes_no_sense_leads_to_the_next_mode(bad: str) -> None:
    steps = (
        on("EPSV", "500 what?"),
        on("PASV", f"227 {bad}"),
        on("EPRT |1|192.0.2.80|34121|", "200 ok"),
        on("LIST", "150 here", call(data(b"")), "226 done"),
    )
    with session(*steps) as s:
        assert s.ftp.scandir() == []


@pytest.mark.req("C-959-PASV-3")
@pytest.mark.parametrize("bad", ["(|||0|)", "(|||65536|)", "(||5001|)", "soon"])
def test_229_that_makes_no_sense_leads_to_the_next_mode(bad: str) -> None:
    steps = (on("EPSV", f"229 {bad}"), on("PASV", door(5001), "227 ok (192,0,2,90,19,137)"), LIST)
    with session(*steps) as s:
        assert s.ftp.scandir() == []


@pytest.mark.req("C-DF-FALL-1", "C-959-ACT-2")
def test_fall_back_through_all_modes_is_remembered_for_the_session() -> None:
    transfer = on("LIST", "150 here", call(data(b"")), "226 done")
    steps = (
        on("EPSV", "500 what?"),
        on("PASV", "502 not here"),
        on("EPRT |1|192.0.2.80|34121|", "501 no"),
        on("PORT 192,0,2,80,133,74", "200 ok"),
        transfer,
        on("PORT 192,0,2,80,133,75", "200 ok"),
        transfer,
    )
    with session(*steps) as s:
        s.ftp.scandir()
        s.ftp.scandir()
        assert "STATUS  waiting at 192.0.2.80:34122 (133 × 256 + 74)" in s.lines
        assert f"STATUS  called from {HOST}:20" in s.lines


@pytest.mark.req("C-DF-FALL-1")
def test_temporary_refusal_is_not_remembered() -> None:
    steps = (
        on("EPSV", "425 no port free"),
        on("PASV", door(5001), "227 ok (192,0,2,90,19,137)"),
        LIST,
        on("EPSV", door(5002), "229 ok (|||5002|)"),
        LIST,
    )
    with session(*steps) as s:
        s.ftp.scandir()
        s.ftp.scandir()


@pytest.mark.req("C-DF-FALL-1")
def test_port_of_229_that_nobody_answers_leads_to_pasv_once_and_is_tried_last_from_then_on() -> None:
    passive = on("PASV", door(5002), "227 ok (192,0,2,90,19,138)")
    with session(on("EPSV", silent(5001), "229 ok (|||5001|)"), passive, LIST, passive, LIST) as s:
        began = s.wire.time
        s.ftp.scandir()
        assert s.wire.time - began < 3
        s.ftp.scandir()
        assert "no answer after 250 ms" in "\n".join(s.lines)


@pytest.mark.req("C-DF-FALL-1")
def test_every_mode_tried_in_vain() -> None:
    steps = (
        on("EPSV", "229 soon"),
        on("PASV", "425 none free"),
        on("EPRT |1|192.0.2.80|34121|", "522 no (2)"),
        on("PORT 192,0,2,80,133,74", "500 what?"),
    )
    with session(*steps) as s:
        with pytest.raises(DataConnectionError) as caught:
            s.ftp.scandir()
        assert caught.value.cause is Cause.PASSIVE_EXHAUSTED
        text = str(caught.value)
        for part in (
            "EPSV: no port in the 229 reply 'soon', not-supported",
            "PASV: the server answered 425 none free, passive-exhausted",
            "EPRT: the server answered 522 no (2), family-unsupported",
            "PORT: the server answered 500 what?, not-supported",
            "no passive port free",
            "fairlead doctor ftp://192.0.2.90 finds out more",
        ):
            assert part in text


def test_chosen_mode_is_the_only_one_tried() -> None:
    with session(on("EPSV", "500 what?"), mode="epsv") as s:
        with pytest.raises(DataConnectionError) as caught:
            s.ftp.scandir()
        assert caught.value.cause is Cause.NOT_SUPPORTED
        with pytest.raises(DataConnectionError, match="500 what"):
            s.ftp.scandir()


def test_mode_that_needs_a_login_is_no_reason_for_another() -> None:
    with session(on("EPSV", "530 log in first")) as s, pytest.raises(PermanentError, match="530"):
        s.ftp.scandir()


@pytest.mark.req("C-2428-EPRT-1", "C-DF-FALL-1")
def test_over_ipv6_there_is_neither_pasv_nor_port() -> None:
    steps = (
        on("EPSV", "500 what?"),
        on("EPRT |2|2001:db8::80|34121|", "200 ok"),
        on("LIST", "150 here", call(data(b"")), "226 done"),
    )
    with session(*steps, host=HOST6) as s:
        s.ftp.scandir()
        assert "STATUS  waiting at [2001:db8::80]:34121" in s.lines


def test_server_that_hears_nothing_since_a_transfer_was_broken_off_is_blamed_and_no_mode() -> None:
    class Full(BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    steps = (
        TYPE_I,
        on("SIZE file", "550 no"),
        on("EPSV", door(5001, data(b"x")), "229 ok (|||5001|)"),
        on("RETR file", "150 here"),
        on("ABOR"),
        on("NOOP"),
    )
    with session(*steps) as s:
        with pytest.raises(OSError, match="No space"):
            s.ftp.download("file", Full())
        with pytest.raises(DataConnectionError) as caught:
            s.ftp.upload(BytesIO(b"x"), "file")
    assert caught.value.cause is Cause.CONTROL_LOST
    assert str(caught.value) == (
        "no data connection: the server does not answer since a transfer was broken off, so that no mode could be "
        "tried; connect again"
    )


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_ipv4_mode_over_ipv6_is_refused_with_nothing_sent(mode: str) -> None:
    with session(host=HOST6, mode=mode) as s:
        with pytest.raises(DataConnectionError, match="use EPSV or EPRT") as caught:
            s.ftp.scandir()
        assert caught.value.cause is Cause.FAMILY_UNSUPPORTED


@pytest.mark.req("C-2428-EPRT-1")
def test_zone_of_an_address_is_not_announced() -> None:
    from fairlead.client._wires.memory import MemoryWire
    from tests.client.script import GREETING, LOGIN, NO_FEATURES, Play, client_over

    wire = MemoryWire(here={4: "192.0.2.80", 6: "fe80::80%eth0"})
    eprt = on("EPRT |2|fe80::80|34121|", "200 ok")
    transfer = on("LIST", "150 here", call(data(b"")), "226 done")
    Play(wire, (*LOGIN, *NO_FEATURES, eprt, transfer), greeting=GREETING, host="fe80::90%eth0")
    with client_over(wire, "ftp://me:secret@[fe80::90%25eth0]", mode="eprt", tls="off") as ftp:
        assert ftp.scandir() == []


@pytest.mark.req("C-2428-EPSV-3")
def test_522_names_the_families_that_the_server_can_serve() -> None:
    steps = (
        on("EPSV", "522 Network protocol not supported, use (1,2)"),
        on("EPSV 2", door(5001), "229 ok (|||5001|)"),
        LIST,
    )
    with session(*steps, host=HOST6, names={"both": [HOST6]}, url="ftp://me:secret@both") as s:
        s.ftp.scandir()
        assert s.wire.calls[-1] == (HOST6, 5001)


@pytest.mark.req("C-2428-EPSV-3")
def test_522_with_the_other_family_only_is_met_at_the_other_address() -> None:
    steps = (on("EPSV", "522 use (1)"), on("EPSV 1", door(5001, host=HOST), "229 ok (|||5001|)"), LIST)
    with session(*steps, host=HOST6, names={"both": [HOST6, HOST]}, url="ftp://me:secret@both") as s:
        s.ftp.scandir()
        assert s.wire.calls[-1] == (HOST, 5001)


@pytest.mark.req("C-2428-EPSV-3")
def test_default_family_that_does_not_serve_is_given_up_by_abor_before_the_other_is_asked_for() -> None:
    steps = (
        on("EPSV", silent(5001), "229 ok (|||5001|)"),
        *LOGIN,
        on("EPRT |2|2001:db8::80|34123|", "500 what?"),
        on("ABOR", "226 closed"),
        on("NOOP", "200 ok"),
        on("EPSV 1", door(5002, host=HOST), "229 ok (|||5002|)"),
        LIST,
    )
    with session(*steps, host=HOST6, names={"both": [HOST6, HOST]}, url="ftp://me:secret@both") as s:
        s.ftp.scandir()
        assert s.wire.calls[-1] == (HOST, 5002)


@pytest.mark.req("C-2428-EPSV-4")
def test_after_epsv_all_no_other_mode_is_asked_for() -> None:
    steps = (on("EPSV ALL", "200 ok"), on("EPSV", "425 no port"), on("EPSV", "425 no port"))
    with session(*steps, epsv_all=True) as s:
        for _ in range(2):
            with pytest.raises(DataConnectionError):
                s.ftp.scandir()


@pytest.mark.req("C-2428-EPSV-4")
def test_refused_epsv_all_promises_nothing() -> None:
    steps = (
        on("EPSV ALL", "501 what?"),
        on("EPSV", "500 what?"),
        on("PASV", door(5001), "227 ok (192,0,2,90,19,137)"),
        LIST,
    )
    with session(*steps, epsv_all=True) as s:
        s.ftp.scandir()


@pytest.mark.req("C-2577-ACT-1")
def test_active_mode_turns_away_whoever_is_not_the_server_and_takes_any_source_port() -> None:
    transfer = on(
        "LIST", "150 here", call(host="203.0.113.9", port=20), later(0.5, call(data(b""), port=40000), "226 done")
    )
    with session(on("PORT 192,0,2,80,133,73", "200 ok"), transfer, mode="port") as s:
        assert s.ftp.scandir() == []
        assert "STATUS  turned away 203.0.113.9:20, which is not the server" in s.lines
        assert f"STATUS  called from {HOST}:40000" in s.lines
        assert s.play.refused[0].other.closed


def test_server_that_calls_before_it_answers() -> None:
    transfer = on("LIST", call(data(b"")), later(1, "150 here", "226 done"))
    with session(on("PORT 192,0,2,80,133,73", "200 ok"), transfer, mode="port") as s:
        assert s.ftp.scandir() == []


def test_server_whose_call_never_comes_is_left_by_abor_for_the_next_mode() -> None:
    steps = (
        on("EPSV", "500 what?"),
        on("PASV", "500 what?"),
        on("EPRT |1|192.0.2.80|34121|", "200 ok"),
        on("LIST", "150 calling"),
        on("ABOR", "426 given up", "226 aborted"),
        on("NOOP", "200 ok"),
        on("PORT 192,0,2,80,133,74", "200 ok"),
        on("LIST", "150 here", call(data(b"")), "226 done"),
    )
    with session(*steps) as s:
        assert s.ftp.scandir() == []


@pytest.mark.parametrize("replies", [("425 cannot call",), ("150 calling", later(0.5, "425 cannot call"))])
def test_425_in_active_mode_leads_to_the_next_mode(replies: tuple[str, ...]) -> None:
    steps = (
        on("EPSV", "500 what?"),
        on("PASV", "500 what?"),
        on("EPRT |1|192.0.2.80|34121|", "200 ok"),
        on("LIST", *replies),
        on("PORT 192,0,2,80,133,74", "200 ok"),
        on("LIST", "150 here", call(data(b"")), "226 done"),
    )
    with session(*steps) as s:
        assert s.ftp.scandir() == []
        assert all(listener.closed for listener in s.wire.listeners)


def test_425_in_passive_mode_leads_to_the_next_mode() -> None:
    steps = (
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on("LIST", "425 not from you"),
        on("PASV", door(5002), "227 ok (192,0,2,90,19,138)"),
        LIST,
    )
    with session(*steps) as s:
        assert s.ftp.scandir() == []


def test_server_that_never_calls_when_active_is_chosen() -> None:
    with session(on("PORT 192,0,2,80,133,73", "200 ok"), on("LIST", "150 calling"), mode="port") as s:
        began = s.wire.time
        with pytest.raises(DataConnectionError, match="your side must let calls in") as caught:
            s.ftp.scandir()
        assert caught.value.cause is Cause.ACTIVE_DROPPED
        assert s.wire.time - began == pytest.approx(20)


@pytest.mark.parametrize(
    ("seconds", "text", "cause"),
    [
        (0.2, "Failed to establish connection.", Cause.ACTIVE_REJECTED),
        (3.0, "Failed to establish connection.", Cause.ACTIVE_DROPPED),
        (0.2, "I was told to say so (active-dropped)", Cause.ACTIVE_DROPPED),
    ],
)
def test_refused_call_of_the_server_is_told_from_a_dropped_one(seconds: float, text: str, cause: Cause) -> None:
    steps = (on("PORT 192,0,2,80,133,73", "200 ok"), on("LIST", "150 calling", later(seconds, f"425 {text}")))
    with session(*steps, mode="port") as s:
        with pytest.raises(DataConnectionError) as caught:
            s.ftp.scandir()
        assert caught.value.cause is cause


def test_active_ports_are_the_only_ones_listened_on() -> None:
    transfer = on("LIST", "150 here", call(data(b"")), "226 done")
    with session(on("PORT 192,0,2,80,195,80", "200 ok"), transfer, mode="port", active_ports=range(50000, 50001)) as s:
        assert s.ftp.scandir() == []
        s.wire.taken.add(50000)
        with pytest.raises(DataConnectionError, match="cannot listen"):
            s.ftp.scandir()


def test_active_address_is_announced() -> None:
    transfer = on("LIST", "150 here", call(data(b"")), "226 done")
    with session(
        on("PORT 203,0,113,7,195,80", "200 ok"),
        transfer,
        mode="port",
        active_ports=range(50000, 50001),
        active_address="203.0.113.7",
    ) as s:
        assert s.ftp.scandir() == []


def test_refused_set_up_command_leaves_no_listener() -> None:
    with session(on("PORT 192,0,2,80,133,73", "500 what?"), mode="port") as s:
        with pytest.raises(DataConnectionError):
            s.ftp.scandir()
        assert [listener.closed for listener in s.wire.listeners] == [True]


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("500 what?", Cause.NOT_SUPPORTED),
        ("502 not here", Cause.NOT_SUPPORTED),
        ("504 no", Cause.REFUSED_BY_POLICY),
        ("522 no (7)", Cause.FAMILY_UNSUPPORTED),
        ("425 none free", Cause.PASSIVE_EXHAUSTED),
        ("229 (|||5001|)", Cause.PASSIVE_REJECTED),
    ],
)
def test_cause_of_a_failed_epsv(reply: str, cause: Cause) -> None:
    with session(on("EPSV", reply), mode="epsv") as s:
        with pytest.raises(DataConnectionError) as caught:
            s.ftp.scandir()
        assert caught.value.cause is cause


def test_mode_that_is_set_serves_from_the_next_transfer_on() -> None:
    pasv = on("PASV", door(5001), "227 ok (192,0,2,90,19,137)")
    with session(on("EPSV", door(5001), "229 ok (|||5001|)"), LIST, pasv, LIST) as s:
        s.ftp.scandir()
        s.ftp.mode = "pasv"
        s.ftp.scandir()
        assert s.ftp.mode == "pasv"


def test_mode_may_be_set_before_there_is_a_session() -> None:
    ftp = Client(HOST)
    ftp.mode = "port"
    assert ftp.mode == "port"
