"""A file that is written in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fairlead.client.segments import gapped
from fairlead.client.segments.gapped import GappedFile

THEN = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


Begin = Callable[..., GappedFile]


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begin]:
    """Opens the file ``f``; whoever was killed closes it, but writes nothing down."""
    files: list[GappedFile] = []

    def begin(*, resume: bool = False, size: int = 10, modified: datetime | None = THEN) -> GappedFile:
        files.append(GappedFile(tmp_path / "f", size, modified, resume=resume))
        return files[-1]

    yield begin
    for file in files:
        file._file.close()


def test_file_takes_its_name_once_it_is_whole(begun: Begin, tmp_path: Path) -> None:
    file = begun()
    file.write(5, memoryview(b"67890"))
    assert (file.octets, file.gaps()) == (5, [(0, 5)])
    file.write(0, memoryview(b"12345"))
    assert file.gaps() == []
    with file.whole() as read:
        assert read.read() == b"1234567890"
    file.keep(THEN)
    file.leave()
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"1234567890"
    assert (tmp_path / "f").stat().st_mtime == THEN.timestamp()


def test_whoever_was_stopped_goes_on(begun: Begin) -> None:
    file = begun()
    for offset, octets in ((7, b"8"), (2, b"3"), (3, b"4")):
        file.write(offset, memoryview(octets))
    file.leave()
    assert begun(resume=True).gaps() == [(0, 2), (4, 7), (8, 10)]


def test_whoever_was_killed_goes_on_from_what_was_written_down(begun: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gapped, "_NOTED", 4)
    file = begun()
    file.write(0, memoryview(b"1234"))
    file.write(6, memoryview(b"7"))
    assert begun(resume=True).gaps() == [(4, 10)]


@pytest.mark.parametrize(
    "other",
    [{"size": 11}, {"modified": None}, {"modified": THEN.replace(second=6)}],
    ids=["another size", "no time", "another time"],
)
def test_what_is_of_another_file_is_not_gone_on_from(begun: Begin, other: dict[str, object]) -> None:
    file = begun()
    file.write(0, memoryview(b"12345"))
    file.leave()
    again = begun(resume=True, **other)
    assert again.octets == 0


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"have": [[0, 5]]}',
        b'{"size": 10, "modified": "2020-01-02T03:04:05+00:00", "have": [[0, 11]]}',
        b'{"size": 10, "modified": "2020-01-02T03:04:05+00:00", "have": [[5, 2]]}',
        b'{"size": 10, "modified": "2020-01-02T03:04:05+00:00", "have": [5]}',
        b'{"size": 10, "modified": "2020-01-02T03:04:05+00:00", "have": "all"}',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_understood_is_not_gone_on_from(begun: Begin, tmp_path: Path, line: bytes) -> None:
    (tmp_path / "f.parts").write_bytes(b"1234567890" + line)
    assert begun(resume=True).octets == 0


def test_what_one_session_left_is_gone_on_from(begun: Begin, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"1234")
    file = begun(resume=True)
    assert file.gaps() == [(4, 10)]
    file.write(4, memoryview(b"567890"))
    file.keep(None)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"1234567890"


def test_what_one_session_left_whole_is_only_named(begun: Begin, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"1234567890")
    assert begun(resume=True).gaps() == []


@pytest.mark.parametrize("octets", [b"", b"12345678901"], ids=["nothing", "more than there is"])
def test_what_one_session_left_of_another_file_stays_as_it_is(begun: Begin, tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "f.part").write_bytes(octets)
    assert begun(resume=True).octets == 0
    assert (tmp_path / "f.part").read_bytes() == octets


def test_what_was_left_before_the_file_was_changed_is_not_gone_on_from(begun: Begin, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"1234")
    assert begun(resume=True, modified=datetime.now(UTC) + timedelta(hours=1)).octets == 0


def test_nothing_is_gone_on_from_unless_asked_for(begun: Begin, tmp_path: Path) -> None:
    file = begun()
    file.write(0, memoryview(b"12345"))
    file.leave()
    (tmp_path / "f.part").write_bytes(b"1234")
    assert begun().octets == 0


def test_no_empty_file_stays(begun: Begin, tmp_path: Path) -> None:
    begun().leave()
    assert list(tmp_path.iterdir()) == []


def test_link_stays_one(begun: Begin, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "f").symlink_to(tmp_path / "there" / "g")
    file = begun(size=1)
    file.write(0, memoryview(b"x"))
    file.keep(None)
    assert (tmp_path / "f").is_symlink()
    assert (tmp_path / "there" / "g").read_bytes() == b"x"
