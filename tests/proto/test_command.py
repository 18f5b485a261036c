from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.command import Command, CommandEvent, CommandParser, LineTooLong, encode_command
from tests.proto.cuts import cuts


def parse(*pieces: bytes, limit: int = 100) -> list[CommandEvent]:
    parser = CommandParser(limit)
    return [command for piece in pieces for command in parser.feed(piece)]


@pytest.mark.req("S-1123-RD-1")
@pytest.mark.parametrize(
    ("data", "commands"),
    [
        (b"NOOP\r\n", [Command("NOOP")]),
        (b"RETR a.txt\r\n", [Command("RETR", "a.txt")]),
        (b"PWD\r\nSYST\r\nNOOP\r\n", [Command("PWD"), Command("SYST"), Command("NOOP")]),
        (b"USER a\r\nPASS b c\r\nPW", [Command("USER", "a"), Command("PASS", "b c")]),
        (b"\r\n", [Command("")]),
        (b" x\r\n", [Command("", "x")]),
        (b"CWD \r\n", [Command("CWD", "")]),
    ],
)
def test_commands_are_the_same_however_the_octets_arrive(data: bytes, commands: list[CommandEvent]) -> None:
    for pieces in cuts(data):
        assert parse(*pieces) == commands, pieces


@pytest.mark.req("S-DF-GRAM-12")
def test_a_bare_line_feed_ends_a_command_and_an_empty_line_has_no_verb() -> None:
    for pieces in cuts(b"pwd\n\nNoop\n"):
        assert parse(*pieces) == [Command("PWD"), Command(""), Command("NOOP")]


@pytest.mark.req("S-959-GRAM-5")
def test_a_verb_is_upper_case_and_an_argument_stays_as_it_is() -> None:
    assert parse(b"tYpE i\r\n") == [Command("TYPE", "i")]


@pytest.mark.parametrize("verb", ["paſs", "usér", "ﬀ"])
def test_a_verb_outside_of_ascii_never_becomes_another(verb: str) -> None:
    assert parse(f"{verb} x\r\n".encode()) == [Command(verb, "x")]


@pytest.mark.req("S-2640-SP-5")
def test_one_space_separates_and_all_others_belong_to_the_argument() -> None:
    assert parse(b"STOR  x \r\n") == [Command("STOR", " x ")]


@pytest.mark.req("S-2640-UTF-2")
@pytest.mark.parametrize(
    "octets", ["é".encode(), "日本".encode(), "\U0001f600".encode(), b"\xe9", b"e\xcc\x81", b"\xff", b"\xc3"]
)
def test_an_argument_is_utf_8_or_keeps_its_octets(octets: bytes) -> None:
    name = octets.decode("utf-8", "surrogateescape")
    for pieces in cuts(b"MKD " + octets.replace(b"\xff", b"\xff\xff") + b"\r\nPWD\r\n"):
        assert parse(*pieces) == [Command("MKD", name), Command("PWD")], pieces


@pytest.mark.req("S-3659-TEL-3")
def test_a_doubled_255_is_one() -> None:
    for pieces in cuts(b"MKD a\xff\xffb\r\n"):
        assert parse(*pieces) == [Command("MKD", "a\udcffb")]


def test_a_255_that_was_not_doubled_stays() -> None:
    for pieces in cuts(b"MKD a\xffb\r\n"):
        assert parse(*pieces) == [Command("MKD", "a\udcffb")]


@pytest.mark.req("S-2640-TEL-4")
def test_cr_nul_is_a_cr_and_a_line_feed_after_it_does_not_end_the_command() -> None:
    for pieces in cuts(b"MKD a\r\0b\r\nMKD c\r\0\nd\r\n"):
        assert parse(*pieces) == [Command("MKD", "a\rb"), Command("MKD", "c\r\nd")], pieces


@pytest.mark.req("S-GEN-6")
def test_another_nul_stays_for_the_path_to_refuse() -> None:
    for pieces in cuts(b"DELE a\0b\r\n"):
        assert parse(*pieces) == [Command("DELE", "a\0b")]


@pytest.mark.req("S-1123-TEL-1")
def test_telnet_options_are_refused_and_leave_no_trace_in_the_command() -> None:
    for pieces in cuts(b"\xff\xfd\x06NO\xff\xfb\x01OP\r\n"):
        parser = CommandParser()
        answers = b""
        commands: list[CommandEvent] = []
        for piece in pieces:
            commands += parser.feed(piece)
            answers += parser.take_answers()

        assert commands == [Command("NOOP")], pieces
        assert answers == b"\xff\xfc\x06\xff\xfe\x01"


def test_nothing_is_answered_to_a_client_that_speaks_no_telnet() -> None:
    parser = CommandParser()
    parser.feed(b"NOOP\r\n")

    assert parser.take_answers() == b""


