from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import LimitError, ProtocolError
from fairlead.proto.reply import Reply, ReplyParser
from tests.proto.cuts import cuts


def parse(*pieces: bytes) -> list[Reply]:
    parser = ReplyParser()
    return [reply for piece in pieces for reply in parser.feed(piece)]


class TestReply:
    def test_it_has_a_code_lines_and_a_kind(self) -> None:
        reply = Reply(211, "a", "b")

        assert (reply.code, reply.lines, reply.text, reply.kind) == (211, ("a", "b"), "a\nb", 2)

    @pytest.mark.req("C-1123-RPL-3")
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (150, "preliminary"),
            (299, "completed"),
            (331, "intermediate"),
            (499, "transient"),
            (599, "permanent"),
        ],
    )
    def test_the_first_digit_decides(self, code: int, kind: str) -> None:
        reply = Reply(code, "")
        kinds = ("preliminary", "completed", "intermediate", "transient", "permanent")

        assert [name for name in kinds if getattr(reply, name)] == [kind]

    def test_replies_compare_by_code_and_lines(self) -> None:
        assert Reply(200, "a") == Reply(200, "a")
        assert Reply(200, "a") != Reply(200, "b")
        assert Reply(200, "a") != Reply(250, "a")
        assert Reply(200, "a") != "200 a"
        assert len({Reply(200, "a"), Reply(200, "a"), Reply(200, "a", "b")}) == 2
        assert repr(Reply(200, "a", "b")) == "Reply(200, 'a', 'b')"


class TestEncoding:
    @pytest.mark.req("S-959-GRAM-1")
    @pytest.mark.parametrize(
        ("reply", "octets"),
        [
            (Reply(200, "OK"), b"200 OK\r\n"),
            (Reply(200, ""), b"200 \r\n"),
            (Reply(200), b"200 \r\n"),
        ],
    )
    def test_one_line_is_code_space_text(self, reply: Reply, octets: bytes) -> None:
        assert reply.encode() == octets

    @pytest.mark.req("S-959-GRAM-2")
    def test_several_lines_begin_with_a_hyphen_and_end_with_the_same_code_and_a_space(self) -> None:
        assert Reply(211, "A", " x", "", "End").encode() == b"211-A\r\n x\r\n\r\n211 End\r\n"
        assert Reply(211, "A", "End").encode() == b"211-A\r\n211 End\r\n"

    @pytest.mark.req("S-959-GRAM-3", "S-DF-MISC-4")
    def test_an_inner_line_that_begins_with_three_digits_is_padded(self) -> None:
        reply = Reply(220, "hi", "220 there", "226-x", "22", "22a", "²²²", "500", "bye")

        assert reply.encode() == "220-hi\r\n 220 there\r\n 226-x\r\n22\r\n22a\r\n²²²\r\n 500\r\n220 bye\r\n".encode()

    @pytest.mark.req("S-SEC-8")
    @pytest.mark.parametrize(
        ("text", "octets"),
        [
            ("a\nb", b"a?b"),
            ("a\r\n226 b", b"a\r\0?226 b"),
            ("a\r226 b", b"a\r\x00226 b"),
            ("a\0b", b"a?b"),
            ("\x1b[31m", b"?[31m"),
            ("a\x7fb", b"a?b"),
            ("a\tb", b"a\tb"),
        ],
    )
    def test_no_text_ends_its_line_or_steers_a_terminal(self, text: str, octets: bytes) -> None:
        assert Reply(257, text).encode() == b"257 " + octets + b"\r\n"
        assert Reply(211, text, text, text).encode() == b"211-%b\r\n%b\r\n211 %b\r\n" % (octets, octets, octets)

    @pytest.mark.req("S-3659-TEL-3", "S-2640-TEL-4", "S-2640-UTF-2")
    def test_path_names_go_out_as_the_octets_they_are(self) -> None:
        text = '"/é\udce9\udcff\r日"'

        assert Reply(257, text).encode() == b'257 "/\xc3\xa9\xe9\xff\xff\r\0\xe6\x97\xa5"\r\n'


