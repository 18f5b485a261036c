"""FTP as a file system of fsspec: fsspec's own tests of what file systems do, and what is ours."""

from __future__ import annotations

import errno
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.tests.abstract import (
    AbstractCopyTests,
    AbstractFixtures,
    AbstractGetTests,
    AbstractOpenTests,
    AbstractPipeTests,
    AbstractPutTests,
)

from fairlead.client._face import session_of
from fairlead.errors import LoginError, TransferError
from fairlead.integrations.fsspec import FairleadFileSystem
from fairlead.testing import serve
from tests.peers.embedded import PASSWORD, USER, Embedded

OCTETS = os.urandom(300_000)


@pytest.fixture
def ours(served: Embedded) -> Iterator[FairleadFileSystem]:
    """A file system on an empty server."""
    fs = FairleadFileSystem(served.host, served.port, USER, PASSWORD, skip_instance_cache=True)
    yield fs
    fs.sessions.close()


class Fixtures(AbstractFixtures):  # type: ignore[misc]
    """What the tests of fsspec need."""

    @pytest.fixture
    def fs(self, ours: FairleadFileSystem, fs_path: str) -> FairleadFileSystem:
        ours.auto_mkdir = True
        ours.mkdir(fs_path)
        return ours

    @pytest.fixture
    def fs_path(self) -> str:
        return "/work"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *names: "/".join(names)

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return True


@pytest.mark.long
class TestCopy(AbstractCopyTests, Fixtures):  # type: ignore[misc]
    pass


@pytest.mark.long
class TestGet(AbstractGetTests, Fixtures):  # type: ignore[misc]
    pass


@pytest.mark.long
class TestOpen(AbstractOpenTests, Fixtures):  # type: ignore[misc]
    pass


@pytest.mark.long
class TestPipe(AbstractPipeTests, Fixtures):  # type: ignore[misc]
    pass


@pytest.mark.long
class TestPut(AbstractPutTests, Fixtures):  # type: ignore[misc]
    pass


@pytest.mark.parametrize(
    ("url", "path", "arguments"),
    [
        ("ftp://h/a/b", "/a/b", {"host": "h"}),
        ("fairlead://me@h:2121/a/", "/a", {"host": "h", "port": 2121, "username": "me"}),
        ("ftps://me:p%40ss@h", "/", {"host": "h", "username": "me", "password": "p@ss", "tls": "implicit"}),
        ("ftpes://[::1]:21/x", "/x", {"host": "::1", "tls": "require"}),
        ("a/b", "/a/b", {}),
        ("/", "/", {}),
        ("", "/", {}),
        ("ftp://h/*.csv?x#y", "/*.csv?x#y", {"host": "h"}),
    ],
)
def test_urls(url: str, path: str, arguments: dict[str, Any]) -> None:
    assert FairleadFileSystem._strip_protocol(url) == path
    assert FairleadFileSystem._get_kwargs_from_urls(url) == arguments


def test_schemes_are_known_to_fsspec_once_installed() -> None:
    for scheme in ("fairlead", "ftps", "ftpes"):
        assert fsspec.get_filesystem_class(scheme) is FairleadFileSystem
    assert fsspec.get_filesystem_class("ftp") is not FairleadFileSystem


def test_url_is_opened(served: Embedded) -> None:
    url = served.url.replace("ftp://", "fairlead://") + "/docs/a.txt"
    (served.root / "docs").mkdir()
    with fsspec.open(url, "w") as file:
        file.write("one\ntwo\n")
    with fsspec.open(url) as file:
        assert file.read() == b"one\ntwo\n"
    assert (served.root / "docs/a.txt").read_text() == "one\ntwo\n"
    fs, path = fsspec.url_to_fs(url)
    assert (fs.cat(path), path) == (b"one\ntwo\n", "/docs/a.txt")
    fs.sessions.close()


