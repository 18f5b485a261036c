from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._walk import DEEPEST
from fairlead.client.mirror import local
from fairlead.client.mirror.direction import everything
from fairlead.client.mirror.local import LocalFolder, scan, tells_case_apart
from fairlead.client.mirror.parts import part_of
from fairlead.client.mirror.tree import Item, Span, Trouble
from fairlead.proto.entry import Kind

THEN = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(params=["by descriptor", "by path"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFolder]:
    monkeypatch.setattr(local, "_BY_DESCRIPTOR", request.param == "by descriptor")
    top = tmp_path / "top"
    top.mkdir()
    made = LocalFolder(top)
    yield made
    made.close()


def names(path: Path) -> list[str]:
    return sorted(str(found.relative_to(path)) for found in path.rglob("*"))


def test_scan_tells_files_directories_and_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"12345")
    os.utime(tmp_path / "d" / "f", (1, 1.75))
    (tmp_path / "l").symlink_to("d")
    os.mkfifo(tmp_path / "p")
    found = scan(tmp_path, everything)
    assert found.items["d/f"] == Item("d/f", Kind.FILE, 5, Span(1, 1))
    assert {path: item.kind for path, item in found.items.items()} == {
        "d": Kind.DIRECTORY,
        "d/f": Kind.FILE,
        "l": Kind.LINK,
        "p": Kind.OTHER,
    }
    assert found.complete


def test_scan_of_what_is_not_there_and_of_a_file(tmp_path: Path) -> None:
    assert not scan(tmp_path / "none", everything).exists
    (tmp_path / "f").touch()
    with pytest.raises(NotADirectoryError):
        scan(tmp_path / "f", everything)


def test_scan_follows_links_where_asked_to_and_no_loop(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "back").symlink_to("..")
    (tmp_path / "d" / "f").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").symlink_to("d/f")
    found = scan(tmp_path, everything, follow_links=True)
    assert found.items["file"].kind is Kind.FILE
    assert found.items["dangling"].kind is Kind.LINK
    assert [trouble.path for trouble in found.troubles] == ["d/back"]


