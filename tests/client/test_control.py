"""Commands and replies kept in step."""

from __future__ import annotations

import pytest

from fairlead.client._face import session_of
from fairlead.client._wires.blocking import step
from fairlead.client.sync import Client
from fairlead.errors import (
    ArgumentError,
    DeadlineError,
    LimitError,
    PermanentError,
    ProtocolError,
    SessionLost,
    TransientError,
)
from fairlead.proto.reply import Reply
from tests.client.script import HOST, Action, Play, cut_off, hang_up, later, on, session, stage


@pytest.mark.req("C-959-RPL-1", "C-1123-UI-1")
def test_multi_line_reply_ends_only_at_its_own_code_and_a_space() -> None:
    reply = "214-The following:\r\n\r\n 214 no\r\n220 not mine\r\n226-nor this\r\n214-still\r\n12\r\n214 end"
    with session(on("HELP", reply)) as s:
        assert s.ftp.command("HELP") == Reply(
            214, "The following:", "", " 214 no", "220 not mine", "226-nor this", "still", "12", "end"
        )


@pytest.mark.req("C-959-RPL-1")
def test_bare_code_ends_a_multi_line_reply() -> None:
    with session(on("HELP", "214-a\r\nb\r\n214"), on("NOOP", "200")) as s:
        assert s.ftp.command("HELP").lines[:2] == ("a", "b")
        assert s.ftp.command("NOOP").code == 200


@pytest.mark.req("C-DF-RPL-4")
def test_replies_may_be_split_merged_and_ended_by_lf_alone() -> None:
    pieces = (b"2", later(1, b'57 "/a"', later(1, b"\xe9", later(1, b"\n"))))
    with session(on("PWD", *pieces), on("NOOP", b"200-a\n200 b\n")) as s:
        reply = s.ftp.command("PWD")
        assert reply.text.encode("utf-8", "surrogateescape") == b'"/a"\xe9'
        assert s.ftp.command("NOOP").lines == ("a", "b")


@pytest.mark.req("C-1123-RPL-2")
@pytest.mark.parametrize("octets", [b"214-" + b"x" * (1 << 21) + b"\r\n", b"214-" + (b"x" * 98 + b"\r\n") * 11000])
def test_endless_reply_is_cut_off(octets: bytes) -> None:
    with session(on("HELP", octets)) as s:
        with pytest.raises(LimitError):
            s.ftp.command("HELP")
        assert not s.ftp.connected


@pytest.mark.req("C-959-RPL-5")
def test_preliminary_reply_to_a_command_that_has_none_is_a_protocol_error() -> None:
    with session(on("NOOP", "150 here it comes")) as s:
        with pytest.raises(ProtocolError, match="150"):
            s.ftp.command("NOOP")
        assert not s.ftp.connected


def test_what_is_no_reply_ends_the_session() -> None:
    with session(on("NOOP", "hello?")) as s:
        with pytest.raises(ProtocolError):
            s.ftp.command("NOOP")
        with pytest.raises(SessionLost):
            s.ftp.command("NOOP")


@pytest.mark.req("C-1123-RPL-3")
def test_first_digit_decides() -> None:
    with session(on("MKD a", "299 fine"), on("DELE a", "499 not now"), on("DELE b", "599 never")) as s:
        assert s.ftp.mkdir("a") == "a"
        with pytest.raises(TransientError):
            s.ftp.remove("a")
        with pytest.raises(PermanentError):
            s.ftp.remove("b")


@pytest.mark.req("C-1123-RPL-10")
def test_421_that_nobody_asked_for_is_found_before_the_next_command() -> None:
    with session() as s:
        s.play.do(["421 going down for maintenance", hang_up])
        with pytest.raises(SessionLost, match="going down for maintenance"):
            s.ftp.command("NOOP")
        assert s.play.heard == []


