"""A file from one server to another."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fairlead.client._copy import Copied
from fairlead.client._wires.memory import MemoryWire
from fairlead.client.sync import Client
from fairlead.client.trace import CopyTakesDetour, Record
from fairlead.errors import PermanentError, TransferError
from tests.certificates import Pair, make
from tests.client.script import (
    GREETING,
    HOST,
    HOST6,
    LOGIN,
    NO_FEATURES,
    Action,
    Play,
    Step,
    client_over,
    data,
    door,
    hang_up,
    later,
    on,
    reset,
    take,
)
from tests.client.secure import begin_tls, server_context

pytestmark = pytest.mark.req("C-FXP-1")
OTHER, OTHER6 = "192.0.2.91", "2001:db8::91"
TYPE_I = on("TYPE I", "200 ok")
SIZE = on("SIZE f", "213 6")
ARRIVED = on("SIZE g", "213 6")
PASV = on("PASV", "227 ok (192,0,2,90,19,137)")
PORT = on("PORT 192,0,2,90,19,137", "200 ok")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
NO_PORT = on("PORT 192,0,2,90,19,137", "500 not to others")
OTHER_PASV = on("PASV", "227 ok (192,0,2,91,19,138)")
NO_OTHER_PORT = on("PORT 192,0,2,91,19,138", "504 not to others")


@dataclass
class Two:
    """Two clients with their servers in one little world."""

    one: Client
    other: Client
    plays: tuple[Play, Play]
    records: list[Record]

    def copy(self, **options: Any) -> Copied:
        return self.one.copy("f", self.other, "g", **options)

    @property
    def detours(self) -> list[str]:
        return [record.reason for record in self.records if isinstance(record, CopyTakesDetour)]


@contextmanager
def two(
    source: Sequence[Step], target: Sequence[Step], *, hosts: tuple[str, str] = (HOST, OTHER), **options: Any
) -> Iterator[Two]:
    wire = MemoryWire()
    records: list[Record] = []
    options.setdefault("tls", "off")
    login = options.pop("login", (*LOGIN, *NO_FEATURES))
    plays = tuple(
        Play(wire, [*login, *steps], greeting=GREETING, host=host)
        for host, steps in zip(hosts, (source, target), strict=True)
    )
    urls = [f"ftp://me:secret@[{host}]" if ":" in host else f"ftp://me:secret@{host}" for host in hosts]
    one, other = (client_over(wire, url, trace=records.append, **options) for url in urls)
    with one, other:
        yield Two(one, other, (plays[0], plays[1]), records)
    for play in plays:
        play.done()


def begins(line: str, *actions: Action) -> Step:
    return on(line, "150 go", *actions)


def test_passive_side_begins_first_and_both_finals_are_awaited() -> None:
    started: list[str] = []
    source = (
        TYPE_I,
        SIZE,
        PASV,
        on("RETR f", lambda _: started.append("RETR"), later(1, "150 go"), later(9, "226 ok")),
    )
    target = (TYPE_I, PORT, begins("STOR g", lambda _: started.append("STOR"), later(30, "226 ok")), ARRIVED)
    with two(source, target) as both:
        result = both.copy()
        assert started == ["RETR", "STOR"]
        assert (result.path, result.size, result.mode, result.detour) == ("g", 6, "PASV, PORT", "")
        assert result.seconds > 30
        assert both.detours == []


def test_each_copy_has_a_port_of_its_own() -> None:
    source = (TYPE_I, SIZE, PASV, begins("RETR f", "226 ok"), SIZE, PASV, begins("RETR f", "226 ok"))
    target = (TYPE_I, PORT, begins("STOR g", "226 ok"), ARRIVED, PORT, begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target) as both:
        assert [both.copy().mode, both.copy().mode] == ["PASV, PORT", "PASV, PORT"]


def test_over_ipv6_the_address_is_that_of_the_session() -> None:
    source = (TYPE_I, SIZE, on("EPSV", "229 ok (|||5001|)"), begins("RETR f", "226 ok"))
    target = (TYPE_I, on(f"EPRT |2|{HOST6}|5001|", "200 ok"), begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target, hosts=(HOST6, OTHER6)) as both:
        assert both.copy().mode == "EPSV, EPRT"


def test_inside_of_a_nat_is_of_no_use_to_another_server() -> None:
    source = (TYPE_I, SIZE, on("PASV", "227 ok (10,0,0,1,19,137)"), begins("RETR f", "226 ok"))
    target = (TYPE_I, on("PORT 8,8,8,8,19,137", "200 ok"), begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target, hosts=("8.8.8.8", "9.9.9.9")) as both:
        assert both.copy().detour == ""


def test_no_server_is_sent_to_a_third_one() -> None:
    source = (TYPE_I, SIZE, on("PASV", "227 ok (203,0,113,7,19,137)"), begins("RETR f", "226 ok"))
    target = (TYPE_I, on("PORT 192,0,2,90,19,137", "200 ok"), begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target) as both:
        assert both.copy().detour == ""


def test_where_one_side_refuses_to_call_the_other_one_does() -> None:
    source = (TYPE_I, SIZE, PASV, on("PORT 192,0,2,91,19,138", "200 ok"), begins("RETR f", "226 ok"))
    target = (TYPE_I, NO_PORT, OTHER_PASV, begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target) as both:
        assert both.copy().detour == ""


def test_file_that_cannot_be_read_touches_nothing_on_the_other_server() -> None:
    with (
        two((TYPE_I, on("SIZE f", "550 no"), PASV, on("RETR f", "550 no such file")), (TYPE_I, PORT)) as both,
        pytest.raises(PermanentError, match=r"RETR f.*550"),
    ):
        both.copy()


def test_file_that_cannot_be_written_stops_the_other_server() -> None:
    abor = on("ABOR", "426 stopped", "226 ok")
    source = (TYPE_I, SIZE, PASV, begins("RETR f"), abor, on("NOOP", "200 ok"), on("PWD", '257 "/"'))
    target = (TYPE_I, PORT, on("STOR g", "553 not here"))
    with two(source, target) as both:
        with pytest.raises(PermanentError, match=r"STOR g.*553"):
            both.copy()
        assert both.one.pwd() == "/"


REFUSED = (TYPE_I, SIZE, PASV, NO_OTHER_PORT)
REFUSES = (TYPE_I, NO_PORT, OTHER_PASV)


def test_where_both_refuse_the_data_goes_through_here_and_that_is_said() -> None:
    source = (*REFUSED, EPSV, begins("RETR f", data(b"octets"), "226 ok"))
    target = (*REFUSES, EPSV, on("STOR g", "150 go", take("226 ok")))
    told: list[tuple[int, int | None]] = []
    with two(source, target) as both:
        result = both.copy(on_progress=lambda done, total: told.append((done, total)))
        assert both.plays[1].stored == b"octets"
        assert (result.size, result.mode, told) == (6, "RETR, STOR", [(6, 6)])
        assert both.detours == [result.detour]
        assert "500 not to others" in result.detour
        assert "504 not to others" in result.detour


@pytest.mark.parametrize("answer", ["425 bad address", "426 no"])
def test_connection_that_a_server_turns_away_is_a_refusal(answer: str) -> None:
    source = (
        TYPE_I, SIZE, PASV, on("RETR f", later(1, answer)), NO_OTHER_PORT,
        EPSV, begins("RETR f", data(b"octets"), "226 ok"),
    )  # fmt: skip
    target = (
        TYPE_I,
        PORT,
        begins("STOR g", "226 nothing came"),
        OTHER_PASV,
        EPSV,
        on("STOR g", "150 go", take("226 ok")),
    )
    with two(source, target) as both:
        assert answer in both.copy().detour
        assert both.plays[1].stored == b"octets"


def test_call_that_is_never_answered_is_given_up() -> None:
    abor, noop = on("ABOR", "225 ok"), on("NOOP", "200 ok")
    source = (
        TYPE_I,
        SIZE,
        PASV,
        on("RETR f"),
        abor,
        noop,
        NO_OTHER_PORT,
        EPSV,
        begins("RETR f", data(b"octets"), "226 ok"),
    )
    target = (TYPE_I, PORT, on("STOR g"), abor, noop, OTHER_PASV, EPSV, on("STOR g", "150 go", take("226 ok")))
    with two(source, target) as both:
        assert "did not begin in 20.0 s" in both.copy().detour


def test_server_that_called_too_early_and_waits_for_what_went_by_is_given_up() -> None:
    """pyftpdlib calls as soon as it hears PORT, and drops what comes before STOR."""
    source = (TYPE_I, SIZE, PASV, begins("RETR f", "226 ok"), on("PORT 192,0,2,91,19,138", "200 ok"))
    stopped = (on("ABOR", "225 ok"), on("NOOP", "200 ok"))
    target = (TYPE_I, PORT, begins("STOR g"), *stopped, OTHER_PASV, begins("STOR g", "226 ok"), ARRIVED)
    with two((*source, begins("RETR f", "226 ok")), target) as both:
        result = both.copy()
        assert (result.mode, result.detour) == ("PASV, PORT", "")
        assert result.seconds < 20


def test_server_that_never_says_how_its_part_ended_is_given_up() -> None:
    source = (TYPE_I, SIZE, PASV, begins("RETR f", later(9, "226 ok")), NO_OTHER_PORT, EPSV)
    stopped = (on("ABOR", "225 ok"), on("NOOP", "200 ok"))
    target = (TYPE_I, PORT, begins("STOR g"), *stopped, OTHER_PASV, EPSV, on("STOR g", "150 go", take("226 ok")))
    with two((*source, begins("RETR f", data(b"octets"), "226 ok")), target) as both:
        assert "192.0.2.91 did not say how its part ended" in both.copy().detour


def test_copy_that_arrived_short_is_an_error() -> None:
    source = (TYPE_I, SIZE, PASV, begins("RETR f", "226 ok"))
    target = (TYPE_I, PORT, begins("STOR g", "226 ok"), on("SIZE g", "213 5"))
    with two(source, target) as both, pytest.raises(TransferError, match="5 bytes after the copy instead of 6"):
        both.copy()


@pytest.mark.parametrize("cut", [reset, data(b"", end=True)], ids=["reset", "ended"])
def test_source_that_is_cut_leaves_no_file_that_looks_whole(cut: Action) -> None:
    retr = begins("RETR f", data(b"oct", end=False), later(1, cut, "426 lost"))
    stopped = (on("ABOR", "426 stopped", "226 ok"), on("NOOP", "200 ok"))
    target = (*REFUSES, EPSV, on("STOR g", "150 go"), *stopped, on("PWD", '257 "/"'))
    with two((*REFUSED, EPSV, retr), target) as both:
        with pytest.raises(TransferError, match="not whole"):
            both.copy()
        assert both.plays[1].data is not None
        assert both.plays[1].data.failure is not None
        assert both.other.pwd() == "/"


def test_session_that_ends_over_it_begins_anew_where_it_was() -> None:
    source = (
        on("CWD d", "250 ok"), TYPE_I, SIZE, PASV, begins("RETR f", later(1, hang_up)),
        *LOGIN, *NO_FEATURES, on("CWD d", "250 ok"), TYPE_I, NO_OTHER_PORT,
        EPSV, begins("RETR f", data(b"octets"), "226 ok"),
    )  # fmt: skip
    target = (TYPE_I, PORT, begins("STOR g"), on("ABOR", "426 stopped", "226 ok"), on("NOOP", "200 ok"), OTHER_PASV)
    with two(source, (*target, EPSV, on("STOR g", "150 go", take("226 ok")))) as both:
        both.one.cwd("d")
        assert "closed the control connection after RETR f" in both.copy().detour
        assert both.plays[1].stored == b"octets"


def test_one_session_cannot_copy_to_itself() -> None:
    with two((), ()) as both, pytest.raises(RuntimeError, match="is this one"):
        both.one.copy("f", both.one, "g")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HOST, OTHER)


@pytest.mark.parametrize("offer", ["CPSV", "SSCN", "SIZE"])
def test_under_tls_one_server_becomes_its_client(pair: Pair, offer: str) -> None:
    context = server_context(pair, ssl.TLSVersion.TLSv1_3)
    login = (
        on("AUTH TLS", "234 go on", begin_tls(context)), *LOGIN, on("PBSZ 0", "200 ok"), on("PROT P", "200 ok"),
        on("FEAT", f"211-Features:\r\n {offer}\r\n211 End"),
    )  # fmt: skip
    ask = {
        "CPSV": (on("CPSV", "227 ok (192,0,2,90,19,137)"),),
        "SSCN": (on("SSCN ON", "200 ok"), PASV),
        "SIZE": (EPSV,),
    }[offer]
    if offer == "SIZE":
        with two(
            (TYPE_I, SIZE, EPSV, on("RETR f", "550 no")), (TYPE_I,), login=login, tls="require", ca=pair.certificate
        ) as both:
            with pytest.raises(PermanentError):
                both.copy()
            assert both.detours == ["neither server can be the client of TLS (CPSV, SSCN)"]
        return
    off = (on("SSCN OFF", "200 ok"),) if offer == "SSCN" else ()
    source = (TYPE_I, SIZE, *ask, begins("RETR f", "226 ok"), *off)
    target = (TYPE_I, PORT, begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target, login=login, tls="require", ca=pair.certificate) as both:
        assert both.copy().mode == ("CPSV, PORT" if offer == "CPSV" else "SSCN, PASV, PORT")


@pytest.mark.req("C-2428-EPSV-4")
def test_where_epsv_all_was_promised_no_other_command_sets_up_a_connection() -> None:
    listed = on("LIST", "150 go", data(b""), "226 ok")
    source = (EPSV, listed, TYPE_I, SIZE, EPSV, begins("RETR f", data(b"octets"), "226 ok"))
    target = (EPSV, listed, TYPE_I, EPSV, on("STOR g", "150 go", take("226 ok")))
    promise = on("EPSV ALL", "200 ok")
    with two((promise, *source), (promise, *target), epsv_all=True) as both:
        both.one.scandir()
        both.other.scandir()
        assert "EPSV ALL" in both.copy().detour
        assert both.plays[1].stored == b"octets"


@pytest.mark.req("C-2428-EPSV-4")
def test_over_ipv6_the_one_that_was_promised_epsv_all_may_still_listen() -> None:
    listed = on("LIST", "150 go", data(b""), "226 ok")
    source = (
        on("EPSV ALL", "200 ok"),
        EPSV,
        listed,
        TYPE_I,
        SIZE,
        on("EPSV", "229 ok (|||5001|)"),
        begins("RETR f", "226 ok"),
    )
    target = (TYPE_I, on(f"EPRT |2|{HOST6}|5001|", "200 ok"), begins("STOR g", "226 ok"), ARRIVED)
    with two(source, target, hosts=(HOST6, OTHER6), epsv_all=True) as both:
        both.one.scandir()
        assert both.copy().mode == "EPSV, EPRT"