class TestParsing:
    @pytest.mark.req("C-959-RPL-1", "C-1123-RPL-2", "C-DF-RPL-4")
    @pytest.mark.parametrize(
        ("data", "replies"),
        [
            (b"220 hi\r\n", [Reply(220, "hi")]),
            (b"220 hi\n", [Reply(220, "hi")]),
            (b"220\r\n", [Reply(220, "")]),
            (b"220 \r\n", [Reply(220, "")]),
            (b"150 a\r\n226 b\r\n", [Reply(150, "a"), Reply(226, "b")]),
            (b"220-a\r\n220 b\r\n", [Reply(220, "a", "b")]),
            (b"220-a\n220 b\n", [Reply(220, "a", "b")]),
            (b"220-a\r\n220\r\n", [Reply(220, "a", "")]),
            (
                b"220-a\r\n\r\n226 b\r\n226\r\n2201\r\n 220 c\r\n220 d\r\n",
                [Reply(220, "a", "", "226 b", "226", "2201", " 220 c", "d")],
            ),
            (b"220-a\r\n220-b\r\n226-c\r\n220 d\r\n", [Reply(220, "a", "b", "226-c", "d")]),
            (b"220-\r\n220 \r\n", [Reply(220, "", "")]),
            (b"631 x\r\n", [Reply(631, "x")]),
            (b"200 a\r\n\r\n200 b\r\n", [Reply(200, "a"), Reply(200, "b")]),
            (b'257 "/\xe9\xc3\xa9"\r\n', [Reply(257, '"/\udce9é"')]),
            (b"257 a\r\0b\xff\xffc\r\n", [Reply(257, "a\rb\udcffc")]),
            (b"200 a\r\n20", [Reply(200, "a")]),
        ],
    )
    def test_replies_are_the_same_however_the_octets_arrive(self, data: bytes, replies: list[Reply]) -> None:
        for pieces in cuts(data):
            assert parse(*pieces) == replies, pieces

    @pytest.mark.req("C-1123-TEL-1")
    def test_telnet_commands_are_taken_out_and_options_refused(self) -> None:
        for pieces in cuts(b"\xff\xfb\x01220\xff\xf1 h\xff\xfd\x03i\r\n"):
            parser = ReplyParser()
            replies = [reply for piece in pieces for reply in parser.feed(piece)]

            assert replies == [Reply(220, "hi")], pieces
            assert parser.take_answers() == b"\xff\xfe\x01\xff\xfc\x03"

    @pytest.mark.parametrize(
        "data",
        [
            b"hello\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"020 x\r\n",
            b"720 x\r\n",
            b"22\r\n",
            b"2200 x\r\n",
            b"220x\r\n",
            b"220\tx\r\n",
            "²²² x\r\n".encode(),
        ],
    )
    def test_what_is_no_reply_is_an_error(self, data: bytes) -> None:
        for pieces in cuts(data):
            with pytest.raises(ProtocolError, match="no FTP reply"):
                parse(*pieces)

    def test_replies_before_an_error_are_not_lost_and_the_error_stays(self) -> None:
        parser = ReplyParser()

        assert parser.feed(b"220 hi\r\nnonsense\r\n220 again\r\n") == [Reply(220, "hi")]
        for _ in range(2):
            with pytest.raises(ProtocolError, match="nonsense"):
                parser.feed(b"")

    @pytest.mark.req("C-1123-RPL-2")
    @pytest.mark.parametrize("data", [b"220 " + b"x" * 100 + b"\r\n", b"220-a\r\n" + b"x\r\n" * 40])
    def test_a_reply_beyond_the_limit_is_an_error(self, data: bytes) -> None:
        parser = ReplyParser(limit=100)

        with pytest.raises(LimitError, match="longer than 100 octets"):
            parser.feed(data)

    @pytest.mark.parametrize("cut", [1, 7, 102])
    def test_a_line_without_end_is_an_error_as_soon_as_it_is_beyond_the_limit(self, cut: int) -> None:
        parser, octets = ReplyParser(limit=100), b"220 " + b"x" * 97
        for at in range(0, len(octets), cut):
            assert parser.feed(octets[at : at + cut]) == []

        with pytest.raises(LimitError, match="longer than 100 octets"):
            parser.feed(b"x")

    def test_the_limit_is_for_each_reply_and_not_for_the_session(self) -> None:
        parser = ReplyParser(limit=30)

        for _ in range(100):
            assert parser.feed(b"220-a\r\n220 b\r\n\r\n") == [Reply(220, "a", "b")]

    def test_a_multi_line_reply_may_have_thousands_of_lines(self) -> None:
        data = b"211-a\r\n" + b" line\r\n" * 5000 + b"211 b\r\n"

        assert parse(data) == [Reply(211, "a", *[" line"] * 5000, "b")]


SENDABLE = st.binary(max_size=6).map(
    lambda octets: octets.translate(None, bytes((*range(13), *range(14, 32), 127))).decode("utf-8", "surrogateescape")
)
REPLIES = st.builds(
    lambda code, lines: Reply(code, *lines),
    st.integers(100, 659),
    st.lists(SENDABLE | st.sampled_from(["226 x", "220-", "999"]), min_size=1, max_size=4),
)


def as_padded(reply: Reply) -> Reply:
    """The reply with a space before the inner lines that look like the beginning of a reply."""
    first, last = reply.lines[:1], reply.lines[1:][-1:]
    inner = [
        f" {line}" if len(line) > 2 and line[:3].isascii() and line[:3].isdigit() else line
        for line in reply.lines[1:-1]
    ]
    return Reply(reply.code, *first, *inner, *last)


@pytest.mark.req("C-959-RPL-1", "C-DF-RPL-4", "S-959-GRAM-3")
@given(st.lists(REPLIES, max_size=3))
def test_what_a_server_encodes_a_client_parses(replies: list[Reply]) -> None:
    data = b"".join(reply.encode() for reply in replies)
    for pieces in cuts(data):
        assert parse(*pieces) == list(map(as_padded, replies)), pieces


@pytest.mark.req("S-SEC-8")
@given(st.integers(100, 659), st.lists(st.binary(max_size=8), max_size=4))
def test_whatever_the_text_it_is_one_reply(code: int, lines: list[bytes]) -> None:
    encoded = Reply(code, *(line.decode("utf-8", "surrogateescape") for line in lines)).encode()

    assert [reply.code for reply in parse(encoded)] == [code]
    assert encoded.count(b"\n") == encoded.count(b"\r\n") == max(len(lines), 1)
