"""Lines made by the accelerator and by Python alone: the same octets, whatever lies in the directory."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead import accelerator
from fairlead.errors import NotADirectory, NotFound, StorageError
from fairlead.proto.facts import FACTS
from fairlead.proto.listing.layout import SIZE_WIDTH, Formatter, Slot
from fairlead.proto.listing.mlsx import MlsxFormatter
from fairlead.proto.listing.names import NameFormatter
from fairlead.proto.listing.unix import UnixFormatter
from fairlead.storage.local import LocalStorage, lines
from fairlead.storage.local.pace import TimedSteps
from fairlead.storage.local.scan import SORTED_LIMIT
from tests.readers import READERS, choose

NOW = 1_750_000_000
NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"

octets = st.integers(1, 255).filter(lambda octet: octet != ord("/")).map(lambda octet: bytes((octet,)))
file_names = st.one_of(
    st.lists(octets, min_size=1, max_size=8).map(b"".join),
    st.text("ab.%é\n\r\t \x7f", min_size=1, max_size=6).map(str.encode),
    st.sampled_from(
        [b".fairlead-", b".fairlead-x", b".fairlead-%016x-%016x.part" % (1, 2), b".fairlead-%016X-%016x.part" % (10, 2)]
    ),
    st.integers(0, 255).map(lambda length: b"long" + b"x" * (length - 4)),
).filter(lambda name: name not in {b".", b".."})
times = st.one_of(
    st.integers(NOW - 200 * 86400, NOW + 86400),
    st.integers(0, 253_402_300_799),
    st.integers(-(2**33), 2**33),
    st.sampled_from([0, -1, 59, 60, 951_782_400, 253_402_300_799, 253_402_300_800, NOW, NOW + 60, NOW - 180 * 86400]),
)
numbers = st.sampled_from([0, 1, 1000, 65534, 2**32 - 2])
targets = st.one_of(
    st.sampled_from([b"a", b"../secret", b"/etc/passwd", b"nowhere", b".", b"x" * 4095, b"a;b c", b"a\r\nb"]),
    st.lists(octets, min_size=1, max_size=20).map(b"".join),
)
entries = st.tuples(
    file_names,
    st.sampled_from(["file", "directory", "link", "pipe", "socket", "hard link"]),
    times,
    st.integers(0, 0o7777),
    st.one_of(st.integers(0, 2**20), st.integers(2**40, 2**42)),
    st.tuples(numbers, numbers),
    targets,
)


def make(root: Path, tree: list[tuple[bytes, str, int, int, int, tuple[int, int], bytes]]) -> None:
    """Whatever of ``tree`` the file system takes."""
    here = os.open(root, os.O_RDONLY)
    previous = None
    for name, kind, when, mode, size, owner, target in tree:
        with suppress(OSError):
            if kind == "file":
                file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=here)
                os.ftruncate(file, size)
                os.close(file)
            elif kind == "directory":
                os.mkdir(name, dir_fd=here)
            elif kind == "link":
                os.symlink(target, name, dir_fd=here)
            elif kind == "pipe":
                os.mkfifo(name, dir_fd=here)
            elif kind == "socket":
                os.mknod(name, stat.S_IFSOCK, dir_fd=here)
            elif previous is not None:
                os.link(previous, name, src_dir_fd=here, dst_dir_fd=here)
            if os.geteuid() == 0:
                os.chown(name, *owner, dir_fd=here, follow_symlinks=False)
            if kind != "link":
                os.chmod(os.path.join(os.fsencode(root), name), mode)
            os.utime(name, (0, when), dir_fd=here, follow_symlinks=False)
            previous = name
    os.close(here)


def called(number: int) -> str:
    """A user's name."""
    return {0: "root", 1: "", 1000: "dom user\t;%s\x01é", 65534: "x" * 300}.get(number, str(number))


def unix(*, utc: bool = True) -> UnixFormatter:
    return UnixFormatter(now=NOW, owner=called, group=called, utc=utc)


def mlsx(store: LocalStorage, facts: frozenset[str]) -> MlsxFormatter:
    def follow(name: str) -> os.stat_result | None:
        with suppress(StorageError):
            return store.stat(f"/{name}")
        return None

    return MlsxFormatter(
        facts=facts, perm=lambda status: f"{status.st_mode & 3}%", owner=called, group=called, follow=follow
    )