@pytest.mark.req("S-959-TEL-2")
@pytest.mark.parametrize(
    "synch",
    [
        pytest.param(b"\xff\xf4\xff\xf2", id="all inline"),
        pytest.param(b"\xff\xf4\xff", id="DM was urgent and is gone"),
        pytest.param(b"\xff\xf4\xf2", id="the second IAC was urgent and is gone"),
        pytest.param(b"\xff\xf2", id="DM alone"),
        pytest.param(b"\xf4\xff\xf2", id="the first IAC is gone"),
        pytest.param(b"", id="none"),
    ],
)
@pytest.mark.parametrize("verb", ["ABOR", "STAT", "QUIT"])
def test_what_is_left_of_a_synch_is_taken_off_the_verb(synch: bytes, verb: str) -> None:
    for pieces in cuts(b"NOOP\r\n" + synch + verb.encode() + b"\r\nNOOP\r\n"):
        assert parse(*pieces) == [Command("NOOP"), Command(verb), Command("NOOP")], pieces


@pytest.mark.parametrize("octet", [b"x", b"\xc3", b"\xff\xff", b"\0", b" "])
def test_a_line_over_the_limit_is_one_event_and_none_of_it_is_a_command(octet: bytes) -> None:
    data = b"NOOP\r\n" + b"STOR " + octet * 30 + b"\r\nPWD\r\n"
    for pieces in cuts(data):
        assert parse(*pieces, limit=20) == [Command("NOOP"), LineTooLong(35), Command("PWD")], pieces


def test_the_limit_holds_for_the_line_not_for_what_arrives_at_once() -> None:
    data = b"NOOP\r\nRETR 12345\r\nNO"
    for pieces in cuts(data + b"OP\r\n"):
        assert parse(*pieces, limit=10) == [Command("NOOP"), Command("RETR", "12345"), Command("NOOP")], pieces


def test_a_line_of_just_the_limit_passes() -> None:
    for end in (b"\r\n", b"\n"):
        for pieces in cuts(b"RETR 12345" + end + b"RETR 123456" + end):
            assert parse(*pieces, limit=10) == [Command("RETR", "12345"), LineTooLong(11)], pieces


def test_a_line_of_64_kib_leaves_the_parser_usable() -> None:
    parser = CommandParser()
    events = [event for _ in range(64) for event in parser.feed(b"x" * 1024)]
    events += parser.feed(b"\r\nNOOP\r\n")

    assert events == [LineTooLong(65536), Command("NOOP")]


VERBS = st.text(st.characters(min_codepoint=0x41, max_codepoint=0x5A), min_size=1, max_size=4)
ARGUMENTS = st.binary(max_size=10).filter(lambda octets: b"\n" not in octets and b"\0" not in octets)


@pytest.mark.req("C-2640-CMD-1")
@given(st.lists(st.tuples(VERBS, ARGUMENTS), max_size=4))
def test_what_a_client_encodes_a_server_parses(commands: list[tuple[str, bytes]]) -> None:
    expected = [Command(verb, octets.decode("utf-8", "surrogateescape")) for verb, octets in commands]
    data = b"".join(encode_command(*command) for command in expected)
    for pieces in cuts(data):
        assert parse(*pieces) == expected, pieces


@given(
    st.lists(
        st.sampled_from([b"\r", b"\n", b"\0", b"\xff", b"\xfd", b"\xf2", b"\xc3", b" ", b"a", b"noop\r\n"]), max_size=9
    )
)
def test_any_octets_parse_the_same_however_they_arrive(octets: list[bytes]) -> None:
    data = b"".join(octets)
    expected = parse(data, limit=5)
    for pieces in cuts(data):
        assert parse(*pieces, limit=5) == expected, pieces


@pytest.mark.parametrize(
    ("verb", "argument", "octets"),
    [
        ("PWD", "", b"PWD\r\n"),
        ("RETR", "a b", b"RETR a b\r\n"),
        ("STOR", " é", b"STOR  \xc3\xa9\r\n"),
        ("MKD", "a\rb\udcff", b"MKD a\r\0b\xff\xff\r\n"),
    ],
)
def test_a_command_goes_out_as_one_line(verb: str, argument: str, octets: bytes) -> None:
    assert encode_command(verb, argument) == octets


@pytest.mark.req("C-2640-CMD-1")
@pytest.mark.parametrize(
    ("verb", "argument"),
    [
        ("RETR", "a\nDELE b"),
        ("RETR", "a\r\nDELE b"),
        ("RETR", "a\0b"),
        ("RETR", "\ud800"),
        ("", "x"),
        ("RE TR", "x"),
        ("NOOP\r\n", ""),
        ("NOOP\n", ""),
        ("É", ""),
        ("\xff", ""),
    ],
)
def test_what_could_become_a_second_command_is_refused(verb: str, argument: str) -> None:
    with pytest.raises(ArgumentError):
        encode_command(verb, argument)
