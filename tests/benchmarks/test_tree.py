from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.tree import BLOCK, PREFIX, Tree, WrongUpload, remove_leftovers


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path)
    yield made
    made.close()


def test_files_and_directories_are_as_large_as_asked(tree: Tree) -> None:
    assert (tree.root / tree.file(3_000_000)).stat().st_size == 3_000_000
    hole = (tree.root / tree.hole(1 << 33)).stat()
    assert (hole.st_size, hole.st_blocks) == (1 << 33, 0)
    assert len(list((tree.root / tree.directory(50)).iterdir())) == 50
    assert tree.directory(50) == tree.directory(50)


def test_uploads_that_arrived_whole_pass_and_are_removed(tree: Tree) -> None:
    block = bytes(range(256)) * (BLOCK // 256)
    (tree.uploads / "a").write_bytes(block * 4)
    (tree.uploads / "b").write_bytes(b"x" * 1024)
    tree.check_uploads(files=2, octets=BLOCK * 4 + 1024)
    assert list(tree.uploads.iterdir()) == []


@pytest.mark.parametrize(("files", "octets"), [(2, 1024), (1, 1025), (0, 0)])
def test_missing_files_or_octets_are_an_error(tree: Tree, files: int, octets: int) -> None:
    (tree.uploads / "a").write_bytes(b"x" * 1024)
    with pytest.raises(WrongUpload, match="1 files of 1024 octets arrived"):
        tree.check_uploads(files=files, octets=octets)
    assert list(tree.uploads.iterdir()) == []


def test_an_upload_with_other_content_is_an_error(tree: Tree) -> None:
    (tree.uploads / "a").write_bytes(b"x" * BLOCK * 3 + b"y" * BLOCK)
    with pytest.raises(WrongUpload, match="the content of a"):
        tree.check_uploads(files=1, octets=BLOCK * 4)


def test_a_closed_tree_is_gone(tmp_path: Path) -> None:
    Tree(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_dead_runs_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}999999999-a").mkdir()
    (tmp_path / f"{PREFIX}1-b").mkdir()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}1-b"]
