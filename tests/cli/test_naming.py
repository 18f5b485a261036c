"""The verbs that name things: rm, mv, mkdir, rmdir, stat, and patterns for get."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.client.script import HOST, LOGIN, Step, data, on

Against = Callable[..., Terminal]
OTHER = f"ftp://you:secret@{HOST}"
MLST_IN = (*LOGIN, on("FEAT", "211-Features:\r\n MLST type*;size*;modify*;\r\n211 End"))
HOSTILE = ("../escaped", "/tmp/escaped", "..", "a/../../escaped", "good")


def listing(path: str, *names: str) -> tuple[Step, ...]:
    """A directory; the names of directories end with a slash, those of links with ``@``."""
    kinds = {"/": "dir", "@": "OS.unix=slink:x"}
    lines = [f"type={kinds.get(name[-1], 'file')};size=6; {name.rstrip('/@') or name}\r\n" for name in names]
    return EPSV, on(f"MLSD {path}".rstrip(), "150 go", data("".join(lines).encode()), "226 done")


def facts(path: str, kind: str = "file") -> Step:
    return on(f"MLST {path}", f"250-Listing\r\n type={kind};size=6;modify=20200102030405; /x/{path}\r\n250 End")


def test_rm(against: Against) -> None:
    server = against(*IN, on("DELE a b", "250 gone"), on("DELE pub/c", "250 gone"))
    assert server.run("rm", f"{URL}/a%20b", f"{URL}/pub/c") == 0
    assert (server.out, server.err) == (b"", "")


def test_rm_of_a_pattern_tells_what_it_removed(against: Against) -> None:
    deleted = (on("DELE pub/a.txt", "250 gone"), on("DELE pub/b.txt", "250 gone"))
    server = against(*MLST_IN, *listing("pub", "b.txt", "a.txt", "c.bin"), *deleted)
    assert server.run("rm", "--json", f"{URL}/pub/*.txt") == 0
    assert [row["path"] for row in json.loads(server.out)] == ["pub/a.txt", "pub/b.txt"]


def test_star_that_is_one_matches_itself_only(against: Against) -> None:
    server = against(*MLST_IN, *listing("", "a*", "ab"), on("DELE a*", "250 gone"))
    assert server.run("rm", f"{URL}/a%2A") == 0


def test_rm_follows_no_link_and_ends_with_the_directory(against: Against) -> None:
    server = against(
        *MLST_IN, facts("d", "dir"), on("DELE d", "550 no file"), *listing("d", "f", "link@", "e/"),
        on("DELE d/f", "250 ok"), on("DELE d/link", "250 ok"), on("DELE d/e", "550 no file"), *listing("d/e"),
        on("RMD d/e", "250 ok"), on("RMD d", "250 ok"),
    )  # fmt: skip
    assert server.run("rm", "-r", "--json", f"{URL}/d/") == 0
    assert [row["kind"] for row in json.loads(server.out)] == ["file", "link", "directory", "directory"]


@pytest.mark.req("C-SEC-NAME-1")
def test_rm_stays_within_the_directory(against: Against) -> None:
    server = against(*MLST_IN, facts("d", "dir"), on("DELE d", "550 no file"), *listing("d", "../x"))
    assert server.run("rm", "-r", f"{URL}/d") == 1
    assert "would lead elsewhere" in server.err


def test_rm_tells_what_was_done_before_it_failed(against: Against) -> None:
    server = against(*IN, on("DELE a", "250 gone"), on("DELE b", "550 no such file"))
    assert server.run("rm", "--json", f"{URL}/a", f"{URL}/b") == 1
    assert json.loads(server.out) == [{"path": "a", "kind": "file"}]
    assert server.err.startswith("fairlead: the server answered 'DELE b' with: 550 no such file; check the path")


@pytest.mark.parametrize(
    ("arguments", "steps", "code", "said"),
    [
        ((f"{URL}/d/",), (), 2, "--recursive"),
        ((f"{URL}/",), (), 2, "add its path"),
        (("-r", f"{URL}/"), (), 2, "add its path"),
        ((f"{URL}/*.x",), (*MLST_IN, *listing("", "a")), 1, "nothing on the server matches *.x"),
        ((f"{URL}/*",), (*MLST_IN, *listing("", "d/")), 2, "d is a directory; --recursive"),
    ],
)
def test_rm_in_vain(
    against: Against, arguments: tuple[str, ...], steps: tuple[Step, ...], code: int, said: str
) -> None:
    server = against(*steps)
    assert server.run("rm", *arguments) == code
    assert said in server.err
    assert "secret" not in server.err


@pytest.mark.parametrize(
    ("target", "path"), [("b", "b"), ("done/", "done/a b"), ("", "a b"), ("%2Fabs/b", "/abs/b"), ("%2F/", "/a b")]
)
def test_mv(against: Against, target: str, path: str) -> None:
    server = against(*IN, on("RNFR in/a b", "350 to?"), on(f"RNTO {path}", "250 ok"))
    assert server.run("mv", "--json", f"{URL}/in/a%20b", f"{URL}/{target}") == 0
    assert json.loads(server.out) == [{"path": "in/a b", "target": path}]


def test_mv_of_several(against: Against) -> None:
    moved = [step for name in "ab" for step in (on(f"RNFR {name}", "350 to?"), on(f"RNTO d/{name}", "250 ok"))]
    assert against(*IN, *moved).run("mv", f"{URL}/a", f"{URL}/b", f"{URL}/d/") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((f"{URL}/a", f"{OTHER}/b"), "fairlead copy"),
        ((f"{URL}/a", f"{URL}/b", f"{URL}/c"), "end ftp://me:***@192.0.2.90/c with /"),
        ((f"{URL}/", f"{URL}/c/"), "names nothing to move"),
        ((f"{URL}/a",), "required"),
    ],
)
def test_mv_in_vain(against: Against, arguments: tuple[str, ...], said: str) -> None:
    server = against()
    assert server.run("mv", *arguments) == 2
    assert said in server.err


def test_mkdir_and_rmdir(against: Against) -> None:
    assert against(*IN, on("MKD a/b", '257 "/a/b"')).run("mkdir", f"{URL}/a/b") == 0
    server = against(*IN, on("RMD a/b", "250 ok"), on("RMD c", "550 not empty"))
    assert server.run("rmdir", "--json", f"{URL}/a/b/", f"{URL}/c") == 1
    assert json.loads(server.out) == [{"path": "a/b"}]
    assert "550 not empty" in server.err


def test_mkdir_makes_parents_that_are_missing_only(against: Against) -> None:
    here = on("PWD", '257 "/home"')
    server = against(
        *IN, here, on("CWD /a", "250 ok"), on("CWD /home", "250 ok"), here, on("CWD /a/b", "550 no"),
        on("MKD /a/b", '257 "/a/b"'),
    )  # fmt: skip
    assert server.run("mkdir", "-p", "--json", f"{URL}/%2Fa/b") == 0
    assert json.loads(server.out) == [{"path": "/a/b"}]


@pytest.mark.parametrize("verb", ["mkdir", "rmdir"])
def test_directory_needs_a_name(against: Against, verb: str) -> None:
    server = against()
    assert server.run(verb, URL) == 2
    assert "names no directory" in server.err


def test_stat(against: Against) -> None:
    server = against(*MLST_IN, facts("f"), facts("d", "dir"))
    assert server.run("stat", f"{URL}/f", f"{URL}/d") == 0
    lines = server.out.decode().splitlines()
    assert lines[:4] == ["name        f", "kind        file", "size        6", "modified    2020-01-02T03:04:05+00:00"]
    assert "" in lines
    assert "kind        directory" in lines


def test_stat_of_a_pattern_for_programs(against: Against) -> None:
    server = against(*MLST_IN, *listing("", "b", "a"))
    assert server.run("stat", "--json", f"{URL}/*") == 0
    assert [(row["name"], row["size"]) for row in json.loads(server.out)] == [("a", 6), ("b", 6)]


def test_stat_of_what_is_not_there(against: Against) -> None:
    server = against(*MLST_IN, on("MLST f", "550 no such file"))
    assert server.run("stat", "--json", f"{URL}/f") == 1
    assert json.loads(server.out) == []
    assert "550 no such file" in server.err


@pytest.mark.req("C-SEC-NAME-1")
def test_get_of_a_pattern_writes_into_its_directory_only(against: Against) -> None:
    Path("in").mkdir()
    fetched = (TYPE_I, EPSV, on("SIZE d/good", "213 6"), on("RETR d/good", "150 go", data(b"octets"), "226 done"))
    server = against(*MLST_IN, *listing("d", *HOSTILE, "sub/"), *fetched)
    assert server.run("get", "-o", "in", f"{URL}/d/*") == 0
    assert [str(path) for path in Path().rglob("*")] == ["in", "in/good"]
    assert not Path("../escaped").exists()


def test_get_of_a_pattern_needs_a_directory(against: Against) -> None:
    server = against()
    assert server.run("get", "-o", "none", f"{URL}/*") == 2
    assert "make the directory first" in server.err


def test_one_session_for_each_server(against: Against) -> None:
    other_in = (on("USER you", "331 password?"), on("PASS secret", "230 in"), on("FEAT", "500 what?"))
    server = against(*IN, on("DELE a", "250 ok"), on("DELE b", "250 ok"), *other_in, on("DELE c", "250 ok"))
    assert server.run("rm", f"{URL}/a", f"{URL}/b", f"{OTHER}/c") == 0


@pytest.mark.parametrize("verb", ["rm", "mkdir", "rmdir", "stat"])
def test_exit_codes_and_shared_options(against: Against, verb: str) -> None:
    server = against(on("USER me", "331 password?"), on("PASS secret", "530 no"))
    assert server.run(verb, "-d", "--ladder=l.txt", f"{URL}/x") == 4
    assert "---> USER me" in server.err
    assert Path("l.txt").exists()
    assert against(greeting=("421 full",)).run(verb, f"{URL}/x") == 3
