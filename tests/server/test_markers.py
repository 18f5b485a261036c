"""Restart markers (RFC 959 section 3.5, RFC 1123 section 4.1.3.4)."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import SessionClosed
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from fairlead.proto.codec.base import Marker, Piece
from fairlead.proto.reply import Reply
from fairlead.server.control import Control as ServerControl
from fairlead.server.marks import EVERY
from fairlead.storage import names
from fairlead.storage.local import LocalStorage
from tests.proto.codec.ways import markers, octets, sent
from tests.server.represented import ASCII, EBCDIC, IMAGE, choose, name, receive_marked
from tests.server.session import Control, Running, reset, serving

BLOCK, COMPRESSED = IMAGE._replace(mode="B"), IMAGE._replace(mode="C")
EVERY_ONE = [
    Representation(kind, "N", structure, mode, size)
    for kind, size in (("A", 8), ("E", 8), ("I", 8), ("L", 36))
    for structure in "FR"
    for mode in "BC"
]
ANSWER = re.compile(r"MARK (\S+) = ([!-~]+)")


def partial(root: Path) -> Path:
    return root / os.fsdecode(names.partial(b"file", "me"))


def answered(reply: Reply) -> tuple[str, str]:
    """The sender's marker and ours in ``110 MARK ssss = rrrr``."""
    assert reply.code == 110
    assert len(reply.lines) == 1
    match = ANSWER.fullmatch(reply.text)
    assert match is not None, reply
    return match[1], match[2]


def marked(representation: Representation, *parts: bytes) -> bytes:
    """A file in parts, with markers 1, 2, … between them."""
    encoder = encoder_for(representation)
    framed = b""
    for number, part in enumerate(parts):
        if number:
            framed += encoder.mark(b"%d" % number)
        framed += encoder.encode(part)
    return framed + encoder.finish()


# The server sends them


@pytest.mark.long
@pytest.mark.req("S-959-RST-1", "S-1123-RST-4", "S-959-CMP-6")
@pytest.mark.parametrize("representation", EVERY_ONE, ids=name)
def test_a_long_file_has_markers_at_which_it_can_be_begun(
    running: Running, root: Path, representation: Representation
) -> None:
    content = (b"".join(b"%d lines as long as lines are\n\xff" % number for number in range(100_000)))[
        : 3 * EVERY + 1001
    ]
    (root / "file").write_bytes(content)
    with running.login() as control, control.passive() as data:
        choose(control, representation)
        assert control.ask("RETR file").code == 150
        _, pieces = receive_marked(data, representation)
        assert control.read().code == 250
        texts = markers(pieces)
        assert len(texts) == 3
        whole = octets(pieces)
        for text in texts:
            assert re.fullmatch(rb"[!-~]+", text)
            after = octets(pieces[pieces.index(Marker(text)) + 1 :])
            assert control.ask(b"REST " + text).code == 350
            assert control.ask("RETR file").code == 125
            _, rest = receive_marked(data, representation)
            assert control.read().code == 250
            assert octets(rest) == after
            assert whole.endswith(after)


@pytest.mark.req("S-959-RST-1")
@pytest.mark.parametrize(
    "representation", [IMAGE, ASCII, IMAGE._replace(mode="Z"), Representation("L", "N", "P", "B", 32)], ids=name
)
def test_elsewhere_there_are_no_markers(running: Running, root: Path, representation: Representation) -> None:
    (root / "file").write_bytes(b"x" * (2 * EVERY))
    with running.login() as control, control.passive() as data:
        choose(control, representation)
        assert control.ask("RETR file").code == 150
        decoder = decoder_for(representation)
        pieces: list[Piece] = []
        while not decoder.finished and (received := data.recv(1 << 20)):
            pieces += decoder.decode(received)
        assert control.read().code in {226, 250}
    assert markers(pieces) == []


# The server receives them


@pytest.mark.req("S-959-RST-1", "S-1123-RST-2", "S-1123-RST-3", "S-959-CMP-6", "S-959-GRAM-4")
@pytest.mark.parametrize("representation", EVERY_ONE, ids=name)
def test_a_marker_is_answered_between_the_first_reply_and_the_last(
    control: Control, root: Path, representation: Representation
) -> None:
    choose(control, representation)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(marked(representation, b"one\n", b"two", b"\nthree\n"))
        replies = [control.read() for _ in range(3)]
    assert [reply.code for reply in replies] == [110, 110, 250]
    assert [answered(reply)[0] for reply in replies[:2]] == ["1", "2"]
    assert (root / "file").read_bytes().rstrip(b"\0") == b"one\ntwo\nthree\n"


@pytest.mark.req("S-1123-RST-2")
def test_the_form_of_the_answer_is_exact(control: Control) -> None:
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(marked(BLOCK, b"content", b""))
        assert control.read_codes(2) == [110, 250]
    line = next(line for line in bytes(control.raw).split(b"\r\n") if line.startswith(b"110"))
    assert re.fullmatch(rb"110 MARK 1 = [!-~]+", line)


