"""Trees, paths and what is built upon them, with servers that nobody here wrote."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import Client
from fairlead.errors import PermanentError
from fairlead.integrations import ftplib
from fairlead.integrations.fsspec import FairleadFileSystem
from tests.interop.matrix import CONTENTS
from tests.interop.test_client import put
from tests.peers.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.peers.servers import Server

    ServerOf = Callable[..., Server]

pytestmark = pytest.mark.parametrize("name", SERVERS)


@pytest.mark.req("C-3659-MLS-3")
def test_trees_are_made_walked_through_and_removed(server_of: ServerOf, name: str) -> None:
    server = server_of(name)
    with Client(server.url, user=server.user, password=server.password, tls="off") as ftp:
        ftp.makedirs("t/a b/c")
        ftp.makedirs("t/a b", exist_ok=True)
        with pytest.raises(PermanentError):
            ftp.makedirs("t")
        for file in ("t/f.txt", "t/a b/g.txt", "t/a b/c/h.bin", "t/.hidden"):
            ftp.upload(io.BytesIO(b"octets"), file)
        walked = {here.path: sorted(entry.name for entry in here.others) for here in ftp.walk("t")}
        assert walked == {"t": [".hidden", "f.txt"], "t/a b": ["g.txt"], "t/a b/c": ["h.bin"]}
        assert [entry.name for entry in ftp.glob("t/**/*.txt")] == ["t/a b/g.txt", "t/f.txt"]
        there = [ftp.exists(path) for path in ("t", "t/a b/c/h.bin", "t/.hidden", "t/none", "t/.none", "none/f")]
        assert there == [True, True, True, False, False, False]
        assert [ftp.is_dir(path) for path in ("t/a b", "t/f.txt", "t/none")] == [True, False, False]
        assert [ftp.is_file(path) for path in ("t/a b", "t/f.txt", "t/none")] == [False, True, False]
        put(server, "kept", b"octets")
        (server.root / "outside").mkdir()
        (server.root / "kept").rename(server.root / "outside/kept")
        (server.root / "t/link").symlink_to("../outside")
        ftp.rmtree("t")
        assert not ftp.exists("t")
        assert (server.root / "outside/kept").read_bytes() == b"octets"


def test_paths_have_the_habits_of_pathlib(server_of: ServerOf, name: str) -> None:
    server = server_of(name)
    with Client(server.url, user=server.user, password=server.password, tls="off") as ftp:
        docs = ftp.path("docs")
        docs.mkdir()
        docs.mkdir(exist_ok=True)
        note = docs / "note.txt"
        note.touch()
        assert note.read_bytes() == b""
        note.write_text("one\ntwo\n", newline="\r\n")
        assert (note.read_bytes(), note.read_text()) == (b"one\r\ntwo\r\n", "one\ntwo\n")
        assert note.stat().size == 10
        moved = note.rename(docs / "moved.txt")
        assert list(docs.iterdir()) == list(docs.glob("*.txt")) == [moved]
        moved.unlink()
        moved.unlink(missing_ok=True)
        docs.rmdir()
        assert not docs.exists()


def test_file_system_of_fsspec(server_of: ServerOf, tmp_path: Path, name: str) -> None:
    server = server_of(name)
    host, port = server.host, server.port
    fs = FairleadFileSystem(host, port, server.user, server.password, tls="off", skip_instance_cache=True)
    try:
        (tmp_path / "t/u").mkdir(parents=True)
        (tmp_path / "t/u/f").write_bytes(CONTENTS["3 MB"])
        home = fs.sessions.take()
        top = home.pwd().rstrip("/")
        fs.sessions.give_back(home)
        fs.put(str(tmp_path / "t"), f"{top}/", recursive=True)
        assert fs.find(f"{top}/t") == [f"{top}/t/u/f"]
        with fs.open(f"{top}/t/u/f", block_size=100_000) as file:
            file.seek(2_000_000)
            assert file.read(1000) == CONTENTS["3 MB"][2_000_000:2_001_000]
        fs.mv(f"{top}/t/u/f", f"{top}/t/g")
        assert fs.cat(f"{top}/t/g") == CONTENTS["3 MB"]
        assert not fs.exists(f"{top}/t/u/f")
        fs.rm(f"{top}/t", recursive=True)
        assert not fs.exists(f"{top}/t")
    finally:
        fs.sessions.close()


def test_facade_of_ftplib(server_of: ServerOf, name: str) -> None:
    server = server_of(name)
    got: list[bytes] = []
    lines: list[Any] = []
    with ftplib.FTP(timeout=20) as ftp:
        ftp.connect(server.host, server.port)
        ftp.login(server.user, server.password)
        for passive in (True, False):
            ftp.set_pasv(passive)
            ftp.storbinary("STOR f", io.BytesIO(CONTENTS["3 MB"]))
            got.clear()
            ftp.retrbinary("RETR f", got.append)
            assert b"".join(got) == CONTENTS["3 MB"]
            assert set(ftp.nlst()) - {".", ".."} == {"f"}
        ftp.dir(lines.append)
        assert lines[-1].endswith(" f")
        ftp.voidcmd("TYPE I")
        conn = ftp.transfercmd("RETR f")
        assert conn.recv(10) == CONTENTS["3 MB"][:10]
        ftp.abort()
        assert ftp.voidcmd("NOOP").startswith("200")
        with pytest.raises(ftplib.error_perm, match=r"^550 "):
            ftp.retrbinary("RETR none", got.append)
        ftp.delete("f")
