"""From what was observed to the cause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Called, Evidence, Said
from fairlead.reach.verdict import RULES, alone, named, together

SERVER, CLIENT, INSIDE, HOME = "203.0.113.21", "198.51.100.10", "10.1.1.21", "192.168.1.10"
DONE: dict[str, Any] = {"opening": Said(150, "here"), "final": Said(226, "done"), "ended": True, "octets": 70}
CONNECTED, SILENT, REFUSED = Answer.CONNECTED, Answer.SILENT, Answer.REFUSED


def epsv(answer: Answer | None = CONNECTED, *, port: int = 50001, hidden: bool = False, **more: Any) -> Evidence:
    calls = () if answer is None else (Called(SERVER, port, answer),)
    return Evidence(
        **{
            "mode": "EPSV",
            "family": 4,
            "private": hidden,
            "peer": SERVER,
            "local": CLIENT,
            "setup": Said(229, f"ok (|||{port}|)"),
            "port": port,
            "calls": calls,
            **more,
        }
    )


def pasv(host: str = SERVER, *calls: Called, **more: Any) -> Evidence:
    return epsv(
        None, mode="PASV", setup=Said(227, "ok"), host=host, calls=calls or (Called(SERVER, 50001, CONNECTED),), **more
    )


def port(said: Said | None = Said(200, "ok"), *, host: str = CLIENT, **more: Any) -> Evidence:  # noqa: B008
    return epsv(None, **{"mode": "PORT", "setup": said, "host": host, "port": 40000, "calls": (), **more})


def samples(*answers: Answer, first: int = 50002) -> tuple[Called, ...]:
    return tuple(Called(SERVER, first + number, answer) for number, answer in enumerate(answers))


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (epsv(**DONE), Cause.OK),
        (pasv(**DONE), Cause.OK),
        (epsv(opening=Said(150, "here"), octets=262144, enough=True), Cause.OK),
        (port(caller=SERVER, **DONE), Cause.OK),
        (epsv(session=Cause.TLS_REQUIRED), Cause.TLS_REQUIRED),
        (epsv(None, setup=None), Cause.CONTROL_LOST),
        (epsv(None, setup=None, session=Cause.CONTROL_LOST), Cause.CONTROL_LOST),
        (epsv(None, setup=Said(500, "Unknown command")), Cause.NOT_SUPPORTED),
        (epsv(None, setup=Said(502, "Command not implemented")), Cause.NOT_SUPPORTED),
        (epsv(None, setup=Said(522, "Network protocol not supported, use (1)")), Cause.FAMILY_UNSUPPORTED),
        (epsv(None, mode="PASV", family=6, setup=Said(501, "no")), Cause.FAMILY_UNSUPPORTED),
        (epsv(None, mode="PORT", family=6, setup=None), Cause.FAMILY_UNSUPPORTED),
        (epsv(None, mode="PASV", family=6, session=Cause.CONTROL_LOST, setup=None), Cause.FAMILY_UNSUPPORTED),
        (
            port(Said(500, "Bad EPRT protocol."), mode="EPRT", family=6, host="2001:db8::1", seen="192.0.2.64"),
            Cause.FAMILY_UNSUPPORTED,
        ),
        (
            port(None, mode="EPRT", family=6, host="2001:db8::1", seen="192.0.2.64", session=Cause.CONTROL_LOST),
            Cause.FAMILY_UNSUPPORTED,
        ),
        (epsv(None, setup=Said(550, "Permission denied.")), Cause.REFUSED_BY_POLICY),
        (port(Said(504, "Active mode is switched off here; use EPSV or PASV."), seen=CLIENT), Cause.REFUSED_BY_POLICY),
        (port(Said(500, "Illegal PORT command."), seen=CLIENT), Cause.REFUSED_BY_POLICY),
        (epsv(None, setup=Said(425, "No passive port is free")), Cause.PASSIVE_EXHAUSTED),
        (epsv(None, setup=Said(522, "Data connections must be encrypted.")), Cause.TLS_REQUIRED),
        (epsv(final=Said(521, "SSL/TLS required on the data channel.")), Cause.TLS_REQUIRED),
        (epsv(SILENT), Cause.PASSIVE_DROPPED),
        (epsv(REFUSED), Cause.PASSIVE_REJECTED),
        (epsv(Answer.UNREACHABLE), Cause.PASSIVE_REJECTED),
        (epsv(REFUSED, told=50006), Cause.PASSIVE_REWRITTEN),
        (epsv(SILENT, told=50001), Cause.PASSIVE_DROPPED),
        (epsv(SILENT, samples=samples(SILENT, CONNECTED)), Cause.PASSIVE_RANGE_PARTLY_OPEN),
        (epsv(**DONE, samples=samples(CONNECTED, REFUSED)), Cause.PASSIVE_RANGE_PARTLY_OPEN),
        (epsv(**DONE, samples=samples(CONNECTED, CONNECTED)), Cause.OK),
        (
            pasv(INSIDE, Called(INSIDE, 50001, SILENT), Called(SERVER, 50001, CONNECTED), **DONE),
            Cause.PASSIVE_PRIVATE_ADDRESS,
        ),
        (
            pasv(INSIDE, Called(INSIDE, 50001, SILENT), Called(SERVER, 50001, SILENT)),
            Cause.PASSIVE_PRIVATE_ADDRESS,
        ),
        (pasv("203.0.113.99", Called("203.0.113.99", 50001, CONNECTED), **DONE), Cause.OK),
        (port(seen=CLIENT), Cause.ACTIVE_DROPPED),
        (port(seen=CLIENT, final=Said(425, "Connection timed out")), Cause.ACTIVE_DROPPED),
        (port(seen=CLIENT, final=Said(425, "Connection refused")), Cause.ACTIVE_REJECTED),
        (port(), Cause.ACTIVE_DROPPED),
        (port(host=HOME, seen="192.0.2.2"), Cause.ACTIVE_PRIVATE_ADDRESS),
        (port(host=HOME), Cause.ACTIVE_PRIVATE_ADDRESS),
        (port(Said(500, "Illegal PORT command."), host=HOME), Cause.ACTIVE_PRIVATE_ADDRESS),
        (
            port(Said(504, "I call only the address you call from (RFC 2577)."), seen="192.0.2.2"),
            Cause.ACTIVE_PRIVATE_ADDRESS,
        ),
        (
            port(Said(500, "I won't open a connection to 192.168.1.10 (only to 192.0.2.2)"), host=HOME),
            Cause.ACTIVE_PRIVATE_ADDRESS,
        ),
        (port(Said(200, "I will call 192.0.2.2 port 40000."), host=HOME, seen="192.0.2.2"), Cause.ACTIVE_DROPPED),
        (port(host=HOME, seen="192.0.2.2", strict=True), Cause.ACTIVE_DROPPED),
        (port(host=HOME, seen="192.0.2.2", strict=False), Cause.ACTIVE_PRIVATE_ADDRESS),
        (epsv(final=Said(425, "Security: Bad IP connecting.")), Cause.DATA_PEER_REFUSED),
        (epsv(final=Said(425, "It was not you (data-peer-refused)")), Cause.DATA_PEER_REFUSED),
        (epsv(final=Said(425, "Nobody called port 50001 (passive-dropped)")), Cause.PASSIVE_DROPPED),
        (epsv(hidden=True, resumed=False, handshake="reset", opening=Said(150, "")), Cause.DATA_TLS_FAILED),
        (
            epsv(hidden=True, resumed=False, final=Said(522, "SSL connection failed: session reuse required")),
            Cause.DATA_TLS_NOT_RESUMED,
        ),
        (
            epsv(hidden=True, resumed=False, final=Said(425, "Unable to build data connection")),
            Cause.DATA_TLS_NOT_RESUMED,
        ),
        (epsv(hidden=True, resumed=True, final=Said(425, "Bad IP connecting")), Cause.DATA_PEER_REFUSED),
        (epsv(opening=Said(150, "here"), broke="reset", octets=9000), Cause.DATA_CUT),
        (epsv(opening=Said(150, "here"), octets=9000, final=Said(426, "broke")), Cause.DATA_CUT),
        (epsv(opening=Said(150, "here")), Cause.DATA_STALLED),
        (epsv(opening=Said(150, "here"), octets=4000000, ended=True, idle=6.2), Cause.CONTROL_FORGOTTEN),
        (epsv(**DONE, idle=6.2, forgotten=True), Cause.CONTROL_FORGOTTEN),
        (epsv(opening=Said(150, "here"), octets=70, ended=True), Cause.CONTROL_LOST),
        (epsv(final=Said(550, "No such directory")), Cause.REFUSED_BY_POLICY),
        (epsv(hidden=True, trusted=False, resumed=True, **DONE), Cause.CERTIFICATE_INVALID),
        (epsv(SILENT, hidden=True, trusted=False), Cause.PASSIVE_DROPPED),
    ],
)
def test_one_attempt_tells(seen: Evidence, cause: Cause) -> None:
    assert alone(seen) is cause


def test_every_cause_of_a_data_connection_has_a_rule_or_comes_of_comparing() -> None:
    compared = {Cause.HELPER_BLIND, Cause.CERTIFICATE_INVALID}
    sessions = {
        Cause.CONTROL_UNRESOLVED,
        Cause.CONTROL_TIMEOUT,
        Cause.CONTROL_REFUSED,
        Cause.NOT_FTP,
        Cause.LOGIN_REFUSED,
        Cause.TLS_FAILED,
    }

    assert {rule.cause for rule in RULES} | compared | sessions == set(Cause)


def test_what_works_in_clear_and_fails_under_tls_is_followed_by_a_helper() -> None:
    clear, hidden = epsv(**DONE), epsv(SILENT, hidden=True)

    assert together([clear, hidden]) == (Cause.OK, Cause.HELPER_BLIND)


def test_an_address_that_is_put_right_in_clear_alone_is_put_right_by_a_helper() -> None:
    clear = port(host=HOME, caller=SERVER, **DONE)
    hidden = port(Said(500, "Illegal PORT command."), host=HOME, private=True)

    assert together([clear, hidden]) == (Cause.OK, Cause.HELPER_BLIND)


def test_what_fails_in_clear_and_works_under_tls_is_rewritten() -> None:
    clear, hidden = epsv(REFUSED), epsv(hidden=True, resumed=True, **DONE)

    assert together([clear, hidden]) == (Cause.PASSIVE_REWRITTEN, Cause.OK)


def test_families_are_judged_apart() -> None:
    four, six = epsv(**DONE), epsv(SILENT, hidden=True, family=6)

    assert together([four, six]) == (Cause.OK, Cause.PASSIVE_DROPPED)


def test_where_one_passive_mode_met_closed_ports_the_other_was_lucky() -> None:
    lucky = epsv(**DONE, samples=samples(CONNECTED))
    unlucky = pasv(samples=samples(CONNECTED, SILENT), **DONE)

    assert together([lucky, unlucky]) == (Cause.PASSIVE_RANGE_PARTLY_OPEN,) * 2


def test_where_the_server_tells_another_port_the_other_passive_mode_is_rewritten_too() -> None:
    told = epsv(REFUSED, told=50006)
    met_another_session = pasv(final=Said(425, "what?"))

    assert together([told, met_another_session]) == (Cause.PASSIVE_REWRITTEN,) * 2


def test_ports_of_both_modes_far_apart_were_written_by_somebody_else() -> None:
    low = epsv(REFUSED, port=30007, samples=samples(*[REFUSED] * 6, first=30000))
    high = pasv(SERVER, Called(SERVER, 50004, REFUSED), port=50004, samples=samples(*[REFUSED] * 6, first=50000))

    assert together([low, high]) == (Cause.PASSIVE_REWRITTEN,) * 2


def test_ports_of_one_wide_range_are_not_taken_for_rewritten() -> None:
    first = epsv(REFUSED, port=40000, samples=tuple(Called(SERVER, at, REFUSED) for at in (33000, 45000, 60000)))
    second = pasv(SERVER, Called(SERVER, 61000, REFUSED), port=61000, samples=first.samples)

    assert together([first, second]) == (Cause.PASSIVE_REJECTED,) * 2


def test_only_a_cause_of_the_vocabulary_is_taken_from_a_reply() -> None:
    assert named(Said(425, "No luck (active-dropped)")) is Cause.ACTIVE_DROPPED
    assert named(Said(425, "No luck (bad-luck)")) is None
    assert named(Said(425, "(active-dropped) no luck")) is None
    assert named(None) is None


def test_evidence_is_not_changed_by_being_judged() -> None:
    seen = epsv(SILENT)

    together([seen])

    assert seen == replace(seen)