def test_facts(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "d").mkdir()
    (served.root / "f").write_bytes(b"octets")
    (served.root / "l").symlink_to("f")
    assert ours.ls("/", detail=False) == ["/d", "/f", "/l"]
    assert {one["name"]: one["type"] for one in ours.ls("")} == {"/d": "directory", "/f": "file", "/l": "file"}
    assert [one["name"] for one in ours.ls("f")] == ["/f"]
    assert ours.info("f")["size"] == 6
    assert ours.info("/")["type"] == "directory"
    assert ours.modified("f").timestamp() == pytest.approx((served.root / "f").stat().st_mtime, abs=1)
    assert (ours.isdir("d"), ours.isfile("f"), ours.exists("none"), ours.size("f")) == (True, True, False, 6)
    assert ours.cat("l") == b"octets"


def test_errors_are_those_of_the_system(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "d").mkdir()
    for use in (ours.ls, ours.info, ours.cat, ours.rm, ours.rmdir, lambda path: ours.mv(path, "x")):
        with pytest.raises(FileNotFoundError):
            use("none")
    with pytest.raises(FileExistsError):
        ours.mkdir("d")
    with pytest.raises(FileExistsError):
        ours.makedirs("d")
    ours.makedirs("d", exist_ok=True)
    with pytest.raises(IsADirectoryError):
        ours.open("d")
    with pytest.raises(FileExistsError):
        ours.put_file(__file__, "d", mode="create")
    wrong = FairleadFileSystem(served.host, served.port, USER, "wrong", skip_instance_cache=True)
    with pytest.raises(LoginError):
        wrong.ls("/")


def test_ranges_are_read_without_the_rest(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)
    assert ours.cat_file("f", 1000, 2000) == OCTETS[1000:2000]
    assert ours.cat_file("f", -10) == OCTETS[-10:]
    assert ours.cat_ranges(["f", "f"], [0, 200_000], [10, 200_010]) == [OCTETS[:10], OCTETS[200_000:200_010]]
    with ours.open("f", block_size=1000) as file:
        assert file.read(10) == OCTETS[:10]
        file.seek(250_000)
        assert file.read(10) == OCTETS[250_000:250_010]
        assert ours.ls("/", detail=False) == ["/f"]  # an open file is in nobody's way
        file.seek(-5, 2)
        assert file.read() == OCTETS[-5:]


def test_files_are_written_block_by_block(ours: FairleadFileSystem, served: Embedded) -> None:
    with ours.open("f", "wb", block_size=50_000) as file:
        for start in range(0, len(OCTETS), 7_000):
            file.write(OCTETS[start : start + 7_000])
    assert (served.root / "f").read_bytes() == OCTETS
    with ours.open("f", "ab") as file:
        file.write(b"more")
    assert ours.cat("f") == OCTETS + b"more"
    with ours.open("new", "xb") as file:
        file.write(b"x")
    with pytest.raises(FileExistsError):
        ours.open("new", "xb")
    assert ours.cat("new") == b"x"


def test_exception_in_the_block_leaves_nothing_that_looks_whole(ours: FairleadFileSystem) -> None:
    def interrupt() -> None:
        with ours.open("f", "wb", block_size=50_000) as file:
            file.write(OCTETS)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupt()
    assert ours.ls("/") == []


def test_transaction_shows_all_or_nothing(ours: FairleadFileSystem) -> None:
    def broken() -> None:
        with ours.transaction:
            with ours.open("b", "wb") as file:
                file.write(b"b")
            raise InterruptedError

    with ours.transaction:
        with ours.open("a", "wb") as file:
            file.write(b"a")
        assert not ours.exists("a")
    assert ours.cat("a") == b"a"
    with pytest.raises(InterruptedError):
        broken()
    assert ours.ls("/", detail=False) == ["/a"]


def test_trees_are_copied_moved_and_removed(ours: FairleadFileSystem, tmp_path: Path) -> None:
    (tmp_path / "t/u").mkdir(parents=True)
    (tmp_path / "t/u/f").write_bytes(b"octets")
    ours.put(str(tmp_path / "t"), "/", recursive=True)
    assert ours.find("/") == ["/t/u/f"]
    ours.copy("t", "c", recursive=True)
    ours.mv("c", "m")
    assert ours.glob("/**/f") == ["/m/u/f", "/t/u/f"]
    ours.get("m", str(tmp_path / "back"), recursive=True)
    assert (tmp_path / "back/u/f").read_bytes() == b"octets"
    with pytest.raises(OSError, match="m"):
        ours.rmdir("m")
    ours.rm("m", recursive=True)
    ours.rm("t", recursive=True, maxdepth=3)
    assert ours.ls("/", refresh=True) == []


