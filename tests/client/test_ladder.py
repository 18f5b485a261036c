"""A client's session, made into a ladder."""

from __future__ import annotations

import socket
from collections.abc import Callable
from io import BytesIO
from itertools import count
from typing import Any

import pytest

from fairlead.client._wire import Security
from fairlead.client._wires.memory import MemoryWire
from fairlead.client.ladder import Recorder
from fairlead.client.sync import Client
from fairlead.client.trace import (
    AddressIgnored,
    Answered,
    Called,
    CommandSent,
    ControlCalled,
    ControlClosed,
    DataClosed,
    ListingLine,
    ModeFailed,
    ModeProbed,
    ModeRecalled,
    ModeRemembered,
    ReplyReceived,
    TlsBegan,
    TurnedAway,
    Waiting,
)
from fairlead.errors import CertificateError, ClientError, FairleadError, TlsError
from fairlead.ladder import text
from fairlead.ladder.model import CONTROL, Kind, Ladder, Step
from fairlead.proto.reply import Reply
from fairlead.testing.peer import Peer, scripted
from tests.client.script import (
    GREETING,
    HOST,
    HOST6,
    LOGIN,
    NO_FEATURES,
    Action,
    Play,
    call,
    client_over,
    cut_off,
    data,
    door,
    hang_up,
    later,
    on,
    reset,
    silent,
    take,
)
from tests.client.script import (
    Step as Due,
)


def played(
    *steps: Due,
    do: Callable[[Client], object] = Client.scandir,
    greeting: tuple[Action, ...] = GREETING,
    **settings: Any,
) -> Ladder:
    """What a client saw while a server played ``steps`` to it; errors of the client are expected."""
    wire = MemoryWire()
    Play(wire, [*LOGIN, *NO_FEATURES, *steps], greeting=greeting, host=HOST)
    recorder = Recorder(clock=wire.now, now=lambda: 1069326020.0, title="a session")
    try:
        with client_over(wire, f"ftp://me:secret@{HOST}", tls="off", trace=recorder, **settings) as ftp:
            do(ftp)
    except FairleadError as error:
        recorder.failed(error)
    return recorder.ladder()


def of(ladder: Ladder, connection: int) -> list[Step]:
    return [step for step in ladder.steps if step.connection == connection]


def seen(ladder: Ladder, connection: int = 1) -> list[tuple[str, str]]:
    """Kinds and causes."""
    return [(step.kind.value, step.cause) for step in of(ladder, connection)]


def causes(ladder: Ladder) -> list[str]:
    return [step.cause for step in ladder.steps if step.cause]


PASSIVE = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST", "150 go", data(b"total 0\r\n"), "226 done"))


def test_a_passive_session_from_the_first_call_to_the_last_fin() -> None:
    ladder = played(*PASSIVE)

    assert [(party.name, party.address) for party in ladder.parties] == [("client", "192.0.2.80"), ("server", HOST)]
    assert (ladder.title, ladder.began) == ("a session", 1069326020.0)
    first, answer, *_ = ladder.steps
    assert (first.kind, first.at, first.source.party) == (Kind.SYN, 0, "client")
    assert answer.kind is Kind.SYN_ACK
    assert answer.at == pytest.approx(0.003)
    assert seen(ladder) == [("syn", ""), ("syn-ack", ""), ("data", ""), ("fin", "")]
    syn, _, moved, fin = of(ladder, 1)
    assert syn.target is not None
    assert (syn.source.party, syn.target.port) == ("client", 5001)
    assert (moved.source.party, moved.size) == ("server", 9)
    assert fin.source.party == "server"
    assert (ladder.steps[-1].kind, ladder.steps[-1].source.party) == (Kind.FIN, "client")
    assert causes(ladder) == []


def test_password_is_masked() -> None:
    ladder = played(*PASSIVE)
    assert "PASS ****" in [step.text for step in ladder.steps]
    assert "secret" not in repr(ladder)


def test_in_active_mode_the_server_calls() -> None:
    ladder = played(
        on("PORT 192,0,2,80,133,73", "200 ok"), on("LIST", "150 go", call(), data(b""), "226 done"), mode="port"
    )

    assert seen(ladder) == [("listen", ""), ("syn", ""), ("syn-ack", ""), ("fin", "")]
    listen, syn, *_ = of(ladder, 1)
    assert (listen.source.party, listen.source.port) == ("client", 34121)
    assert (syn.source.party, syn.source.port, syn.arrived) == ("server", 20, True)