def both(root: Path, make_formatter: Callable[[LocalStorage], Formatter], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The lines, which both readers make alike."""
    found = []
    for reader in READERS:
        with monkeypatch.context() as patch, closing(LocalStorage(root)) as store:
            choose(reader, patch)
            made = store.lines("/", make_formatter(store))
            assert isinstance(made, TimedSteps)
            assert isinstance(made.steps, lines.CompiledLines) is (reader == "accelerated")
            found.append(b"".join(made))
    assert found[0] == found[1]
    return found[0]


def limit(monkeypatch: pytest.MonkeyPatch, largest: int) -> None:
    """Let ``largest`` be how many entries a directory may have that is sorted."""
    monkeypatch.setattr("fairlead.storage.local.lines.SORTED_LIMIT", largest)
    monkeypatch.setattr("fairlead.storage.local.scan.SORTED_LIMIT", largest)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", NEW_YORK)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.long
@pytest.mark.usefixtures("in_new_york")
@settings(max_examples=150, deadline=None)
@given(
    tree=st.lists(entries, max_size=12),
    facts=st.frozensets(st.sampled_from(FACTS)),
    chunk=st.sampled_from([64, 400, 1000, lines.CHUNK]),
    largest=st.sampled_from([0, 1, 5, SORTED_LIMIT]),
    prefix=st.sampled_from(["", "a/", "\udcff/" + "long" * 100 + "/"]),
)
def test_no_octet_differs(
    tree: list[tuple[bytes, str, int, int, int, tuple[int, int], bytes]],
    facts: frozenset[str],
    chunk: int,
    largest: int,
    prefix: str,
) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        make(root, tree)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lines, "CHUNK", chunk)
            limit(patch, largest)
            for utc in (True, False):
                both(root, lambda _, utc=utc: unix(utc=utc), patch)  # type: ignore[misc]
            both(root, lambda store: mlsx(store, facts), patch)
            both(root, lambda _: NameFormatter(prefix), patch)
    finally:
        shutil.rmtree(root)


def test_names_need_no_right_to_look_at_the_entries(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ba":
        (root / name).touch()

    def refused(*_: object, **__: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "lstat", refused)
    assert both(root, lambda _: NameFormatter(""), monkeypatch) == b"a\r\nb\r\n"


def test_every_kind_of_entry_has_its_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(
        root,
        [
            (b"f\n", "file", NOW - 60, 0o640, 5, (0, 0), b""),
            (b"d", "directory", 0, 0o4751, 0, (0, 0), b""),
            (b"l", "link", NOW, 0, 0, (0, 0), b"f\x7f"),
            (b"outside", "link", NOW, 0, 0, (0, 0), b"/etc"),
            (b"p", "pipe", NOW, 0o600, 0, (0, 0), b""),
            (b"s", "socket", NOW, 0o600, 0, (0, 0), b""),
            (b"ancient", "file", -1, 0o600, 0, (0, 0), b""),
        ],
    )
    shown = both(root, lambda _: unix(), monkeypatch).decode()
    rows = [re.split(" +", line, maxsplit=8) for line in shown.split("\r\n")[:-1]]
    assert [(row[0], " ".join(row[5:])) for row in rows] == [
        ("-rw-------", "Dec 31 1969 ancient"),
        ("drwsr-x--x", "Jan 1 1970 d"),
        ("-rw-r-----", "Jun 15 15:05 f?"),
        ("lrwxrwxrwx", "Jun 15 15:06 l -> f?"),
        ("lrwxrwxrwx", "Jun 15 15:06 outside"),
        ("prw-------", "Jun 15 15:06 p"),
        ("srw-------", "Jun 15 15:06 s"),
    ]
    assert both(root, lambda store: mlsx(store, frozenset({"type", "size", "modify"})), monkeypatch) == (
        b"type=file;size=0;modify=19691231235959; ancient\r\n"
        b"type=dir;modify=19700101000000; d\r\n"
        b"type=OS.unix=slink:f\x7f;size=2;modify=20250615150640; l\r\n"
        b"type=OS.unix=slink;size=4;modify=20250615150640; outside\r\n"
        b"type=OS.unix=fifo;size=0;modify=20250615150640; p\r\n"
        b"type=OS.unix=sock;size=0;modify=20250615150640; s\r\n"
    )


@pytest.mark.long
@pytest.mark.parametrize("count", [9_999, 10_000, 10_001, 25_000])
def test_large_directories_are_sorted_up_to_the_same_limit(
    root: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    here = os.open(root, os.O_RDONLY)
    names = [f"{number * 7919 % 100_003:06}" for number in range(count)]
    for name in names:
        os.mknod(name, dir_fd=here)
    os.close(here)
    long = both(root, lambda _: unix(), monkeypatch).decode().splitlines()
    shown = both(root, lambda _: NameFormatter(""), monkeypatch).decode().split()
    assert [line.split()[-1] for line in long] == shown
    assert sorted(shown) == sorted(names)
    assert (shown == sorted(names)) is (count <= SORTED_LIMIT)


def test_hundreds_of_owners_have_their_own_names(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        pytest.skip("giving files away needs root")
    for number in range(1500):
        (root / f"{number:04}").touch()
        os.chown(root / f"{number:04}", number * 4096, 1)
    shown = both(root, lambda _: unix(), monkeypatch).decode()
    assert [line.split()[2] for line in shown.splitlines()] == ["root", *(str(n * 4096) for n in range(1, 1500))]


@pytest.mark.usefixtures("each_reader")
def test_a_directory_that_is_none_is_refused_at_once(root: Path) -> None:
    (root / "file").touch()
    with closing(LocalStorage(root)) as store:
        with pytest.raises(NotADirectory):
            store.lines("/file", unix())
        with pytest.raises(NotFound):
            store.lines("/none", unix())


@pytest.mark.usefixtures("each_reader")
def test_what_goes_meanwhile_is_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, 100)  # small directories are looked at before the first line is made
    for number in range(3000):
        (root / f"{number:0100}").touch()
    with closing(LocalStorage(root)) as store:
        made = store.lines("/", unix())
        first = next(made)
        for path in root.iterdir():
            path.unlink()
        assert 0 < first.count(b"\n") <= b"".join([first, *made]).count(b"\n") < 3000


@pytest.mark.usefixtures("each_reader")
def test_lines_dropped_half_way_leave_nothing_open(root: Path) -> None:
    for name in "abc":
        (root / name).touch()
    with closing(LocalStorage(root)) as store:
        made = store.lines("/", unix())
        del made  # the fixture counts descriptors
        made = store.lines("/", unix())
        next(made)
        del made


def test_what_could_not_be_read_is_a_fault_and_not_the_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose("accelerated", monkeypatch)
    (root / "a").touch()
    with closing(LocalStorage(root)) as store:
        made = store.lines("/", unix())
        assert isinstance(made, TimedSteps)
        assert isinstance(made.steps, lines.CompiledLines)
        other = os.open(root / "a", os.O_RDONLY)
        os.dup2(other, made.steps._directory)  # now reading it fails, as from a broken disk
        os.close(other)
        with pytest.raises(NotADirectory):
            next(made)
        assert list(made) == []


def test_a_descriptor_that_is_no_directory_is_closed_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose("accelerated", monkeypatch)
    (root / "a").touch()
    with pytest.raises(NotADirectory):
        lines.lines(os.open(root / "a", os.O_RDONLY), "/a", unix())


@pytest.mark.parametrize("frame", [b"", b"\x01", b"\x05abc", b"\x03abc\x01", b"\xff" + b"x" * 255 + b"\x00"])
def test_a_frame_that_is_cut_is_not_taken(root: Path, monkeypatch: pytest.MonkeyPatch, frame: bytes) -> None:
    choose("accelerated", monkeypatch)
    (root / "a").touch()
    monkeypatch.setattr(lines, "pack", lambda _: frame)
    with closing(LocalStorage(root)) as store, pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
        next(store.lines("/", unix()))


def test_both_sides_know_the_same_numbers() -> None:
    source = Path(accelerator.LIBRARY).with_name("listing.c").read_text()

    def numbered(kind: str) -> list[str]:
        body = re.search(rf"enum {kind} {{(.*?)}};", source, re.DOTALL)
        assert body is not None
        return re.findall(r"[A-Z_]+", re.sub(r"/\*.*?\*/", "", body[1]))

    assert numbered("slot") == [slot.name for slot in Slot]
    assert numbered("stop") == [stop.name for stop in lines.Stop]
    assert f"SIZE_COLUMNS = {SIZE_WIDTH}," in source