@pytest.mark.parametrize("maxdepth", [None, 5])
def test_what_a_link_leads_to_stays_when_the_link_is_removed(
    ours: FairleadFileSystem, served: Embedded, maxdepth: int | None
) -> None:
    (served.root / "outside").mkdir()
    (served.root / "outside/kept").touch()
    (served.root / "t/u").mkdir(parents=True)
    (served.root / "t/u/f").touch()
    (served.root / "t/u/link").symlink_to("../../outside")
    assert ours.isdir("t/u/link")
    ours.rm("t", recursive=True, maxdepth=maxdepth)
    assert ours.find("/") == ["/outside/kept"]


def test_no_more_levels_are_removed_than_wanted(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "t/u/v").mkdir(parents=True)
    (served.root / "t/u/v/f").touch()
    with pytest.raises(OSError, match="t") as caught:
        ours.rm("t", recursive=True, maxdepth=1)
    assert caught.value.errno == errno.ENOTEMPTY
    assert ours.find("/") == ["/t/u/v/f"]


def test_link_that_leads_back_up_is_not_entered(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "t/u").mkdir(parents=True)
    (served.root / "t/u/f").touch()
    (served.root / "t/u/up").symlink_to("..")
    assert [path for path, _, _ in ours.walk("/")] == ["/", "/t", "/t/u"]
    assert ours.find("/") == ["/t/u/f"]


def test_listings_are_remembered_until_something_changes(ours: FairleadFileSystem, served: Embedded) -> None:
    assert ours.ls("/") == []
    (served.root / "f").touch()
    assert ours.ls("/") == []
    assert ours.ls("/", refresh=True, detail=False) == ["/f"]
    ours.mkdir("d")
    assert ours.ls("/", detail=False) == ["/d", "/f"]


def test_progress_is_told(ours: FairleadFileSystem, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(OCTETS)
    there, back = fsspec.Callback(), fsspec.Callback()
    ours.put_file(str(tmp_path / "f"), "f", callback=there)
    ours.get_file("f", str(tmp_path / "g"), callback=back)
    for told in (there, back):
        assert (told.size, told.value) == (len(OCTETS), len(OCTETS))


def test_threads_have_sessions_of_their_own(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(ours.cat("f"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [OCTETS] * 4


def test_session_that_the_server_ended_is_replaced(ours: FairleadFileSystem) -> None:
    assert ours.ls("/") == []
    [idle] = ours.sessions._idle
    idle.close()
    assert ours.ls("/", refresh=True) == []


def test_sessions_after_one_under_tls_are_never_in_clear(tmp_path: Path) -> None:
    with serve(tmp_path, tls="offer") as server:
        fs = FairleadFileSystem(server.host, server.port, server.user, server.password, ca=server.ca,
                                skip_instance_cache=True)  # fmt: skip
        with fs.sessions.client() as first, fs.sessions.client() as second:
            assert [session_of(one).target.tls for one in (first, second)] == ["auto", "require"]
        fs.sessions.close()


def test_settings_of_the_client_are_taken(served: Embedded) -> None:
    fs = FairleadFileSystem(served.host, served.port, USER, PASSWORD, mode="port", use_listings_cache=False,
                            skip_instance_cache=True)  # fmt: skip
    assert fs.ls("/") == []
    fs.sessions.close()


def test_file_system_and_open_files_can_be_sent_elsewhere(ours: FairleadFileSystem, served: Embedded) -> None:
    (served.root / "f").write_bytes(b"octets")
    other = pickle.loads(pickle.dumps(ours))
    assert other.cat("f") == b"octets"
    with ours.open("f") as file:
        file.seek(3)
        with pickle.loads(pickle.dumps(file)) as same:
            assert same.read() == b"ets"
    other.sessions.close()


def test_file_that_the_server_does_not_keep_is_an_error(ours: FairleadFileSystem) -> None:
    file = ours.open("f", "wb")
    file.write(b"octets")
    file._begin("f", "wb")
    file._ftp.close()
    file.offset = 0
    with pytest.raises(TransferError):
        file.close()
