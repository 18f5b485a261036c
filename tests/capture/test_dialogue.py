from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.capture.dialogue import Answered, Dialogue, Event, Hidden, Missing, Sent, Stranger, Uncovered
from fairlead.proto.reply import Reply
from tests.capture.test_records import HANDSHAKE, record

WORDS = [
    (False, b"220 ready\r\n"),
    (True, b"USER me\r\n"),
    (False, b"331 password\r\n"),
    (True, b"PASS s3cret\r\n"),
    (False, b"230-hello\r\n there\r\n230 in\r\n"),
    (True, b"EPSV\r\n"),
    (False, b"229 (|||50000|)\r\n"),
]


def heard(words: Iterable[tuple[bool, bytes]], *, whole: bool = True, implicit_tls: bool = False) -> list[Event]:
    dialogue = Dialogue(whole=whole, implicit_tls=implicit_tls)
    seq = {True: 100, False: 900}
    events: list[Event] = []
    for by_client, octets in words:
        events += dialogue.feed(0.0, by_client, seq[by_client], seq[not by_client], octets, len(octets))
        seq[by_client] += len(octets)
    return events + dialogue.finish(0.0)


def told(events: Iterable[Event]) -> list[str]:
    said = []
    for event in events:
        if isinstance(event, Sent):
            said.append(f"> {event.verb} {event.argument}".rstrip())
        elif isinstance(event, Answered):
            said.append(f"< {event.reply.code} {event.reply.text}")
        else:
            said.append(type(event).__name__)
    return said


WHOLE = told(heard(WORDS))


def test_commands_and_replies_come_in_turn() -> None:
    assert WHOLE == [
        "< 220 ready",
        "> USER me",
        "< 331 password",
        "> PASS s3cret",
        "< 230 hello\n there\nin",
        "> EPSV",
        "< 229 (|||50000|)",
    ]


@settings(deadline=None)
@given(st.data())
def test_segments_may_be_cut_anywhere(data: st.DataObject) -> None:
    pieces = []
    for by_client, octets in WORDS:
        cut = data.draw(st.integers(0, len(octets)))
        pieces += [(by_client, octets[:cut]), (by_client, octets[cut:])]
    assert told(heard(pieces)) == WHOLE


@settings(deadline=None)
@given(st.sets(st.integers(0, len(WORDS) - 1)))
def test_no_password_shows_whatever_the_capture_misses(lost: set[int]) -> None:
    dialogue = Dialogue(whole=True)
    seq = {True: 100, False: 900}
    events: list[Event] = []
    for number, (by_client, octets) in enumerate(WORDS):
        if number not in lost:
            events += dialogue.feed(0.0, by_client, seq[by_client], seq[not by_client], octets, len(octets))
        seq[by_client] += len(octets)
    events += dialogue.finish(0.0)
    assert all(event.verb == "PASS" for event in events if isinstance(event, Sent) and "s3cret" in repr(event))


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(1, 20))
def test_the_rest_of_a_line_whose_beginning_is_lost_is_left_out(start: int, size: int) -> None:
    octets = b"PASS s3cret s3cret s3cret\r\n"
    dialogue = Dialogue(whole=True)
    dialogue.begin(True, 100)
    events = dialogue.feed(0.0, True, 100, 0, octets[:start], start)
    size = min(size, len(octets) - 1 - start)
    rest = octets[start + size :]
    events += dialogue.feed(0.0, True, 100 + start + size, 0, rest, len(rest))
    events += dialogue.feed(0.0, True, 100 + len(octets), 0, b"EPSV\r\n", 6)
    events += dialogue.finish(0.0)
    assert told(events)[-2:] == ["Missing", "> EPSV"]
    assert all(event.verb == "PASS" for event in events if isinstance(event, Sent) and "cret" in repr(event))


def test_a_capture_that_begins_in_a_line_leaves_the_line_out() -> None:
    assert told(heard([(True, b"cret\r\nEPSV\r\n")], whole=False)) == ["> EPSV"]
    assert told(heard([(True, b"EPSV\r\n")], whole=False)) == ["> EPSV"]


def test_what_was_cut_off_ends_a_command_visibly() -> None:
    dialogue = Dialogue(whole=True)
    assert told(dialogue.feed(0.0, True, 100, 0, b"RETR fi", 20)) == ["> RETR fi…", "Missing"]


def test_tls_hides_what_follows_its_agreement() -> None:
    words = [(True, b"AUTH TLS\r\n"), (False, b"234 go on\r\n"), (True, HANDSHAKE), (False, HANDSHAKE)]
    assert told(heard(words)) == ["> AUTH TLS", "< 234 go on", "Hidden"]
    assert told(heard([words[0], words[2]])) == ["> AUTH TLS", "Hidden"]  # the reply is not in the capture


def test_a_refused_agreement_hides_nothing() -> None:
    words = [(True, b"AUTH TLS\r\n"), (False, b"502 no\r\n"), (True, b"EPSV\r\n")]
    assert told(heard(words)) == ["> AUTH TLS", "< 502 no", "> EPSV"]


def test_the_dialogue_comes_back_when_tls_ends() -> None:
    words = [
        (True, b"AUTH TLS\r\n"),
        (False, b"234 go on\r\n"),
        (True, HANDSHAKE + record(23, bytes(30))),
        (True, b"PASV\r\n"),
        (False, b"227 (1,2,3,4,5,6)\r\n"),
    ]
    events = heard(words)
    assert told(events) == ["> AUTH TLS", "< 234 go on", "Hidden", "Uncovered", "> PASV", "< 227 (1,2,3,4,5,6)"]
    assert isinstance(events[3], Uncovered)


def test_tls_may_come_first() -> None:
    events = heard([(True, HANDSHAKE), (False, HANDSHAKE)], implicit_tls=True)
    assert events == [Hidden(0.0, implicit=True)]


def test_a_server_that_speaks_something_else_is_told() -> None:
    assert heard([(False, b"SSH-2.0-OpenSSH_9.2\r\n")]) == [Stranger(0.0, "SSH-2.0-OpenSSH_9.2\r\n")]


def test_what_is_no_reply_in_the_middle_is_left_out() -> None:
    assert told(heard([*WORDS[:1], (False, b"garbage\r\n"), *WORDS[1:2]])) == ["< 220 ready", "> USER me"]


@pytest.mark.parametrize("line", [b"12345678901\r\n", b"s3cret-pw\r\n", "pässwörd\r\n".encode()])
def test_what_is_no_verb_is_not_shown(line: bytes) -> None:
    (event,) = heard([(True, line)])
    assert isinstance(event, Sent)
    assert event.verb == "?"


def test_a_gap_of_the_server_is_told() -> None:
    dialogue = Dialogue(whole=True)
    dialogue.begin(False, 900)
    assert dialogue.feed(0.0, False, 1000, 0, b"in\r\n226 done\r\n", 14) == []
    assert dialogue.feed(0.0, True, 100, 1014, b"NOOP\r\n", 6)[:2] == [
        Missing(0.0, False, 100),
        Answered(0.0, Reply(226, "done")),
    ]