def test_upload_goes_the_other_way() -> None:
    ladder = played(
        on("TYPE I", "200 ok"),
        on("EPSV", door(5001, take("226 done")), "229 ok (|||5001|)"),
        on("STOR f", "150 go"),
        do=lambda ftp: ftp.upload(BytesIO(b"12345"), "f"),
    )

    moved, fin = of(ladder, 1)[-2:]
    assert (moved.kind, moved.source.party, moved.size) == (Kind.DATA, "client", 5)
    assert (fin.kind, fin.source.party) == (Kind.FIN, "client")


def test_call_that_nobody_answers() -> None:
    ladder = played(on("EPSV", silent(5001), "229 ok (|||5001|)"), mode="epsv", connect_timeout=5)

    assert seen(ladder)[0] == ("syn", "passive-dropped")
    unanswered = of(ladder, 1)[0]
    assert unanswered.arrived is None
    assert "no answer in 5.0 s" in unanswered.note
    assert "✕" in text.draw(ladder)


def test_call_that_is_refused() -> None:
    ladder = played(on("EPSV", "229 ok (|||5001|)"), mode="epsv")

    assert seen(ladder)[:2] == [("syn", ""), ("rst", "passive-rejected")]


def test_servers_call_that_never_came_stands_where_it_was_due() -> None:
    ladder = played(
        on("PORT 192,0,2,80,133,73", "200 ok"), on("LIST", "150 go", later(10, "425 nobody there")), mode="port"
    )

    assert seen(ladder) == [("listen", ""), ("syn", "active-dropped")]
    syn = of(ladder, 1)[1]
    assert syn.target is not None
    assert (syn.source.party, syn.target.port, syn.arrived) == ("server", 34121, False)
    told = [step.text for step in ladder.steps]
    assert told.index("LIST") < ladder.steps.index(syn) < told.index("425 nobody there")


def test_refusal_to_set_up_is_marked_on_the_reply() -> None:
    ladder = played(on("EPSV", "500 what?"), mode="epsv")

    marked = [(step.text, step.cause) for step in ladder.steps if step.cause]
    assert marked == [("500 what?", "not-supported")]


def test_data_connection_that_is_cut() -> None:
    ladder = played(
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on("LIST", "150 go", data(b"tot", end=False), reset, "426 cut"),
    )

    assert seen(ladder) == [("syn", ""), ("syn-ack", ""), ("data", ""), ("rst", "data-cut")]
    assert of(ladder, 1)[-1].source.party == "server"


@pytest.mark.parametrize("order", [1, -1])
def test_cut_for_which_the_server_gives_a_reason_has_that_one(order: int) -> None:
    end = (reset, "522 no session (data-tls-not-resumed)")[::order]
    ladder = played(on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST", "150 go", *end))

    assert seen(ladder)[-1] == ("rst", "")
    assert causes(ladder) == ["data-tls-not-resumed"]


def test_session_that_the_server_ends() -> None:
    ladder = played(on("NOOP", "421 bye", hang_up), do=lambda ftp: ftp.command("NOOP"))
    assert causes(ladder) == ["control-lost"]


def test_data_connection_on_which_nothing_moves() -> None:
    ladder = played(on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST", "150 go"), data_timeout=3)

    assert seen(ladder)[-1] == ("rst", "data-stalled")
    assert "stood still" in of(ladder, 1)[-1].note


def test_control_connection_that_the_server_closes() -> None:
    ladder = played(on("NOOP", hang_up), do=lambda ftp: ftp.command("NOOP"))
    assert seen(ladder, CONTROL)[-1] == ("fin", "control-lost")


def test_control_connection_that_is_reset() -> None:
    ladder = played(on("NOOP", cut_off), do=lambda ftp: ftp.command("NOOP"))
    assert seen(ladder, CONTROL)[-1] == ("rst", "control-lost")


@pytest.mark.parametrize(("said", "cause"), [("530 no", "login-refused"), ("530 Send AUTH TLS first.", "tls-required")])
def test_login_that_is_refused(said: str, cause: str) -> None:
    wire = MemoryWire()
    Play(wire, [on("USER me", "331 password?"), on("PASS secret", said)], greeting=GREETING, host=HOST)
    recorder = Recorder(clock=wire.now)
    ftp = client_over(wire, f"ftp://me:secret@{HOST}", tls="off", trace=recorder)
    ftp.connect()
    with pytest.raises(ClientError):
        ftp.login()

    marked = [(step.text, step.cause) for step in recorder.ladder().steps if step.cause]
    assert marked == [(said, cause)]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("refused", [("syn", ""), ("rst", "control-refused")]),
        ("no answer", [("syn", "control-timeout")]),
        ("no route to host", [("syn", ""), ("icmp", "control-refused")]),
        ("not waited for", [("syn", "")]),
    ],
)
def test_control_connections_that_do_not_come_about(outcome: str, expected: list[tuple[str, str]]) -> None:
    recorder = Recorder(clock=lambda: 0.0)
    recorder(ControlCalled((HOST, 21), ("192.0.2.80", 40000), 2.0, outcome))
    assert seen(recorder.ladder(), CONTROL) == expected


