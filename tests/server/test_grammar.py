"""Lines of the control connection, octet by octet: the form of replies, the reading of commands, Telnet."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.server.registry import COMMANDS, NOT_IMPLEMENTED, Argument
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, serving

SAMPLE = [
    "NOOP", "noop", "FOO", "", "HELP", "HELP RETR", "HELP SITE", "FEAT", "STAT", "STAT 226 foo", "STAT /", "SYST",
    "PWD", "CWD nowhere", "MKD \xff", "MKD two\r\0lines", "MLST 226 foo", "SIZE 226 foo", "SITE HELP",
    "OPTS MLST size;", "TYPE", "TYPE L 256", "RNTO x", "PASV", "EPSV", "EPSV 9", "RETR none", "ABOR", "REIN", "STAT",
]  # fmt: skip


def replies(raw: bytes) -> list[list[bytes]]:
    """The lines of each reply in ``raw``, read by the letter of RFC 959 section 4.2."""
    assert raw.endswith(b"\r\n")
    text = raw.replace(b"\r\n", b"\0\0")
    assert b"\n" not in text, "a line ends in a bare LF"
    assert b"\r" not in text.replace(b"\r\0", b""), "a CR stands alone"
    found: list[list[bytes]] = []
    inside = b""
    for line in raw[:-2].split(b"\r\n"):
        if inside:
            found[-1].append(line)
            if line.startswith(inside + b" "):
                inside = b""
            else:
                assert not re.match(rb"[0-9]{3}", line), f"an inner line looks like a reply: {line!r}"
        else:
            assert re.match(rb"[1-5][0-9]{2}[ -]", line), f"no reply: {line!r}"
            found.append([line])
            inside = line[:3] if line[3:4] == b"-" else b""
    assert not inside, "the last reply does not end"
    return found


@pytest.mark.req("S-959-GRAM-1", "S-959-GRAM-2", "S-959-GRAM-3", "S-959-GRAM-9")
def test_every_command_has_a_reply_of_the_right_form(running: Running, root: Path) -> None:
    (root / "226 foo").write_text("content")
    (root / "100 bar").mkdir()
    with running.login() as control:
        del control.raw[:]
        for line in SAMPLE:
            control.ask(line)
        assert len(replies(bytes(control.raw))) == len(SAMPLE)


@pytest.mark.req("S-959-GRAM-3", "S-DF-CONN-2", "S-959-GRAM-2")
def test_a_greeting_of_several_lines_cannot_be_taken_for_other_replies() -> None:
    with (
        serving(MemoryStorage(), banner="Welcome.\n226 foo\n\n220 bar\nGo ahead.") as running,
        running.connect() as control,
    ):
        assert replies(bytes(control.raw)) == [[b"220-Welcome.", b" 226 foo", b"", b" 220 bar", b"220 Go ahead."]]
        assert control.ask("NOOP").code == 200


@pytest.mark.req("S-959-CONN-1", "S-DF-CONN-2")
def test_the_greeting_comes_before_any_command(running: Running) -> None:
    with Control(socket.create_connection(running.address(), 10)) as control:
        assert control.read().code == 220


@pytest.mark.req("S-959-GRAM-5", "S-DF-GRAM-12")
@pytest.mark.parametrize("line", ["type i", "Type a n", "tYpE l 8", "StRu f", "mode s", "noop", "OpTs Utf8 oN"])
def test_verbs_and_parameters_are_read_in_either_case(control: Control, line: str) -> None:
    assert control.ask(line).code == 200


@pytest.mark.req("S-959-GRAM-6", "S-ERR-1")
@pytest.mark.parametrize(
    "line", ["FOO", "FOO bar", "", "   ", " NOOP", "NOOPS", "N\xd6\xd6P", "\t", "226 done", "\x1b[2J"]
)
def test_an_unknown_verb_is_not_understood(control: Control, line: str) -> None:
    assert control.ask(line).code == 500
    assert control.ask("NOOP").code == 200


@pytest.mark.req("S-959-GRAM-7", "S-ERR-1")
@pytest.mark.parametrize("verb", sorted(NOT_IMPLEMENTED))
def test_a_known_verb_that_is_not_served_says_so(control: Control, verb: str) -> None:
    assert control.codes(verb, f"{verb} argument") == [502, 502]


@pytest.mark.req("S-959-GRAM-7", "S-ERR-2", "S-ERR-3")
def test_what_is_wrong_with_a_command_is_told_by_its_code(running: Running) -> None:
    with running.connect() as control:
        assert control.codes("PASS secret", "RETR file") == [503, 530]
        assert control.codes("USER me", "PASS secret") == [331, 230]
        assert control.codes("STRU P", "TYPE L 7", "STRU F", "PORT 127,0,0,1,0,22") == [200, 504, 200, 504]
        assert control.codes("TYPE X", "MODE X", "STRU X") == [501, 501, 501]
        assert control.codes("RNTO file") == [503]


@pytest.mark.req("S-959-GRAM-10", "S-ERR-2")
@pytest.mark.parametrize("verb", sorted(verb for verb, spec in COMMANDS.items() if spec.argument is Argument.REQUIRED))
def test_a_missing_argument_is_told(control: Control, verb: str) -> None:
    assert control.codes(verb, f"{verb} ") == [501, 501]


@pytest.mark.req("S-959-GRAM-10")
def test_the_standard_wants_an_argument_of_these() -> None:
    mandatory = "USER CWD TYPE MODE STRU PORT RETR STOR APPE DELE RMD MKD RNFR RNTO REST SIZE MDTM".split()
    assert {verb: COMMANDS[verb].argument for verb in mandatory} == dict.fromkeys(mandatory, Argument.REQUIRED)


@pytest.mark.req("S-959-GRAM-11")
@pytest.mark.parametrize("verb", "CDUP QUIT REIN PASV ABOR PWD SYST NOOP FEAT XPWD XCUP".split())
def test_an_argument_where_none_belongs_is_refused_and_nothing_is_done(control: Control, verb: str) -> None:
    assert control.ask(f"{verb} argument").code == 501
    assert control.ask("PWD").code == 257


@pytest.mark.req("S-959-GRAM-8", "S-ERR-1", "S-SEC-7")
@pytest.mark.parametrize("length", [8193, 65536, 1 << 20])
def test_a_line_that_is_too_long_gets_one_reply_and_its_tail_is_not_run(
    control: Control, root: Path, length: int
) -> None:
    (root / "kept").write_text("content")
    control.send("NOOP " + "x" * length + "DELE kept")
    control.send("PWD")
    assert control.read_codes(2) == [500, 257]
    assert (root / "kept").exists()


@pytest.mark.req("S-959-GRAM-8")
def test_the_longest_line_that_fits_is_served(control: Control) -> None:
    assert control.ask("CWD " + "/." * ((8192 - 4) // 2)).code == 250


@pytest.mark.req("S-959-GRAM-9", "S-1123-RD-1")
def test_commands_of_one_segment_are_answered_in_order(control: Control) -> None:
    control.send("PWD\r\nSYST\r\nNOOP")
    assert control.read_codes(3) == [257, 215, 200]


@pytest.mark.req("S-959-GRAM-9")
def test_a_thousand_pipelined_commands_are_answered_in_order(control: Control) -> None:
    lines = ["PWD", "SYST", "NOOP", "FOO", "TYPE", "STAT", "HELP RETR"]
    expected = [control.ask(line).code for line in lines]
    control.send("\r\n".join(lines * 150))
    assert control.read_codes(len(lines) * 150) == expected * 150


@pytest.mark.req("S-959-GRAM-9")
def test_commands_behind_transfers_are_answered_in_order(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    with control.active() as listener:
        control.send("RETR file\r\nPWD\r\nRETR file\r\nSYST\r\nRETR none\r\nNLST\r\nNOOP")
        contents = []
        for _ in range(3):
            data, _ = listener.accept()
            with data:
                contents.append(data.makefile("rb").read())
    assert contents == [b"content", b"content", b"file\r\n"]
    assert control.read_codes(10) == [150, 226, 257, 150, 226, 215, 550, 150, 226, 200]


@pytest.mark.req("S-1123-RD-1")
@pytest.mark.parametrize("cuts", ["every octet", "between CR and LF", "none"])
def test_segments_mean_nothing(running: Running, cuts: str) -> None:
    with running.connect() as control:
        control.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dialogue = b"USER me\r\nPASS secret\r\nMKD a b\r\nCWD a b\r\nPWD\r\n"
        if cuts == "every octet":
            pieces = [octet.to_bytes() for octet in dialogue]
        elif cuts == "between CR and LF":
            pieces = [piece for line in dialogue.splitlines() for piece in (line + b"\r", b"\n")]
        else:
            pieces = [dialogue]
        for piece in pieces:
            control.socket.sendall(piece)
        assert control.read_codes(4) == [331, 230, 257, 250]
        assert control.read().text.startswith('"/a b"')


@pytest.mark.req("S-DF-GRAM-12")
def test_a_bare_line_feed_ends_a_command(control: Control) -> None:
    control.socket.sendall(b"noop\npwd\n\nSYST\n")
    assert control.read_codes(4) == [200, 257, 500, 215]


NEGOTIATIONS = [(will, option) for will in (0xFB, 0xFC, 0xFD, 0xFE) for option in (0x01, 0x06, 0x18, 0xFF, 0x0A, 0x0D)]
ANSWERS = {0xFB: 0xFE, 0xFD: 0xFC}


@pytest.mark.req("S-1123-TEL-1")
@pytest.mark.parametrize(("verb", "option"), NEGOTIATIONS)
def test_telnet_options_are_refused_and_never_leak_into_the_command(control: Control, verb: int, option: int) -> None:
    del control.raw[:]
    control.send(bytes((0xFF, verb, option)) + b"NO" + bytes((0xFF, verb, option)) + b"OP")
    assert control.read().code == 200
    answer = bytes((0xFF, ANSWERS[verb], option)) if verb in ANSWERS else b""
    assert bytes(control.raw) == answer * 2 + b"200 NOOP ok.\r\n"


@pytest.mark.req("S-1123-TEL-1")
def test_the_server_never_begins_to_negotiate(control: Control) -> None:
    for line in SAMPLE[:-2]:
        control.ask(line.encode("latin-1").replace(b"\xff", b""))
    assert b"\xff" not in control.raw


@pytest.mark.req("S-1123-TEL-1")
def test_a_subnegotiation_is_taken_out(control: Control) -> None:
    control.send(b"NO\xff\xfa\x18\x00VT100\r\nQUIT\r\n\xff\xff\xff\xf0OP")
    assert control.read().code == 200


@pytest.mark.req("S-3659-TEL-3")
def test_octet_255_in_a_name_travels_doubled_both_ways(control: Control, root: Path) -> None:
    control.send(b"MKD \xff\xff")
    assert control.read().code == 257
    assert os.listdir(bytes(root)) == [b"\xff"]
    control.send(b"CWD \xff\xff")
    assert control.read().code == 250
    del control.raw[:]
    assert control.ask("PWD").text.startswith('"/\udcff"')
    assert bytes(control.raw).startswith(b'257 "/\xff\xff"')


@pytest.mark.req("S-2640-TEL-4")
def test_a_carriage_return_in_a_name_travels_as_cr_nul_both_ways(control: Control, root: Path) -> None:
    del control.raw[:]
    control.send(b"MKD a\r\0b")
    assert control.read().code == 257
    assert (root / "a\rb").is_dir()
    assert bytes(control.raw) == b'257 "/a\r\0b" created.\r\n'
    assert control.ask(b"CWD a\r\0b").code == 250
    assert control.ask("PWD").text.startswith('"/a\rb"')


@pytest.mark.req("S-2640-SP-5")
def test_one_space_ends_the_verb_and_all_others_belong_to_the_path(control: Control, root: Path) -> None:
    assert control.store("STOR  x", b"leading").code == 226
    assert control.store("STOR x ", b"trailing").code == 226
    assert control.store("STOR   ", b"two spaces").code == 226
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {
        " x": b"leading", "x ": b"trailing", "  ": b"two spaces",
    }  # fmt: skip
    assert control.fetch("RETR  x") == b"leading"


PATH_VERBS = sorted(
    verb for verb, spec in COMMANDS.items() if spec.path or verb in {"CWD", "XCWD", "LIST", "NLST", "STAT", "STOU"}
)


@pytest.mark.req("S-GEN-6", "S-ERR-2")
@pytest.mark.parametrize("verb", PATH_VERBS)
@pytest.mark.parametrize("name", [b"file\0", b"\0", b"file\0.txt", b"file\r\0\n", b"\r\0\n", b"a\r\0\nb"])
def test_nul_or_a_line_end_in_a_path_is_refused(control: Control, root: Path, verb: str, name: bytes) -> None:
    (root / "file").write_text("content")
    if verb == "RNTO":
        assert control.ask("RNFR file").code == 350
    assert control.ask(f"{verb} ".encode() + name).code == 501
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.req("S-GEN-7")
def test_size_and_modification_time_have_one_line(control: Control, root: Path) -> None:
    (root / "file").write_text("content")
    del control.raw[:]
    assert control.codes("SIZE file", "MDTM file") == [213, 213]
    assert [len(lines) for lines in replies(bytes(control.raw))] == [1, 1]


@pytest.mark.req("S-959-GRAM-4")
def test_a_transfer_has_one_preliminary_reply(control: Control, root: Path) -> None:
    (root / "file").write_bytes(bytes(3 << 20))
    del control.raw[:]
    control.fetch("RETR file")
    control.store("STOR other", b"content")
    control.fetch("LIST")
    assert [lines[0][:3] for lines in replies(bytes(control.raw))] == [b"229", b"150", b"226"] * 3


@pytest.mark.req("S-4217-ALPN-1")
@pytest.mark.parametrize(
    "line", ["GET / HTTP/1.1", "POST / HTTP/1.1\r\nHost: x\r\n\r\nUSER me\r\nPASS secret\r\nMKD x"]
)
def test_a_web_client_is_sent_away(running: Running, root: Path, line: str) -> None:
    with running.connect() as control:
        assert control.ask(line).code == 421
        assert control.at_end()
    assert not (root / "x").exists()


@pytest.mark.req("S-959-GRAM-1")
def test_replies_end_properly_with_any_store_and_any_name() -> None:
    """Names that hold what could end a line, a reply or a quotation."""
    storage = MemoryStorage()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    names = [
        b"226 done",
        b'"',
        b'a"b"',
        b"\x1b[31m",
        b"\xff\xff\xff\xff",
        b"\r\0",
        b"x\r\x00226 y",
        b"\xe9",
        b"\t",
        b"\x7f",
    ]
    with serving(storage, accounts=accounts) as running, running.login() as control:
        del control.raw[:]
        for name in names:
            assert control.ask(b"MKD " + name).code == 257
            assert control.ask(b"CWD " + name).code == 250
            assert control.codes("PWD", "STAT", "MLST", "CDUP") == [257, 211, 250, 250]
        assert control.ask("STAT /").code == 212
        assert len(replies(bytes(control.raw))) == 6 * len(names) + 1
