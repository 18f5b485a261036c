"""Paths on the server: their names are pathlib's, and so are their habits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest

from fairlead import AsyncClient, Client
from fairlead.client.path import AsyncFtpPath, FtpPath, RemotePath
from fairlead.errors import ArgumentError, PermanentError
from fairlead.proto.entry import Kind
from tests.client.script import data, door, on, session
from tests.client.test_faces import does_nothing_yet, methods, signature
from tests.peers.embedded import Embedded

Connect = Callable[..., Any]
MLST = (on("FEAT", "211-Features:\r\n MLST type*;\r\n211 End"),)


@pytest.mark.parametrize(
    "text", ["", ".", "/", "a", "a.tar.gz", "/a/b/c.txt", "a//b/./c", "a/..", ".hidden", "caf\udce9"]
)
@pytest.mark.parametrize(
    "look",
    [
        str,
        lambda path: path.name,
        lambda path: path.stem,
        lambda path: path.suffix,
        lambda path: path.suffixes,
        lambda path: path.parts,
        lambda path: str(path.parent),
        lambda path: list(map(str, path.parents)),
        lambda path: path.is_absolute(),
        lambda path: path.match("*.txt"),
        lambda path: str(path / "x"),
        lambda path: str(path / "/x"),
        lambda path: str(path.joinpath("x", "y")),
        lambda path: path.is_relative_to("a"),
    ],
)
def test_names_are_those_of_pathlib(text: str, look: Callable[[Any], Any]) -> None:
    assert look(Client("host").path(text)) == look(PurePosixPath(text))


def test_names_are_changed_as_in_pathlib() -> None:
    path = Client("host").path("/docs", "note.txt")
    assert str(path) == "/docs/note.txt"
    assert str(path.with_name("x")) == "/docs/x"
    assert str(path.with_stem("x")) == "/docs/x.txt"
    assert str(path.with_suffix(".md")) == "/docs/note.md"
    assert str(path.relative_to("/docs")) == "note.txt"
    assert str(path.relative_to(path.parent)) == "note.txt"
    with pytest.raises(ValueError, match="not in the subpath"):
        path.relative_to("/other")


def test_paths_are_equal_ordered_and_hashed_by_name_and_client() -> None:
    ftp, other = Client("host"), Client("host")
    assert ftp.path("a/b") == ftp.path("a") / "b"
    assert ftp.path("a") != other.path("a")
    assert ftp.path("a") != "a"
    assert sorted([ftp.path("b"), ftp.path("a")]) == [ftp.path("a"), ftp.path("b")]
    assert len({ftp.path("a"), ftp.path("a/"), ftp.path("b")}) == 2
    assert repr(ftp.path("a")) == "FtpPath('a')"
    assert repr(AsyncClient("host").path("a")) == "AsyncFtpPath('a')"


def test_both_faces_have_the_same_methods_and_signatures() -> None:
    blocking, asynchronous = methods(FtpPath), methods(AsyncFtpPath)
    assert {name: signature(method) for name, method in blocking.items()} == {
        name: signature(method) for name, method in asynchronous.items()
    }
    assert all(inspect.iscoroutinefunction(method) != does_nothing_yet(method) for method in asynchronous.values())


def test_working_directory_has_no_name_in_commands() -> None:
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("MLSD", "150 go", data(b"type=file; f\r\n"), "226 ok"))
    with session(*steps, features=MLST) as s:
        assert list(map(str, s.ftp.path().iterdir())) == ["f"]


@pytest.mark.req("C-SEC-NAME-1")
def test_names_that_lead_elsewhere_are_in_no_directory() -> None:
    lines = b"type=file; /etc/passwd\r\ntype=file; ../x\r\ntype=file; good\r\n"
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("MLSD d", "150 go", data(lines), "226 ok"))
    with session(*steps, features=MLST) as s:
        assert list(s.ftp.path("d").iterdir()) == [s.ftp.path("d/good")]
    with session(*steps, features=MLST) as s:
        assert list(s.ftp.path("d").glob("*")) == [s.ftp.path("d/good")]


def test_line_end_in_a_name_is_refused_before_anything_is_sent() -> None:
    with session() as s, pytest.raises(ArgumentError):
        s.ftp.path("a\r\nDELE b").unlink()


def test_file_that_may_be_missing_is_not_taken_for_one_that_may_not_be_removed() -> None:
    there = on("MLST f", "250-Listing\r\n type=file; f\r\n250 End")
    with session(on("DELE f", "550 not yours"), there, features=MLST) as s, pytest.raises(PermanentError):
        s.ftp.path("f").unlink(missing_ok=True)


def test_files_and_directories_of_a_server(served: Embedded, connect: Connect) -> None:
    with connect(served.url) as ftp:
        home = ftp.path()
        docs = home / "docs"
        (docs / "deep").mkdir(parents=True)
        docs.mkdir(exist_ok=True)
        docs.mkdir(exist_ok=True, parents=True)
        for refused in (docs.mkdir, (docs / "none/below").mkdir):
            with pytest.raises(PermanentError):
                refused()
        note = docs / "note.txt"
        assert not note.exists()
        assert note.write_text("één\ntwo\n", newline="\r\n") == 8
        assert (served.root / "docs/note.txt").read_bytes() == "één\r\ntwo\r\n".encode()
        assert note.read_text() == "één\ntwo\n"
        assert note.write_bytes(b"\xff\0") == 2
        assert note.read_bytes() == b"\xff\0"
        assert note.read_text("latin-1") == "ÿ\0"
        assert note.read_text(errors="replace") == "\ufffd\0"
        assert (note.exists(), note.is_file(), note.is_dir()) == (True, True, False)
        assert (docs.exists(), docs.is_file(), docs.is_dir()) == (True, False, True)
        assert (note.stat().size, note.stat().kind) == (2, Kind.FILE)
        with note.open("ab") as file:
            file.write(b"more")
        assert note.read_bytes() == b"\xff\0more"
        assert sorted(map(str, docs.iterdir())) == ["docs/deep", "docs/note.txt"]
        moved = note.rename(docs / "deep" / "moved")
        assert (str(moved), moved.exists(), note.exists()) == ("docs/deep/moved", True, False)
        moved.unlink()
        moved.unlink(missing_ok=True)
        with pytest.raises(PermanentError):
            moved.unlink()
        (docs / "deep").rmdir()
        assert list(docs.iterdir()) == []


def test_touch(served: Embedded, connect: Connect) -> None:
    with connect(served.url) as ftp:
        path = ftp.path("f")
        path.touch()
        assert (served.root / "f").read_bytes() == b""
        (served.root / "f").write_bytes(b"kept")
        before = path.stat().modified.replace(year=2001)
        ftp.set_mtime("f", before)
        path.touch()
        assert path.stat().modified > before
        assert (served.root / "f").read_bytes() == b"kept"
        with pytest.raises(FileExistsError):
            path.touch(exist_ok=False)


@pytest.mark.parametrize(
    ("directory", "pattern", "found"),
    [
        ("", "*.txt", ["a.txt"]),
        ("", "**/*.txt", ["a.txt", "x/.h.txt", "x/b.txt", "x/y/c.txt"]),
        ("x", "*", ["x/.h.txt", "x/b.txt", "x/y"]),
        ("x", "**/c.*", ["x/y/c.txt"]),
        ("", "**/y/**/*", ["x/y/c.txt"]),
        ("", "x/*/c.txt", ["x/y/c.txt"]),
        ("[x]", "*", ["[x]/d"]),
        ("/x", "b*", ["/x/b.txt"]),
        ("x", "b.txt", ["x/b.txt"]),
    ],
)
def test_patterns(served: Embedded, connect: Connect, directory: str, pattern: str, found: list[str]) -> None:
    for name in ("a.txt", "x/b.txt", "x/.h.txt", "x/y/c.txt", "[x]/d"):
        (served.root / name).parent.mkdir(parents=True, exist_ok=True)
        (served.root / name).touch()
    with connect(served.url) as ftp:
        assert list(map(str, ftp.path(directory).glob(pattern))) == found
        if pattern.startswith("**/"):
            assert list(map(str, ftp.path(directory).rglob(pattern[3:]))) == found


@pytest.mark.parametrize("pattern", ["", "/x"])
def test_patterns_that_are_none(pattern: str) -> None:
    with session() as s, pytest.raises(ValueError, match="no pattern"):
        list(s.ftp.path("d").glob(pattern))


def test_client_takes_segments_of_either_kind() -> None:
    ftp = Client("host")
    path: RemotePath = ftp.path("a", ftp.path("b"), "c/d")
    assert str(path) == "a/b/c/d"