def test_call_that_never_left_has_no_arrow() -> None:
    recorder = Recorder(clock=lambda: 0.0)
    recorder(ControlCalled((HOST6, 21), ("", 0), 0.0, "network is unreachable"))
    step = recorder.ladder().steps[0]
    assert (step.kind, step.target, step.note) == (Kind.NOTE, None, "network is unreachable")


def test_addresses_of_one_server_are_one_party() -> None:
    recorder = Recorder(clock=lambda: 0.0)
    recorder(ControlCalled((HOST6, 21), ("2001:db8::80", 40000), 0.3, "not waited for"))
    recorder(ControlCalled((HOST, 21), ("192.0.2.80", 40001), 0.003, "connected"))
    ladder = recorder.ladder()

    assert [(party.name, party.address) for party in ladder.parties] == [("client", "192.0.2.80"), ("server", HOST)]


def test_sessions_in_turn_share_a_party_where_the_server_is_the_same() -> None:
    recorder = Recorder(clock=lambda: 0.0)
    for host in (HOST, "192.0.2.91", HOST):
        recorder(ControlCalled((host, 21), ("192.0.2.80", 40000), 0.0, "connected"))
        recorder(CommandSent("NOOP"))
    ladder = recorder.ladder()

    assert [party.name for party in ladder.parties] == ["client", "server", "server 2"]
    asked = [step.target.party for step in ladder.steps if step.kind is Kind.COMMAND and step.target is not None]
    assert asked == ["server", "server 2", "server"]


def test_what_people_are_told_are_notes() -> None:
    recorder = Recorder(clock=lambda: 0.0)
    recorder(ControlCalled((HOST, 21), ("192.0.2.80", 40000), 0.0, "connected"))
    for record in (
        ModeRecalled("EPSV"),
        ModeProbed("PORT", "the server called"),
        ModeRemembered("PORT"),
        TurnedAway(("192.0.2.66", 1)),
    ):
        recorder(record)
    notes = [step.text for step in recorder.ladder().steps if step.kind is Kind.NOTE]

    assert notes == ["tries EPSV first", "tries PORT in a second session", "remembers PORT", "turned away"]


def test_tls_of_both_connections_is_drawn() -> None:
    wire_security = Security("TLSv1.3", "cipher", True, "00")
    recorder = Recorder(clock=lambda: 0.0)
    recorder(ControlCalled((HOST, 21), ("192.0.2.80", 40000), 0.0, "connected"))
    recorder(TlsBegan("control", wire_security))
    recorder(TlsBegan("data", wire_security))  # of a connection nobody told of
    assert [step.text for step in recorder.ladder().steps if step.kind is Kind.TLS] == ["TLSv1.3"]


@pytest.mark.parametrize(
    ("error", "cause"),
    [(CertificateError("no"), "certificate-invalid"), (TlsError("no"), "tls-failed"), (ClientError("no"), "")],
)
def test_what_no_step_shows_is_said_at_the_end(error: Exception, cause: str) -> None:
    recorder = Recorder(clock=lambda: 0.0)
    recorder.failed(error)
    assert causes(recorder.ladder()) == ([cause] if cause else [])


