"""``fairlead sh`` without a terminal: commands from options, files and standard input."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.cli.test_naming import MLST_IN, listing
from tests.client.script import HOST, LOGIN, NO_FEATURES, Step, data, hang_up, on, take

Against = Callable[..., Terminal]
PWD = on("PWD", '257 "/" here')
BEGIN = (*IN, PWD)
MLST_BEGIN = (*MLST_IN, PWD)


def retr(name: str, octets: bytes, *, size: bool = True, beside: bool = False) -> tuple[Step, ...]:
    """A file; ``beside`` EPSV a server with machine listings is asked for the size."""
    told = (on(f"SIZE {name}", f"213 {len(octets)}"),) if size else ()
    return (*((EPSV, *told) if beside else (*told, EPSV)), on(f"RETR {name}", "150 go", data(octets), "226 done"))


def commands(*lines: str) -> list[str]:
    return [f"--command={line}" for line in lines]


def test_commands_of_the_command_line_run_in_turn(against: Against) -> None:
    server = against(*BEGIN, on("CWD pub", "250 ok"), on("PWD", '257 "/pub"'), on("PWD", '257 "/pub"'))
    assert server.run("sh", *commands("cd pub", "pwd"), URL) == 0
    assert (server.out, server.err) == (b"/pub\n", "")


def test_nothing_that_a_server_says_steers_the_terminal(against: Against) -> None:
    features = on("FEAT", "211-\x1b[2J\r\n \x1b]0;x\x07 y\r\n211 end")
    evil = on("PWD", '257 "/\x1b[2J"')
    server = against(*IN[:-1], features, evil, on("CWD x", "250 ok"), evil)
    assert server.run("sh", *commands("verbose on", "features", "cd x", "status"), URL) == 0
    assert b"/?[2J" in server.out
    assert b"\x1b" not in server.out


def test_script_stops_at_the_first_failure_with_its_exit_status(against: Against) -> None:
    server = against(*BEGIN, on("DELE a", "550 none"))
    assert server.run("sh", *commands("delete a", "delete b"), URL) == 1
    assert "'DELE a' with: 550 none" in server.err


def test_script_goes_on_where_it_is_told_to(against: Against) -> None:
    steps = (on("DELE a", "550 none"), on("DELE b", "250 ok"))
    server = against(*BEGIN, *steps)
    assert server.run("sh", *commands("-delete a", "delete b"), URL) == 0
    server = against(*BEGIN, *steps)
    assert server.run("sh", "--keep-going", *commands("delete a", "delete b"), URL) == 1


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("gett a", 2, "did you mean get"),
        ("get", 2, "write get REMOTE [LOCAL]"),
        ("type ebcdic", 2, "write type [ascii|binary]"),
        ("get 'a", 2, "is not closed"),
        ("proxy append a", 2, "proxy append is not possible"),
        ("!exit 3", 3, ""),
    ],
)
def test_exit_status_of_what_cannot_be_done(against: Against, line: str, status: int, said: str) -> None:
    server = against(*BEGIN)
    assert server.run("sh", "-c", line, URL) == status
    assert said in server.err


def test_session_is_needed(against: Against) -> None:
    assert (server := against()).run("sh", "-c", "ls") == 2
    assert "open URL begins one" in server.err


def test_login_that_is_refused(against: Against) -> None:
    server = against(on("USER me", "331 password?"), on("PASS secret", "530 no"))
    assert server.run("sh", "-c", "pwd", URL) == 4
    assert "secret" not in server.err


def test_script_from_a_file(against: Against, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("# first\n\n  pwd\nquit\ngett\n")
    server = against(*BEGIN, on("PWD", '257 "/"'))
    assert server.run("sh", "--file", str(script), URL) == 0
    assert server.out == b"/\n"


def test_script_from_standard_input_may_open_by_itself(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"open {URL}\npwd\n"))
    server = against(*BEGIN, on("PWD", '257 "/"'))
    assert server.run("sh") == 0


@pytest.mark.parametrize("words", [HOST, f"{HOST} 21", f"--mode pasv {HOST}:21"])
def test_open_takes_a_host_and_a_port(against: Against, words: str) -> None:
    server = against(on("USER anonymous", "230 in"), *NO_FEATURES, PWD)
    assert server.run("sh", "-c", f"open {words}") == 0


def test_open_ends_the_session_before(against: Against) -> None:
    server = against(*BEGIN, on("QUIT", "221 bye"), *LOGIN, *NO_FEATURES, PWD)
    assert server.run("sh", "-c", f"open {URL}", URL) == 0


def test_user_logs_in_anew(against: Against) -> None:
    again = (on("USER you", "331 password?"), on("PASS hers", "230 in"), *NO_FEATURES, PWD)
    server = against(*BEGIN, on("QUIT", "221 bye"), *again)
    assert server.run("sh", "-c", "user you hers", URL) == 0


def test_get_and_mget(against: Against) -> None:
    server = against(
        *MLST_BEGIN, TYPE_I, *retr("a b", b"octets"), *listing("", "x.txt", "y.txt", "z.bin", "d.txt/"),
        *retr("x.txt", b"x", beside=True), *retr("y.txt", b"y", beside=True),
    )  # fmt: skip
    assert server.run("sh", *commands("get 'a b'", "mget *.txt"), URL) == 0
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == {
        "a b": b"octets",
        "x.txt": b"x",
        "y.txt": b"y",
    }


def test_mreget_goes_on_with_each_file(against: Against) -> None:
    rest = (on("REST 3", "350 ok"), on("RETR b.txt", "150 go", data(b"ets"), "226 done"))
    server = against(
        *MLST_BEGIN, *listing("", "a.txt", "b.txt"), TYPE_I, *retr("a.txt", b"x"),
        on("SIZE b.txt", "213 6"), on("MDTM b.txt", "213 20200101000000"), EPSV, *rest,
    )  # fmt: skip
    Path("b.txt.part").write_bytes(b"oct")
    assert server.run("sh", "-c", "mreget *.txt", URL) == 0
    assert Path("b.txt").read_bytes() == b"octets"


def test_preserve_gives_copies_their_times(against: Against) -> None:
    offer = on("FEAT", "211-Features:\r\n MFMT\r\n211 End")
    when = on("MDTM a", "213 20200102030405")
    kept = on("MFMT 20200102030405 b", "213 Modify=20200102030405; b")
    stored = (EPSV, on("STOR b", "150 go", take("226 ok")), kept)
    server = against(*LOGIN, offer, PWD, TYPE_I, *retr("a", b"x"), when, *stored)
    assert server.run("sh", *commands("preserve on", "get a", "put a b"), URL) == 0
    assert Path("a").stat().st_mtime == 1577934245


def test_account_is_told_and_not_shown(against: Against) -> None:
    server = against(*BEGIN, on("ACCT second", "230 ok"))
    assert server.run("sh", *commands("account second"), "-d", URL) == 0
    assert "---> ACCT ****" in server.err
    assert "second" not in server.err


def test_quoted_pattern_is_a_name(against: Against) -> None:
    server = against(*BEGIN, TYPE_I, *retr("*.txt", b"x"))
    assert server.run("sh", "-c", "mget '*.txt'", URL) == 0
    assert Path("*.txt").read_bytes() == b"x"


def test_without_glob_a_pattern_is_a_name(against: Against) -> None:
    server = against(*BEGIN, TYPE_I, *retr("*.txt", b"x"))
    assert server.run("sh", *commands("glob off", "mget *.txt"), URL) == 0


@pytest.mark.req("C-SEC-NAME-1")
@pytest.mark.parametrize("verb", ["get", "mget"])
def test_name_of_the_server_leads_nowhere_else(against: Against, verb: str) -> None:
    server = against(*BEGIN)
    assert server.run("sh", "-c", f"{verb} pub/..", URL) == 1
    assert "would lead elsewhere" in server.err


def test_names_are_changed_as_the_switches_say(against: Against) -> None:
    Path("readme.txt").write_text("older")
    server = against(*BEGIN, TYPE_I, *retr("README.TXT", b"new"), *retr("A:B", b"ab"))
    lines = ("case on", "runique on", "get README.TXT", "ntrans : _", "case off", "get A:B")
    assert server.run("sh", *commands(*lines), URL) == 0
    assert Path("readme.txt").read_text() == "older"
    assert Path("readme.txt.1").read_bytes() == b"new"
    assert Path("A_B").read_bytes() == b"ab"


def test_reget_goes_on(against: Against) -> None:
    Path("f.part").write_bytes(b"oct")
    os.utime("f.part", (2e9, 2e9))
    step = (on("SIZE f", "213 6"), on("MDTM f", "213 20200101000000"), EPSV, on("REST 3", "350 ok"))
    server = against(*BEGIN, TYPE_I, *step, on("RETR f", "150 go", data(b"ets"), "226 done"))
    assert server.run("sh", "-c", "reget f", URL) == 0
    assert Path("f").read_bytes() == b"octets"


def test_newer_fetches_only_what_changed(against: Against) -> None:
    Path("old").write_bytes(b"old")
    os.utime("old", (1e9, 1e9))
    Path("new").write_bytes(b"new")
    mdtm = (on("MDTM old", "213 20200101000000"), on("MDTM new", "213 20200101000000"))
    server = against(*BEGIN, mdtm[0], TYPE_I, *retr("old", b"newer"), mdtm[1])
    assert server.run("sh", *commands("newer old", "newer new"), URL) == 0
    assert Path("old").read_bytes() == b"newer"
    assert Path("new").read_bytes() == b"new"


def test_text_is_converted(against: Against) -> None:
    server = against(*BEGIN, EPSV, on("RETR f", "150 go", data(b"a\r\nb\r\n"), "226 done"))
    assert server.run("sh", *commands("ascii", "get f"), URL) == 0
    assert Path("f").read_bytes() == b"a\nb\n"


def test_cat_and_page_print(against: Against) -> None:
    server = against(*BEGIN, TYPE_I, *retr("f", b"one\n"), *retr("f", b"two\n"))
    assert server.run("sh", *commands("cat f", "page f"), URL) == 0
    assert server.out == b"one\ntwo\n"


def test_put_append_and_mput(against: Against) -> None:
    for name in ("a.txt", "b.txt", "c"):
        Path(name).write_text(name)
    Path("d.txt").mkdir()

    def stor(line: str) -> tuple[Step, ...]:
        return EPSV, on(line, "150 go", take("226 done"))

    steps = [*stor("STOR in/c"), *stor("APPE log"), *stor("STOR a.txt"), *stor("STOR b.txt")]
    server = against(*BEGIN, TYPE_I, *steps)
    assert server.run("sh", *commands("put c in/", "append c log", "mput *.txt"), URL) == 0
    assert server.play.stored == b"cca.txtb.txt"


def test_put_of_nothing(against: Against) -> None:
    server = against(*BEGIN)
    assert server.run("sh", "-c", "put none", URL) == 1
    assert "none: No such file" in server.err


def test_listings(against: Against) -> None:
    server = against(*MLST_BEGIN, *listing("", "b", "a/", "l@"), *listing("a", "x"), *listing("a", "b", "c/"))
    assert server.run("sh", *commands("ls", "ls -l a", "mls a names"), URL) == 0
    assert server.out.decode().splitlines() == ["a/", "b", "l@", "- 6 x"]
    assert Path("names").read_text() == "b\nc/\n"


def test_commands_about_files(against: Against) -> None:
    server = against(
        *BEGIN, on("MKD d", '257 "d"'), on("RNFR a", "350 ok"), on("RNTO d/a", "250 ok"), TYPE_I,
        on("SIZE d/a", "213 6"), on("MDTM d/a", "213 20200102030405"), on("SITE CHMOD 640 d/a", "200 done"),
        on("RMD d", "250 ok"),
    )  # fmt: skip
    lines = ("mkdir d", "rename a d/", "size d/a", "modtime d/a", "chmod 640 d/a", "rmdir d")
    assert server.run("sh", *commands(*lines), URL) == 0
    assert server.out.decode() == "6\n2020-01-02 03:04:05\n200 done\n"


def test_commands_to_the_server(against: Against) -> None:
    server = against(
        *BEGIN, on("HELP", "214-One\r\n214 Two"), on("SYST", "215 UNIX"), on("STAT", "211 fine"),
        on("SITE IDLE 60", "200 ok"), on("NOOP", "200 ok"), on("SITE FOO bar", "500 no"),
    )  # fmt: skip
    lines = ("rhelp", "system", "rstatus", "idle 60", "quote noop", "site FOO bar")
    assert server.run("sh", *commands(*lines), URL) == 1
    assert server.out.decode() == "214-One\n214 Two\n215 UNIX\n211 fine\n200 ok\n200 ok\n500 no\n"


def test_modes_are_chosen_while_the_session_stays(against: Against) -> None:
    server = against(
        *BEGIN, on("PASV", "502 no"), on("EPRT |1|192.0.2.80|34121|", "502 no"),
    )  # fmt: skip
    lines = ("mode pasv", "-nlist", "epsv on", "passive off", "-nlist", "passive auto")
    assert server.run("sh", *commands(*lines), URL) == 0
    modes = [line.partition(":")[0] for line in server.out.decode().splitlines()]
    assert modes == ["pasv", "epsv", "eprt", "auto"]


def test_debug_shows_the_wire_and_no_password(against: Against) -> None:
    server = against(*BEGIN, on("NOOP", "200 ok"))
    assert server.run("sh", "-d", "-c", "quote NOOP", URL) == 0
    assert "---> PASS ****" in server.err
    assert "---> NOOP\n200 ok" in server.err
    assert "secret" not in server.err


def test_verbose_shows_replies(against: Against) -> None:
    server = against(*BEGIN, on("DELE a", "250 gone"))
    assert server.run("sh", *commands("verbose on", "delete a"), URL) == 0
    assert server.out.decode() == "verbose on\n250 gone\n221 bye\n"


def test_session_that_is_lost_comes_back_where_it_was(against: Against) -> None:
    cd = (on("CWD pub", "250 ok"), on("PWD", '257 "/pub"'))
    back = (*IN, PWD, on("CWD /pub", "250 ok"), on("PWD", '257 "/pub"'), on("PWD", '257 "/pub"'))
    server = against(*BEGIN, *cd, on("NOOP", hang_up), *back)
    assert server.run("sh", "--keep-going", *commands("cd pub", "noop", "pwd"), URL) == 1
    assert server.out == b"/pub\n"


def test_session_that_ended_while_nobody_typed_is_begun_anew(against: Against) -> None:
    server = against(*BEGIN, on("NOOP", "200 ok", "421 too long"), *IN, PWD, on("NOOP", "200 ok"))
    assert server.run("sh", *commands("noop", "noop"), URL) == 0


def test_local_commands(against: Against) -> None:
    Path("d").mkdir()
    Path("d/file").touch()
    server = against()
    assert server.run("sh", *commands("lls", "lcd d", "lls", "!test -e file")) == 0
    assert server.out == b"d/\nfile\n"


def test_ladder_is_drawn_into_a_file(against: Against) -> None:
    server = against(*BEGIN, on("NOOP", "200 ok"))
    assert server.run("sh", *commands("noop", "ladder session.txt"), URL) == 0
    drawn = Path("session.txt").read_text()
    assert "NOOP" in drawn
    assert "secret" not in drawn


def test_help_tells_of_every_verb(against: Against) -> None:
    server = against()
    assert server.run("sh", *commands("help", "help get", "? proxy")) == 0
    out = server.out.decode()
    assert "mdelete" in out
    assert "get REMOTE [LOCAL]\n\nFetch a file, under its own name or as LOCAL; - is the screen.\n" in out
    assert "also: recv" in out


def test_mode_of_a_session_is_that_with_which_it_was_opened(against: Against) -> None:
    server = against(*BEGIN)
    assert server.run("sh", *commands(f"open --mode pasv {URL}", "mode", "close", "mode")) == 0
    assert [line.partition(":")[0] for line in server.out.decode().splitlines()] == ["pasv", "auto"]


def test_open_that_cannot_be_understood_leaves_the_session(against: Against) -> None:
    server = against(*BEGIN, on("NOOP", "200 ok"))
    assert server.run("sh", "--keep-going", *commands("open --mode nonsense host", "noop"), URL) == 2
    assert "invalid choice: 'nonsense'" in server.err