@pytest.mark.req("C-1123-RPL-10")
def test_421_as_a_reply_ends_the_session() -> None:
    with session(on("CWD a", "421 idle")) as s:
        with pytest.raises(SessionLost, match="421 idle"):
            s.ftp.cwd("a")
        assert not s.ftp.connected


@pytest.mark.req("C-959-CONN-1", "C-1123-RPL-10")
@pytest.mark.parametrize(
    ("end", "said"), [(hang_up, "closed the control connection"), (cut_off, "Connection reset by peer")]
)
def test_end_and_reset_of_the_control_connection_are_told_apart(end: Action, said: str) -> None:
    with session(on("CWD a", end)) as s, pytest.raises(SessionLost, match=said):
        s.ftp.cwd("a")


@pytest.mark.req("C-1123-UI-2")
def test_reply_that_never_comes() -> None:
    with session(on("CWD a"), reply_timeout=5) as s:
        began = s.wire.time
        with pytest.raises(DeadlineError, match=r"no reply to CWD a within 5.0 s"):
            s.ftp.cwd("a")
        assert s.wire.time - began == pytest.approx(5)
        with pytest.raises(SessionLost, match="no reply to CWD a"):
            s.ftp.pwd()


@pytest.mark.req("C-1123-UI-2")
def test_reply_that_trickles_in_for_ever() -> None:
    def trickle(play: Play) -> None:
        play.do([b"x", later(1, trickle)])

    with session(on("HELP", b"214-", trickle), reply_timeout=5) as s, pytest.raises(DeadlineError):
        s.ftp.command("HELP")


@pytest.mark.req("C-959-SYNC-1")
def test_replies_that_nobody_asked_for_are_dropped() -> None:
    with session(on("NOOP", "200 ok", "226 what was that"), on("PWD", '257 "/"')) as s:
        assert s.ftp.command("NOOP").code == 200
        assert s.ftp.pwd() == "/"


def test_server_that_never_stops_replying() -> None:
    with session(on("NOOP", "200 ok", b"200 ok\r\n" * 5000)) as s:
        assert s.ftp.command("NOOP").code == 200
        with pytest.raises(ProtocolError, match="nobody asked for"):
            s.ftp.pwd()
        assert not s.ftp.connected


def test_greeting_that_is_put_off_again_and_again() -> None:
    def put_off(play: Play) -> None:
        play.do(["120 wait", later(1, put_off)])

    on_stage = stage(greeting=(put_off,), reply_timeout=5)
    with pytest.raises(DeadlineError, match=r"no reply to the greeting within 5.0 s"):
        on_stage.ftp.connect()


@pytest.mark.req("C-2640-CMD-1")
@pytest.mark.parametrize("argument", ["a\nDELE b", "a\r\nDELE b", "a\0b"])
def test_line_ends_and_nul_in_an_argument_are_refused_before_a_byte_is_sent(argument: str) -> None:
    with session() as s:
        for operation in (s.ftp.cwd, s.ftp.mkdir, s.ftp.remove, s.ftp.size, s.ftp.scandir):
            with pytest.raises(ArgumentError):
                operation(argument)
        with pytest.raises(ArgumentError):
            s.ftp.rename("a", argument)
        assert s.play.heard == []


@pytest.mark.req("C-2640-CMD-1", "C-2640-CMD-2")
def test_paths_are_sent_octet_for_octet() -> None:
    with session(on("CWD  two spaces ", "250 ok"), on("CWD é\udcff\r\udce9", "250 ok")) as s:
        s.ftp.cwd(" two spaces ")
        s.ftp.cwd("é\udcff\r\udce9")
        assert bytes(s.play.raw) == b"CWD  two spaces \r\nCWD \xc3\xa9\xff\xff\r\0\xe9\r\n"