@pytest.fixture
def lasting(root: Path) -> Iterator[Running]:
    """A server that promises to keep what it acknowledges."""
    with closing(LocalStorage(root, durability="full")) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
        with serving(storage, accounts=accounts) as running:
            yield running


@pytest.mark.req("S-1123-RST-2")
def test_what_came_before_a_marker_is_durable_before_it_is_answered(
    lasting: Running, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[bytes] = []
    flush = os.fdatasync

    def recorded(descriptor: int) -> None:
        flush(descriptor)
        flushed.append(partial(root).read_bytes())

    monkeypatch.setattr(os, "fdatasync", recorded)
    with lasting.login() as control, control.passive() as data:
        choose(control, BLOCK)
        assert control.ask("STOR file").code == 150
        for count in (1, 2):
            data.sendall(b"\0\0\4part\x10\0\1m")
            assert control.read().code == 110
            assert flushed == [b"part" * number for number in range(1, count + 1)]
            assert partial(root).read_bytes() == b"part" * count
        data.sendall(b"\x40\0\0")
        assert control.read().code == 250


@pytest.mark.req("S-1123-RST-2", "S-ERR-5")
def test_what_cannot_be_made_durable_is_not_answered(
    lasting: Running, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(5, "Input/output error")

    with lasting.login() as control, control.passive() as data:
        choose(control, BLOCK)
        assert control.ask("STOR file").code == 150
        monkeypatch.setattr(os, "fdatasync", failing)
        data.sendall(marked(BLOCK, b"some", b"more"))
        assert control.read().code == 451
    assert list(root.iterdir()) == []


def cut_at_marker(running: Running, representation: Representation, parts: list[bytes]) -> str:
    """Send a file up to the last marker between the parts, and lose everything; our marker."""
    with running.login() as control, control.passive() as data:
        choose(control, representation)
        assert control.ask("STOR file").code == 150
        encoder = encoder_for(representation)
        mark = ""
        for number, part in enumerate(parts[:-1], 1):
            data.sendall(encoder.encode(part) + encoder.mark(b"%d" % number))
            theirs, mark = answered(control.read())
            assert theirs == str(number)
        data.sendall(encoder.encode(b"what comes after the marker is sent again")[:-3])
        closed = sum(isinstance(event, SessionClosed) for event in running.recorded)
        reset(control.socket)
        running.await_condition(lambda: sum(isinstance(e, SessionClosed) for e in running.recorded) > closed)
    return mark


@pytest.mark.req("S-1123-RST-4")
@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize("representation", EVERY_ONE, ids=name)
@pytest.mark.parametrize(
    "parts", [[b"one\ntw", b"o\nthree\n"], [b"line\n", b"\n", b"x"], [b"", b"all"], [b"\xff\r", b"\n\r"]]
)
def test_an_upload_goes_on_at_the_servers_marker(
    running: Running, root: Path, representation: Representation, parts: list[bytes], verb: str
) -> None:
    mark = cut_at_marker(running, representation, parts)
    with running.login() as control:
        choose(control, representation)
        assert control.ask(f"REST {mark}").code == 350
        start = sum(map(len, parts[:-1]))
        rest = sent(encoder_for(representation, start=start), parts[-1])
        assert control.store(f"{verb} file", rest).code == 250
    assert (root / "file").read_bytes().rstrip(b"\0") == b"".join(parts)


@pytest.mark.req("S-1123-RST-4", "S-959-ASC-2")
def test_a_line_end_may_be_cut_by_a_marker(running: Running, root: Path) -> None:
    representation = ASCII._replace(mode="B")
    with running.login() as control, control.passive() as data:
        choose(control, representation)
        assert control.ask("STOR file").code == 150
        data.sendall(b"\0\0\2a\r" + b"\x10\0\1m")
        _, mark = answered(control.read())
        reset(data)
        assert control.read().code == 426
        for rest, whole in ((b"\nb", b"a\nb"), (b"b", b"a\rb")):
            assert control.ask(f"REST {mark}").code == 350
            assert control.store("STOR file", b"\x40\0" + bytes((len(rest),)) + rest).code == 250
            assert (root / "file").read_bytes() == whole


@pytest.mark.req("S-959-RST-1")
@pytest.mark.parametrize(
    ("framed", "content"),
    [
        (b"\0\0\1a\x10\0\3a b\x40\0\1b", b"ab"),
        (b"\0\0\1a\x10\0\2\r\n\x40\0\1b", b"ab"),
        (b"\0\0\1a\x10\0\1\xff\x40\0\1b", b"ab"),
        (b"\0\0\1a\x10\0\0\x40\0\1b", b"ab"),
    ],
)
def test_what_cannot_be_said_in_a_reply_is_no_marker_and_is_skipped(
    control: Control, root: Path, framed: bytes, content: bytes
) -> None:
    choose(control, BLOCK)
    assert control.store("STOR file", framed).code == 250
    assert (root / "file").read_bytes() == content


@pytest.mark.req("S-959-RST-1", "S-959-STRU-8")
def test_markers_inside_of_pages_are_skipped(control: Control, root: Path) -> None:
    choose(control, BLOCK._replace(structure="P"))
    framed = b"\0\0\6\4\0\2\1ab" + b"\x10\0\1m" + b"\x40\0\4\4\0\0\0"
    assert control.store("STOR file", framed).code == 250
    assert (root / "file").read_bytes() == b"ab"


def test_a_client_that_does_not_read_its_replies_gets_no_more_of_them(
    control: Control, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServerControl, "writing_paused", property(lambda _: True))
    choose(control, BLOCK)
    assert control.store("STOR file", marked(BLOCK, b"one", b"two")).code == 250
    assert (root / "file").read_bytes() == b"onetwo"


@pytest.mark.req("S-959-ABOR-1")
def test_an_upload_is_stopped_between_markers(control: Control, root: Path) -> None:
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(b"\0\0\1a\x10\0\1m")
        assert control.read().code == 110
        assert control.ask("ABOR").code == 426
        assert control.read().code == 226
    assert not (root / "file").exists()


# REST


@pytest.mark.req("S-1123-RST-5", "S-ERR-6")
@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
@pytest.mark.parametrize(
    "marker", ["none-of-yours", "7", "100-IF", "999999999999999999-IF", "1-IF-0A", "9" * 40 + "-IF"]
)
def test_a_marker_that_is_of_no_use_is_told_at_the_transfer(
    control: Control, root: Path, verb: str, marker: str
) -> None:
    (root / "file").write_bytes(b"content")
    choose(control, BLOCK)
    with control.open("EPSV"):
        assert control.ask(f"REST {marker}").code == 350
        assert control.ask(f"{verb} file").code == 554
    assert (root / "file").read_bytes() == b"content"


@pytest.mark.req("S-1123-RST-5", "S-ERR-6")
@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
@pytest.mark.parametrize(
    "representation",
    [ASCII._replace(mode="B"), EBCDIC._replace(mode="B"), BLOCK._replace(structure="R"),
     BLOCK._replace(structure="P"), Representation("L", mode="B", size=16)],
    ids=name,
)  # fmt: skip
def test_a_marker_of_another_type_or_structure_is_told_at_the_transfer(
    control: Control, verb: str, representation: Representation
) -> None:
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(marked(BLOCK, b"some", b"more"))
        _, mark = answered(control.read())
        assert control.read().code == 250
        choose(control, representation)
        assert control.ask(f"REST {mark}").code == 350
        assert control.ask(f"{verb} file").code == 555
        choose(control, COMPRESSED)
        assert control.ask(f"REST {mark}").code == 350
        assert control.ask("RETR file").code == 125
        _, pieces = receive_marked(data, COMPRESSED)
        assert control.read().code == 250
    assert octets(pieces) == b"more"


@pytest.mark.req("S-1123-RST-4", "S-3659-REST-1")
def test_a_marker_is_printable(control: Control) -> None:
    choose(control, BLOCK)
    for marker in ("a b", "1 ", " 1", "caf\xe9", "a\tb", "\udcff"):
        assert control.ask(f"REST {marker}").code == 501, marker
    choose(control, IMAGE)
    assert control.ask("REST 1-IF").code == 501


@pytest.mark.req("S-1123-RST-4", "S-3659-REST-2")
def test_a_marker_is_used_up_like_an_offset(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    choose(control, BLOCK)
    with control.passive() as data:
        code = 150
        for between, expected in (("NOOP", b"tent"), ("TYPE I", b"tent"), ("PWD", b"content"), ("REST 0", b"content")):
            assert control.ask("REST 3-IF").code == 350
            assert control.ask(between).kind in {2, 3}
            for content in (expected, b"content"):
                assert control.ask("RETR file").code == code
                assert octets(receive_marked(data, BLOCK)[1]) == content
                assert control.read().code == 250
                code = 125


@pytest.mark.req("S-3659-REST-2")
def test_another_mode_forgets_the_marker(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    choose(control, BLOCK)
    assert control.codes("REST 3-IF", "MODE S") == [350, 200]
    assert control.fetch("RETR file") == b"content"


def test_a_listing_begins_at_its_beginning(control: Control, root: Path) -> None:
    (root / "file").touch()
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("REST 3-IF").code == 350
        assert control.ask("NLST").code == 150
        assert octets(receive_marked(data, ASCII._replace(mode="B"))[1]) == b"file\n"
        assert control.read().code == 250


def test_a_data_connection_that_is_cut_at_a_marker_is_no_success(control: Control, root: Path) -> None:
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(b"\0\0\1a\x10\0\1m")
        data.shutdown(socket.SHUT_WR)
        assert control.read_codes(2) == [110, 426]
    assert not (root / "file").exists()