def test_scan_ends_where_directories_are_too_deep(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(DEEPEST + 2):
        place /= "d"
    place.mkdir(parents=True)
    (trouble,) = scan(tmp_path, everything).troubles
    assert "more than 100 directories" in trouble.why


def test_scan_leaves_out_what_is_not_wanted_and_remembers_where(tmp_path: Path) -> None:
    (tmp_path / "d" / "cache").mkdir(parents=True)
    (tmp_path / "d" / "cache" / "f").touch()
    (tmp_path / "d" / "g").touch()
    found = scan(tmp_path, lambda path, directory: not (directory and path.endswith("cache")))
    assert set(found.items) == {"d", "d/g"}
    assert found.left_out == {"d"}


def test_scan_tells_what_it_may_not_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    scandir = os.scandir

    def forbidden(path: Path) -> Any:
        if path.name == "d":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    found = scan(tmp_path, everything)
    assert set(found.items) == {"d", "f"}
    assert found.troubles == [Trouble("d", "it cannot be listed: Permission denied")]


def test_names_that_no_command_can_carry_are_trouble(tmp_path: Path) -> None:
    (tmp_path / "a\nb").touch()
    found = scan(tmp_path, everything)
    assert found.items == {}
    assert [trouble.path for trouble in found.troubles] == ["a\nb"]


def test_parts_are_no_files_of_the_tree(tmp_path: Path) -> None:
    part = part_of(Item("f", Kind.FILE, 9, Span(1, 1)))
    (tmp_path / part).write_bytes(b"1234")
    found = scan(tmp_path, everything)
    assert (found.items, found.parts) == ({}, {part: 4})


def test_directories_and_files_are_made_and_removed(folder: LocalFolder) -> None:
    folder.mkdir("d")
    folder.mkdir("d")
    folder.mkdir("d/e")
    part = folder.part("d/e/f", "d/e/f.part")
    part.begin(0)
    part.write(memoryview(b"octets"))
    assert names(folder.top) == ["d", "d/e", "d/e/f.part"]
    part.keep(THEN)
    part.close()
    made = folder.top / "d" / "e" / "f"
    assert (made.read_bytes(), made.stat().st_mtime) == (b"octets", THEN.timestamp())
    folder.remove("d/e/f")
    folder.remove("d/e/f")
    folder.rmdir("d/e")
    folder.rmdir("d")
    folder.mkdir("d")
    assert names(folder.top) == ["d"]


def test_part_goes_on_where_it_was_left(folder: LocalFolder) -> None:
    for offset, octets in ((0, b"octets"), (3, b"ET")):
        part = folder.part("f", "f.part")
        assert part.size() == (6 if offset else 0)
        part.begin(offset)
        part.write(memoryview(octets))
        part.close()
    assert names(folder.top) == ["f.part"]
    part = folder.part("f", "f.part")
    part.keep()
    part.close()
    assert (folder.top / "f").read_bytes() == b"octET"


def test_empty_part_is_not_left_behind(folder: LocalFolder) -> None:
    part = folder.part("f", "f.part")
    part.begin(0)
    part.close()
    assert names(folder.top) == []


@pytest.mark.req("C-SEC-NAME-1")
def test_no_link_is_followed_below_the_top(folder: LocalFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (folder.top / "d").symlink_to(outside)
    for change in (folder.mkdir, folder.remove, folder.rmdir):
        with pytest.raises(NotADirectoryError):
            change("d/kept")
    with pytest.raises(NotADirectoryError):
        folder.part("d/new", "d/new.part")
    assert names(outside) == ["kept"]
    folder.remove("d")
    assert names(outside) == ["kept"]


@pytest.mark.req("C-SEC-NAME-1")
def test_link_under_the_name_of_a_part_or_a_file_is_not_written_through(folder: LocalFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"kept")
    (folder.top / "f.part").symlink_to(outside)
    (folder.top / "g").symlink_to(outside)
    part = folder.part("f", "f.part")
    with pytest.raises(OSError, match="symbolic links"):
        part.begin(0)
    part.close()
    part = folder.part("g", "g.part")
    part.begin(0)
    part.write(memoryview(b"new"))
    part.keep()
    part.close()
    assert outside.read_bytes() == b"kept"
    assert (folder.top / "g").read_bytes() == b"new"
    assert not (folder.top / "g").is_symlink()


def test_directory_that_became_a_link_is_not_entered(folder: LocalFolder, tmp_path: Path) -> None:
    folder.mkdir("d")
    (tmp_path / "outside").mkdir()
    (folder.top / "d").rmdir()
    (folder.top / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(NotADirectoryError):
        folder.mkdir("d/e")
    assert names(tmp_path / "outside") == []


def test_more_directories_than_are_kept_open(folder: LocalFolder) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(100):
        folder.mkdir(f"d{number}")
        folder.mkdir(f"d{number}/e")
    assert len(os.listdir("/proc/self/fd")) - before < 50
    folder.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_directory_stays_open_for_as_long_as_a_part_is_written_in_it(folder: LocalFolder) -> None:
    before = len(os.listdir("/proc/self/fd"))
    folder.mkdir("d")
    part = folder.part("d/f", "d/f.part")
    part.begin(0)
    part.write(memoryview(b"octets"))
    for number in range(100):
        folder.mkdir(f"d{number}")
        folder.mkdir(f"d{number}/e")
    folder.close()
    part.keep(THEN)
    part.close()
    assert (folder.top / "d" / "f").read_bytes() == b"octets"
    assert len(os.listdir("/proc/self/fd")) == before


def test_this_file_system_tells_case_apart_or_not(tmp_path: Path) -> None:
    (tmp_path / "name").touch()
    assert tells_case_apart(tmp_path / "not" / "there") is not (tmp_path / "NAME").exists()


def test_file_system_that_does_not_tell_case_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lstat = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: lstat(tmp_path if path.name.isupper() else path))
    assert not tells_case_apart(tmp_path)