@pytest.mark.req("C-1123-TEL-1")
def test_telnet_options_in_replies_are_taken_out_and_not_answered() -> None:
    with session(on("PWD", b'\xff\xfd\x01257 "/\xff\xff\xff\xfb\x03"\r\n')) as s:
        assert s.ftp.pwd() == "/\udcff"
        assert bytes(s.play.raw) == b"PWD\r\n"


@pytest.mark.req("C-959-PWD-1", "C-2640-CMD-2")
@pytest.mark.parametrize(
    ("reply", "path"),
    [
        ('257 "/a b" is the directory', "/a b"),
        ('257 "/say ""hi""" created', '/say "hi"'),
        ("257 /plain is it", "/plain"),
        ('257 "/d\udce9"', "/d\udce9"),
    ],
)
def test_path_in_257(reply: str, path: str) -> None:
    with session(on("PWD", reply), on(f"CWD {path}", "250 ok")) as s:
        assert s.ftp.pwd() == path
        s.ftp.cwd(path)


def test_name_of_a_new_directory_that_the_server_quotes_badly_is_the_one_asked_for() -> None:
    with session(on('MKD a "b" c', '257 "a "b" c" : The directory was successfully created')) as s:
        assert s.ftp.mkdir('a "b" c') == 'a "b" c'


def test_directories_and_names() -> None:
    steps = (
        on("CDUP", "200 up"),
        on("MKD d", '257 "/x/d" made'),
        on("RMD d", "250 gone"),
        on("RNFR a", "350 and?"),
        on("RNTO b", "250 done"),
        on("DELE b", "250 gone"),
    )
    with session(*steps) as s:
        s.ftp.cwd("..")
        assert s.ftp.mkdir("d") == "/x/d"
        s.ftp.rmdir("d")
        s.ftp.rename("a", "b")
        s.ftp.remove("b")


@pytest.mark.req("C-1123-UI-1")
def test_any_command_and_any_reply() -> None:
    with session(on("SITE CHMOD 644 a", "504-No\r\n504 such luck")) as s:
        assert s.ftp.command("site", "CHMOD 644 a") == Reply(504, "No", "such luck")


def test_commands_need_a_session() -> None:
    with session() as s:
        s.ftp.close()
        with pytest.raises(SessionLost, match="connect again"):
            s.ftp.pwd()


def test_client_that_never_connected() -> None:
    ftp = stage().ftp
    assert not ftp.connected
    with pytest.raises(SessionLost, match="connect first"):
        ftp.pwd()
    with pytest.raises(SessionLost, match="connect first"):
        ftp.scandir()
    ftp.close()


@pytest.mark.parametrize("end", [("421 idle for too long",), (hang_up,)])
def test_session_that_the_server_ended_unasked_is_not_alive(end: tuple[Action, ...]) -> None:
    with session(on("NOOP", "200 ok", *end)) as s:
        assert s.ftp.alive()
        s.ftp.command("NOOP")
        assert s.ftp.connected
        assert not s.ftp.alive()
        assert not s.ftp.connected


def test_client_that_never_connected_is_not_alive() -> None:
    assert not Client(HOST).alive()


def test_commands_that_go_out_at_once_are_answered_one_by_one() -> None:
    steps = on("MFMT 20200102030405 f", "213 ok"), on("RNFR f", "350 go on"), on("RNTO g", "553 no")
    with session(*steps) as s:
        control = session_of(s.ftp).control
        before = len(s.play.raw)
        replies = step(control.commands(("MFMT", "20200102030405 f"), ("RNFR", "f"), ("RNTO", "g")))
        assert bytes(s.play.raw[before:]) == b"MFMT 20200102030405 f\r\nRNFR f\r\nRNTO g\r\n"
    assert [reply.code for reply in replies] == [213, 350, 553]


def test_commands_that_cannot_go_out_as_lines_are_not_begun() -> None:
    with session() as s, pytest.raises(ArgumentError):
        step(session_of(s.ftp).control.commands(("RNFR", "f"), ("RNTO", "a\r\nb")))