def test_recorder_without_a_session_has_an_empty_ladder() -> None:
    assert Recorder().ladder().steps == ()


def test_both_faces_are_recorded_over_real_sockets(connect: Callable[..., Any]) -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        with peer.passive() as connection:
            peer.expect("LIST", "150 go")
            connection.sendall(b"total 0\r\n")
        peer.send("226 done")
        peer.expect("QUIT", "221 bye")

    recorder = Recorder()
    with scripted(script) as server:
        with connect(server.url, trace=recorder, mode="epsv") as ftp:
            ftp.scandir()
        ladder = recorder.ladder()

    assert seen(ladder) == [("syn", ""), ("syn-ack", ""), ("data", ""), ("fin", "")]
    assert ladder.steps[0].target is not None
    assert ladder.steps[0].target.port == server.port
    assert all(step.source.port for step in ladder.steps if step.target is not None)


def test_server_that_is_not_there_is_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    recorder = Recorder()
    with pytest.raises(ClientError):
        Client(f"ftp://127.0.0.1:{port}", trace=recorder).connect()

    assert seen(recorder.ladder(), CONTROL) == [("syn", ""), ("rst", "control-refused")]


def test_waiting_for_nobody_and_broken_pipes_are_notes() -> None:
    recorder = called()
    recorder(ControlClosed("", "the control connection broke: Connection timed out"))
    recorder(AddressIgnored("10.0.0.5", HOST))
    told = [(step.text, step.note, step.cause) for step in recorder.ladder().steps if step.kind is Kind.NOTE]

    assert told == [
        ("lost", "the control connection broke: Connection timed out", "control-lost"),
        (f"calls {HOST}", "the server's own address, not 10.0.0.5 of 227", ""),
    ]


def test_what_belongs_to_no_data_connection_is_left_out() -> None:
    recorder = called()
    before = recorder.ladder()
    recorder(Answered((HOST, 20)))
    recorder(DataClosed("us", 5, 0.1))
    recorder(ListingLine("total 0"))
    assert recorder.ladder() == before


def test_data_connection_says_whether_its_session_was_resumed() -> None:
    recorder = called()
    recorder(Called((HOST, 5001), 40002, 0.0, "connected", sum_shown=False))
    recorder(TlsBegan("data", Security("TLSv1.3", "cipher", False, "00")))
    (tls,) = [step for step in of(recorder.ladder(), 1) if step.kind is Kind.TLS]
    assert (tls.text, tls.note) == ("TLSv1.3", "session not resumed")


def test_cause_of_a_mode_goes_to_the_call_that_failed() -> None:
    recorder = called()
    recorder(Called(("10.0.0.5", 5001), 40002, 0.0, "no answer", sum_shown=True))
    recorder(ModeFailed("PASV", "no answer", "passive-private-address"))
    assert causes(recorder.ladder()) == ["passive-private-address"]


def test_servers_call_that_never_came_stands_behind_the_command_that_waited_for_it() -> None:
    recorder = called()
    recorder(CommandSent("PORT 192,0,2,80,1,1"))
    recorder(Waiting(("192.0.2.80", 257), sum_shown=True))
    recorder(CommandSent("LIST"))
    recorder(ReplyReceived(Reply(425, "no")))
    recorder(ModeFailed("PORT", "nobody called", "active-dropped"))

    steps = recorder.ladder().steps
    assert [step.text or step.kind.value for step in steps[-3:]] == ["LIST", "syn", "425 no"]


def called() -> Recorder:
    """A recorder of a session that has begun."""
    ticks = count()
    recorder = Recorder(clock=lambda: next(ticks) / 1000, now=lambda: 0.0)
    recorder(ControlCalled((HOST, 21), ("192.0.2.80", 40000), 0.0, "connected"))
    return recorder


def test_of_a_long_session_the_last_steps_are_kept() -> None:
    recorder = Recorder(title="a session", limit=10)
    for number in range(25):
        recorder(CommandSent(f"NOOP {number}"))
    drawn = recorder.ladder()
    assert [step.text for step in drawn.steps] == [f"NOOP {number}" for number in range(15, 25)]
    assert drawn.title == "a session (the last 10 of 25 steps)"
