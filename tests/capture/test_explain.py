"""Sessions made by hand, explained: what a laboratory cannot make at will, and damage of every kind."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.capture.explain import Explainer, explained
from fairlead.capture.files import Frame
from fairlead.capture.packets import ACK, FIN, RST, SYN
from fairlead.capture.standpoint import Standpoint
from fairlead.errors import CaptureError
from fairlead.ladder import jsonl, mermaid, pcapng, svg, text
from fairlead.ladder.model import Kind
from tests.capture.building import (
    CLIENT,
    CLIENT_6,
    ETHERNET,
    PRIVATE_SERVER,
    SERVER,
    SERVER_6,
    Wire,
    logged_in,
    read,
    syn,
    tcp,
    unreachable,
)
from tests.capture.test_records import HANDSHAKE, record

ANNOUNCED = "227 Entering Passive Mode (203,0,113,21,195,80)."
DATA = (SERVER[0], 50000)


def passive(wire: Wire, *, mode: str = "EPSV", reply: str = "229 (|||50000|)") -> None:
    logged_in(wire).dialogue(mode, reply)


def listing(wire: Wire) -> None:
    """A passive listing, in order."""
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("LIST", "150 here")
    data.data(False, b"x" * 500)
    data.close(by_caller=False)
    control.dialogue("226 done", "QUIT", "221 bye")
    control.close()


def test_a_session_that_works_has_no_finding() -> None:
    wire = Wire()
    listing(wire)
    session = wire.one()
    assert (session.client, session.server, session.where) == (CLIENT, SERVER, Standpoint.CLIENT)
    assert (session.findings, session.transfers, session.unseen, session.advice) == ((), 1, (), ())
    shown = [(step.kind, step.connection, step.text or step.size) for step in session.ladder.steps]
    assert shown == [
        (Kind.SYN, 0, 0),
        (Kind.SYN_ACK, 0, 0),
        (Kind.REPLY, 0, "220 ready"),
        (Kind.COMMAND, 0, "USER me"),
        (Kind.REPLY, 0, "331 password"),
        (Kind.COMMAND, 0, "PASS ****"),
        (Kind.REPLY, 0, "230 in"),
        (Kind.COMMAND, 0, "EPSV"),
        (Kind.REPLY, 0, "229 (|||50000|)"),
        (Kind.SYN, 1, 0),
        (Kind.SYN_ACK, 1, 0),
        (Kind.COMMAND, 0, "LIST"),
        (Kind.REPLY, 0, "150 here"),
        (Kind.DATA, 1, 500),
        (Kind.FIN, 1, 0),
        (Kind.FIN, 1, 0),
        (Kind.REPLY, 0, "226 done"),
        (Kind.COMMAND, 0, "QUIT"),
        (Kind.REPLY, 0, "221 bye"),
        (Kind.FIN, 0, 0),
        (Kind.FIN, 0, 0),
    ]


@pytest.mark.parametrize("link", [0, 1, 101, 113, 276])
def test_every_kind_of_link_tells_the_same(link: int) -> None:
    wire = Wire()
    listing(wire)
    (session,) = explained(wire.frames(link), Explainer())
    assert session.transfers == 1


def test_a_call_that_nobody_answers_is_told_with_its_repetitions() -> None:
    wire = Wire()
    passive(wire)
    syn(wire, (CLIENT[0], 40001), DATA, times=3)
    syn(wire, ("198.51.100.11", 1), ("203.0.113.99", 1), times=3)
    session = wire.one()
    (finding,) = session.findings
    assert finding.cause == "passive-dropped"
    assert finding.sentence == "EPSV: the client called 203.0.113.21:50000 3 times and got no answer."
    (call,) = [step for step in session.ladder.steps if step.connection == 1]
    assert (call.kind, call.times, call.cause) == (Kind.SYN, 3, "passive-dropped")
    assert [each.owner.value for each in session.advice]


def test_a_call_at_the_very_end_of_a_capture_is_no_failure_yet() -> None:
    wire = Wire()
    passive(wire)
    syn(wire, (CLIENT[0], 40001), DATA)
    assert wire.causes() == []


@pytest.mark.parametrize("by", ["reset", "icmp"])
def test_a_call_that_is_refused_is_told(by: str) -> None:
    wire = Wire()
    passive(wire)
    called = wire.connection((CLIENT[0], 40001), DATA)
    datagram = called.datagram(True, SYN)
    wire.put(datagram)
    if by == "reset":
        called.reset(False)
    else:
        wire.put(unreachable("192.0.2.1", datagram, code=13))
    (finding,) = wire.one().findings
    assert finding.cause == "passive-rejected"
    how = "was refused (RST)" if by == "reset" else "192.0.2.1 refused it: administratively prohibited"
    assert finding.sentence == f"EPSV: the client called 203.0.113.21:50000 and {how}."


def test_an_address_that_227_should_not_name_is_told_at_the_client() -> None:
    wire = Wire()
    passive(wire, mode="PASV", reply="227 =10,1,1,21,195,80")
    syn(wire, (CLIENT[0], 40001), ("10.1.1.21", 50000), times=3)
    assert wire.causes() == ["passive-private-address"]


def test_a_client_that_has_no_way_to_the_address_calls_nobody() -> None:
    wire = Wire()
    passive(wire, mode="PASV", reply="227 =10,1,1,21,195,80")
    assert wire.causes() == ["passive-private-address"]


def test_a_private_address_is_told_at_the_server_too() -> None:
    wire = Wire("server")
    logged_in(wire, server=PRIVATE_SERVER).dialogue("PASV", "227 =10,1,1,21,195,80")
    session = wire.one()
    assert session.where is Standpoint.SERVER
    assert session.findings[0].sentence == (
        "PASV: no call arrived at 10.1.1.21:50000, and that address is a private one, which 198.51.100.10 cannot reach."
    )
    assert session.ladder.steps[-1].kind is Kind.LISTEN


def test_a_port_that_was_rewritten_is_told_at_the_server() -> None:
    wire = Wire("server")
    passive(wire)
    called = wire.connection((CLIENT[0], 40001), (SERVER[0], 30000))
    called.send(True, SYN)
    called.reset(False)
    assert wire.causes() == ["passive-rewritten"]


def test_a_range_that_is_partly_open_is_told_from_the_other_transfers() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("LIST", "150 here")
    data.close(by_caller=False)
    control.dialogue("226 done", "EPSV", "229 (|||50001|)")
    syn(wire, (CLIENT[0], 40002), (SERVER[0], 50001), times=3)
    (finding,) = wire.one().findings
    assert finding.cause == "passive-range-partly-open"
    assert finding.sentence.endswith("got no answer, while port 50000 answers.")


@pytest.mark.parametrize(
    ("mode", "reply", "cause"),
    [
        ("EPSV", "502 what?", "not-supported"),
        ("EPSV", "522 use (1)", "family-unsupported"),
        ("PASV", "425 no port is free", "passive-exhausted"),
        ("PORT 198,51,100,10,156,64", "504 not here", "refused-by-policy"),
        ("PORT 192,168,1,10,156,64", "500 Illegal PORT command.", "active-private-address"),
    ],
)
def test_a_refused_mode_has_the_cause_that_the_reply_tells(mode: str, reply: str, cause: str) -> None:
    wire = Wire()
    logged_in(wire).dialogue(mode, reply)
    session = wire.one()
    assert [finding.cause.value for finding in session.findings] == [cause]
    assert [step.text for step in session.ladder.steps if step.cause] == [reply]


def test_pasv_over_ipv6_is_of_the_wrong_family() -> None:
    wire = Wire()
    logged_in(wire, CLIENT_6, SERVER_6).dialogue("PASV", "501 no")
    assert wire.causes() == ["family-unsupported"]


def active(wire: Wire, address: str = "198,51,100,10") -> None:
    logged_in(wire).dialogue(f"PORT {address},156,65", "200 I will", "LIST")


LISTENER = (CLIENT[0], 40001)
CALLING = (SERVER[0], 20)


def test_an_active_session_works() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("PORT 198,51,100,10,156,65", "200 I will", "LIST", "150 here")
    data = wire.connect(CALLING, LISTENER, near=False)
    data.data(True, b"x")
    data.close()
    control.dialogue("226 done")
    session = wire.one()
    assert (session.findings, session.transfers) == ((), 1)
    call = next(step for step in session.ladder.steps if step.connection == 1)
    assert (call.source.party, call.source.port) == ("server", 20)


@pytest.mark.parametrize("standing", ["client", "server"])
def test_a_call_of_the_server_that_came_to_nothing_is_told(standing: str) -> None:
    wire = Wire("client" if standing == "client" else "server")
    active(wire)
    if standing == "server":
        syn(wire, CALLING, LISTENER, times=3)
    assert wire.causes() == ["active-dropped"]


def test_a_refused_call_of_the_server_is_told() -> None:
    wire = Wire("server")
    active(wire)
    call = wire.connection(CALLING, LISTENER, near=True)
    call.send(True, SYN)
    call.reset(False)
    assert wire.causes() == ["active-rejected"]


def test_a_call_to_an_address_behind_a_nat_is_told() -> None:
    wire = Wire("server")
    active(wire, "192,168,1,10")
    syn(wire, CALLING, ("192.168.1.10", 40001), times=3)
    (finding,) = wire.one().findings
    assert finding.cause == "active-private-address"
    assert "that is not the address of the client here" in finding.sentence


def test_the_default_data_port_is_known() -> None:
    wire = Wire("server")
    control = logged_in(wire)
    control.dialogue("LIST", "150 here")
    data = wire.connect(CALLING, CLIENT, near=True)
    data.close()
    control.dialogue("226 done")
    assert wire.one().transfers == 1


def test_a_transfer_that_was_cut_is_told() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("RETR f", "150 here")
    data.data(False, b"x" * 1000)
    data.reset(False)
    control.dialogue("426 broken")
    session = wire.one()
    assert [finding.cause.value for finding in session.findings] == ["data-cut"]
    assert [step.kind for step in session.ladder.steps if step.cause] == [Kind.RST]


def test_a_file_that_is_not_there_is_no_fault_of_the_connection() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("RETR f", "550 no such file")
    data.close()
    assert wire.causes() == []


def test_a_caller_who_is_not_the_client_is_told() -> None:
    wire = Wire("server")
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    other = wire.connect(("192.0.2.99", 40001), DATA)
    other.close(by_caller=False)
    control.dialogue("LIST", "425 no")
    session = wire.one()
    assert [finding.cause.value for finding in session.findings] == ["data-peer-refused"]
    assert "192.0.2.99" in {party.name for party in session.ladder.parties}


def test_a_data_connection_over_which_nothing_comes_is_told() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("LIST", "150 here")
    control.say("NOOP", after=30)
    assert wire.causes() == ["data-stalled"]


def test_a_reset_after_the_end_of_tls_cuts_nothing() -> None:
    wire = Wire()
    hidden(wire)
    data = wire.connect((CLIENT[0], 40001), DATA)
    data.data(True, HANDSHAKE)
    data.data(False, record(22, b"hello"))
    data.send(False, FIN | ACK)
    data.data(True, record(21, bytes(24)))
    data.reset(False)
    session = wire.one()
    assert (session.findings, session.transfers) == ((), 1)


@pytest.mark.parametrize(("octets", "causes"), [(b"", []), (b"x" * 100, ["data-cut"])])
def test_a_client_that_drops_a_connection_before_any_data_has_chosen_another_way(
    octets: bytes, causes: list[str]
) -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    if octets:
        control.dialogue("RETR f", "150 here")
        data.data(False, octets)
    data.reset(True)
    if octets:
        control.answer("426 broken")
    assert wire.causes() == causes


def test_a_reset_in_somebody_elses_name_is_told_by_its_time_to_live() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("RETR f", "150 here")
    data.data(False, b"x" * 1000)
    wire.put(tcp(DATA, (CLIENT[0], 40001), RST, data.seq[1], 0, hops=2))
    (finding,) = wire.one().findings
    assert finding.cause == "data-cut"
    assert finding.sentence.endswith("was reset after 1000 octets by something in between, in the server's name.")


def test_a_transfer_that_the_client_aborted_did_not_fail() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("RETR f", "150 here")
    data.data(False, b"x" * 1000)
    control.say("ABOR")
    data.reset(False)
    control.dialogue("426 aborted", "226 done")
    assert wire.causes() == []


def test_a_control_connection_that_was_forgotten_is_told() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.dialogue("EPSV", "229 (|||50000|)")
    data = wire.connect((CLIENT[0], 40001), DATA)
    control.dialogue("RETR f", "150 here")
    data.data(False, b"x" * 1000)
    data.close(by_caller=False)
    control.send(True, FIN | ACK, after=30)
    assert wire.causes() == ["control-forgotten"]


@pytest.mark.parametrize(
    ("answer", "cause"), [("", "control-timeout"), ("reset", "control-refused"), ("icmp", "control-refused")]
)
def test_a_server_that_is_not_there_is_told(answer: str, cause: str) -> None:
    wire = Wire()
    datagram = syn(wire, CLIENT, SERVER, times=3)
    if answer == "reset":
        wire.connection(CLIENT, SERVER).send(False, RST | ACK)
    elif answer == "icmp":
        wire.put(unreachable("192.0.2.1", datagram))
    else:
        syn(wire, ("198.51.100.11", 1), ("203.0.113.99", 1), times=3)
    session = wire.explain()[0]
    assert [finding.cause.value for finding in session.findings] == [cause]
    assert session.ladder.steps[0].cause == cause


@pytest.mark.parametrize(
    ("dialogue", "cause"),
    [
        (["SSH-2.0"], "not-ftp"),
        (["220 ready", "USER me", "331 go on", "PASS s3cret", "530 no"], "login-refused"),
        (["220 ready", "USER me", "530 Please use TLS"], "tls-required"),
    ],
)
def test_a_session_that_does_not_begin_is_told(dialogue: list[str], cause: str) -> None:
    wire = Wire()
    control = wire.connect(CLIENT, SERVER)
    if dialogue == ["SSH-2.0"]:
        control.answer("SSH-2.0")
    else:
        control.dialogue(*dialogue)
    control.close()
    assert wire.causes() == [cause]


def test_a_server_that_hangs_up_is_told() -> None:
    wire = Wire()
    control = logged_in(wire)
    control.say("LIST")
    control.close(by_caller=False)
    (finding,) = wire.one().findings
    assert finding.cause == "control-lost"
    assert finding.sentence == "The server closed the control connection before LIST was answered."


def hidden(wire: Wire) -> object:
    control = wire.connect(CLIENT, SERVER)
    control.dialogue("220 ready", "AUTH TLS", "234 go on")
    control.data(True, HANDSHAKE)
    control.data(False, HANDSHAKE + record(23, bytes(60)))
    control.data(True, record(23, bytes(60)))
    return control


def test_under_tls_calls_between_the_two_hosts_are_paired() -> None:
    wire = Wire()
    hidden(wire)
    syn(wire, (CLIENT[0], 40001), DATA, times=3)
    session = wire.one()
    (finding,) = session.findings
    assert finding.cause == "passive-dropped"
    assert session.unseen[0].startswith("TLS hides the dialogue from 0.0")
    assert any(step.kind is Kind.TLS for step in session.ladder.steps)


def test_under_tls_a_private_address_is_guessed_from_the_call() -> None:
    wire = Wire()
    hidden(wire)
    syn(wire, (CLIENT[0], 40001), ("10.1.1.21", 50000), times=3)
    assert wire.causes() == ["passive-private-address"]


def test_under_tls_a_call_to_a_neighbour_that_came_about_is_none_of_it() -> None:
    wire = Wire()
    hidden(wire)
    wire.connect((CLIENT[0], 40001), ("10.1.1.21", 8080)).data(True, b"GET / HTTP/1.1\r\n")
    session = wire.one()
    assert session.findings == ()
    assert {step.connection for step in session.ladder.steps} == {0}


@pytest.mark.parametrize(("alert", "cause"), [(40, "tls-failed"), (48, "certificate-invalid")])
def test_a_handshake_that_fails_is_told(alert: int, cause: str) -> None:
    wire = Wire()
    control = wire.connect(CLIENT, SERVER)
    control.dialogue("220 ready", "AUTH TLS", "234 go on")
    control.data(True, HANDSHAKE)
    control.data(False, HANDSHAKE)
    control.data(True, record(21, bytes([2, alert])))
    control.close()
    assert wire.causes() == [cause]


def test_a_data_connection_that_ends_in_the_handshake_is_told() -> None:
    wire = Wire()
    hidden(wire)
    data = wire.connect((CLIENT[0], 40001), DATA)
    data.data(True, HANDSHAKE)
    data.close(by_caller=False)
    assert wire.causes() == ["data-tls-failed"]


def test_a_server_on_any_port_is_known_by_its_greeting() -> None:
    wire = Wire()
    logged_in(wire, server=(SERVER[0], 2121)).dialogue("EPSV", "502 no")
    assert wire.causes() == ["not-supported"]


def test_smtp_is_no_ftp() -> None:
    wire = Wire()
    wire.connect(CLIENT, (SERVER[0], 25)).dialogue("220 mail.example.com ESMTP", "EHLO me", "250 hello", "QUIT")
    assert wire.explain() == []


def test_a_capture_may_begin_in_the_middle() -> None:
    wire = Wire()
    control = wire.connection(CLIENT, (SERVER[0], 2121))
    control.dialogue("EPSV", "229 (|||50000|)")
    syn(wire, (CLIENT[0], 40001), DATA, times=3)
    session = wire.one()
    assert [finding.cause.value for finding in session.findings] == ["passive-dropped"]
    assert "began in the middle" in session.unseen[0]


def test_one_port_may_serve_two_sessions_in_turn() -> None:
    wire = Wire()
    listing(wire)
    wire.at += 10
    again = Wire(at=wire.at)
    listing(again)
    shifted = [Frame(frame.at, ETHERNET, frame.octets, frame.size) for frame in again.frames()]
    assert len(list(explained([*wire.frames(), *shifted], Explainer()))) == 2


def test_what_passes_two_interfaces_counts_once() -> None:
    wire = Wire()
    passive(wire)
    syn(wire, (CLIENT[0], 40001), DATA, times=3)
    twice = [each for frame in wire.frames() for each in (frame, frame._replace(at=frame.at + 0.0001))]
    (session,) = explained(twice, Explainer())
    (call,) = [step for step in session.ladder.steps if step.connection == 1]
    assert call.times == 3


def test_a_link_that_nobody_knows_is_told() -> None:
    with pytest.raises(CaptureError, match="the capture is of a link of type 147, which is not known here"):
        list(explained([Frame(0.0, 147, b"", 0)], Explainer()))


@pytest.mark.parametrize("standing", ["client", "server"])
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_segments_that_come_late_or_twice_change_nothing(standing: str, seed: int) -> None:
    wire = Wire("client" if standing == "client" else "server")
    listing(wire)
    chance = random.Random(seed)
    frames = wire.frames()
    shuffled: list[Frame] = []
    for frame in frames:
        of_data = (40001).to_bytes(2) in frame.octets[34:38]
        shuffled.append(frame._replace(at=frame.at + chance.uniform(-0.002, 0.002)) if of_data else frame)
        if chance.random() < 0.2:
            shuffled.append(frame._replace(at=frame.at + 0.3))
    shuffled.sort(key=lambda frame: frame.at)
    (session,) = explained(shuffled, Explainer())
    assert session.findings == ()
    assert session.transfers == 1


@settings(deadline=None, max_examples=100)
@given(st.sets(st.integers(0, 60)), st.integers(20, 200))
def test_what_the_capture_lost_or_cut_is_no_error_and_shows_no_password(lost: set[int], limit: int) -> None:
    wire = Wire()
    listing(wire)
    frames = [
        frame._replace(octets=frame.octets[:limit]) for number, frame in enumerate(wire.frames()) if number not in lost
    ]
    for session in explained(frames, Explainer()):
        whole = jsonl.dump(session.ladder) + repr(session.findings) + repr(session.unseen)
        assert "s3cret" not in whole


def test_a_ladder_from_a_capture_can_be_drawn_and_saved_in_every_form() -> None:
    wire = Wire()
    listing(wire)
    ladder = wire.one().ladder
    assert jsonl.load(jsonl.dump(ladder)) == ladder
    for drawing in (text.draw(ladder), svg.draw(ladder), mermaid.draw(ladder)):
        assert "PASS" in drawing
        assert "s3cret" not in drawing


def test_a_ladder_that_was_saved_as_a_capture_reads_the_same() -> None:
    wire = Wire()
    listing(wire)
    ladder = wire.one().ladder
    frames, damage = read(pcapng.dump(ladder))
    (again,) = explained(frames, Explainer())
    assert damage == ""
    kinds = [(step.kind, step.connection, step.text, step.size) for step in ladder.steps]
    assert [(step.kind, step.connection, step.text, step.size) for step in again.ladder.steps] == kinds


def test_memory_follows_the_sessions_that_go_on() -> None:
    wire = Wire()
    for number in range(300):
        wire.connect((CLIENT[0], 10000 + number), (SERVER[0], 80)).data(True, b"GET / HTTP/1.1\r\n\r\n")
        syn(wire, (CLIENT[0], 20000 + number), (SERVER[0], 81))
    explainer = Explainer()
    for frame in wire.frames():
        assert explainer.feed(frame) == []
    tracker = explainer._tracker
    assert len(tracker._tracked) <= 300
    assert tracker._live == {}


def test_nothing_is_kept_of_sessions_that_have_ended() -> None:
    wire = Wire()
    listing(wire)
    explainer = Explainer()
    assert len(list(explained(wire.frames(), explainer))) == 1
    tracker = explainer._tracker
    assert (tracker._tracked, tracker._live, tracker._hosts, tracker._ending) == ({}, {}, {}, [])


def test_long_sessions_are_shortened_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.capture.session.MOST_EVENTS", 100)
    monkeypatch.setattr("fairlead.capture.session._KEPT_AT_START", 10)
    wire = Wire()
    control = logged_in(wire)
    for _ in range(100):
        control.dialogue("NOOP", "200 ok")
    session = wire.one()
    assert len(session.ladder.steps) < 120
    assert session.unseen == ("150 steps in the middle of the session are left out.",)
