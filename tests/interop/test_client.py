"""Our client with servers that nobody here wrote."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import AsyncClient, Client
from fairlead.client.trace import Answered, CommandSent
from fairlead.errors import ArgumentError, LoginError, PermanentError
from tests.interop.matrix import CONTENTS, GIANT, GIANT_DIGEST, MODES, NAMES, make_giant
from tests.peers.servers import OWNER_ID, SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.peers.servers import Server

    ServerOf = Callable[..., Server]

ROUTES = [(name, family, mode) for name in SERVERS for family, modes in MODES.items() for mode in modes]


def client_of(server: Server, **settings: Any) -> Client:
    """A client in clear, since Pure-FTPd without a certificate names AUTH TLS in FEAT and then refuses it."""
    return Client(server.url, user=server.user, password=server.password, tls="off", **settings)


def put(server: Server, name: str | bytes, content: bytes) -> None:
    """Lay a file into the server's directory, its user the owner."""
    path = os.fsencode(server.root) + b"/" + os.fsencode(name)
    with open(path, "wb") as file:
        file.write(content)
    if os.geteuid() == 0:
        os.chown(path, OWNER_ID, OWNER_ID)


@pytest.mark.req("C-2428-EPSV-1", "C-2428-EPRT-1", "C-1123-PASV-1", "C-959-ACT-2", "C-959-PORT-1")
@pytest.mark.parametrize(("name", "family", "mode"), ROUTES)
def test_files_go_both_ways_whole_in_every_mode(
    server_of: ServerOf, tmp_path: Path, name: str, family: str, mode: str
) -> None:
    server = server_of(name, family)

    with client_of(server, mode=mode) as ftp:
        for title, content in CONTENTS.items():
            (tmp_path / title).write_bytes(content)
            sent = ftp.upload(tmp_path / title, title)
            got = ftp.download(title, tmp_path / "back")

            assert (server.root / title).read_bytes() == content
            assert (tmp_path / "back").read_bytes() == content
            assert (sent.mode, got.mode) == (mode.upper(), mode.upper())

        assert {entry.name: entry.size for entry in ftp.scandir()} == {
            title: len(content) for title, content in CONTENTS.items()
        }
        assert set(ftp.names()) == set(CONTENTS)


@pytest.mark.parametrize(("name", "family", "mode"), ROUTES)
def test_transfers_go_on_where_they_ended_in_every_mode(
    server_of: ServerOf, tmp_path: Path, name: str, family: str, mode: str
) -> None:
    server = server_of(name, family)
    content, cut = CONTENTS["3 MB"], 1_234_567
    put(server, "down", content)
    put(server, "up", content[:cut])
    source = tmp_path / "source"
    source.write_bytes(content)
    os.utime(source, (0, 0))
    part = tmp_path / "back.part"
    part.write_bytes(content[:cut])

    with client_of(server, mode=mode) as ftp:
        got = ftp.download("down", tmp_path / "back", resume=True)
        sent = ftp.upload(source, "up", resume=True)

    assert (got.offset, sent.offset) == (cut, cut)
    assert (tmp_path / "back").read_bytes() == content
    assert (server.root / "up").read_bytes() == content


@pytest.mark.parametrize("name", SERVERS)
def test_the_asynchronous_client_does_the_same(server_of: ServerOf, tmp_path: Path, name: str) -> None:
    server = server_of(name)
    content = CONTENTS["3 MB"]
    (tmp_path / "source").write_bytes(content)

    async def session(mode: Any) -> str:
        async with AsyncClient(server.url, user=server.user, password=server.password, mode=mode, tls="off") as ftp:
            await ftp.upload(tmp_path / "source", f"file {mode}")
            got = await ftp.download(f"file {mode}", tmp_path / f"back {mode}")
            assert [entry.name for entry in await ftp.scandir()] == [f"file {mode}"]
            await ftp.remove(f"file {mode}")
            return got.mode

    for mode in MODES["v4"]:
        assert asyncio.run(session(mode)) == mode.upper()
        assert (tmp_path / f"back {mode}").read_bytes() == content


@pytest.mark.req("C-959-XFER-4")
def test_files_go_deflated_where_the_server_does_that(server_of: ServerOf, tmp_path: Path) -> None:
    server = server_of("proftpd")  # which answers longer uploads in MODE Z with 451, those of lftp as well
    content, longer = bytes(50_000) + CONTENTS["3 MB"][:50_000], bytes(3_000_000) + CONTENTS["3 MB"]
    put(server, "long", longer)

    with client_of(server, transmission="Z") as ftp:
        (tmp_path / "f").write_bytes(content)
        sent = ftp.upload(tmp_path / "f", "f")
        got = ftp.download("long", tmp_path / "back")
        assert sorted(entry.name for entry in ftp.scandir()) == ["f", "long"]

    assert (server.root / "f").read_bytes() == content
    assert (tmp_path / "back").read_bytes() == longer
    assert sent.size < 51_000
    assert got.size < len(longer) - 2_900_000


@pytest.mark.req("C-959-ABOR-1", "C-3659-RST-1")
@pytest.mark.parametrize("name", SERVERS)
def test_open_files_are_read_sought_in_broken_off_and_written(server_of: ServerOf, name: str) -> None:
    server = server_of(name)
    content = CONTENTS["3 MB"] * 4
    put(server, "f", content)

    with client_of(server) as ftp:
        with ftp.open("f", "rb") as file:
            assert file.read(1000) == content[:1000]
            assert file.seek(-1000, os.SEEK_END) == len(content) - 1000
            assert file.read() == content[-1000:]
            assert file.seek(5_000_000) == 5_000_000
            assert file.read(70_000) == content[5_000_000:5_070_000]
        assert ftp.size("f") == len(content)
        for piece in ftp.stream("f"):
            assert content.startswith(piece)
            break
        with ftp.open("g", "w", atomic=True) as text:
            text.writelines(f"{number}\n" for number in range(100_000))
        with pytest.raises(InterruptedError), ftp.open("h", "wb", atomic=True) as written:
            interrupt(written, content)
        assert sorted(entry.name for entry in ftp.scandir()) == ["f", "g"]
        assert hashlib.sha256(b"".join(ftp.stream("f"))).digest() == hashlib.sha256(content).digest()

    assert (server.root / "g").read_text() == "".join(f"{number}\n" for number in range(100_000))


def interrupt(file: Any, content: bytes) -> None:
    file.write(content)
    raise InterruptedError


@pytest.mark.parametrize("name", ["vsftpd", "proftpd", "pureftpd"])
def test_an_active_data_connection_comes_from_the_servers_data_port(server_of: ServerOf, name: str) -> None:
    server = server_of(name)
    seen: list[Any] = []

    with client_of(server, mode="port", trace=seen.append) as ftp:
        ftp.names()

    port = 20 if name == "pureftpd" else server.port - 1  # Pure-FTPd knows no other
    assert [record.address for record in seen if isinstance(record, Answered)] == [(server.host, port)]


FAULTS = {
    ("vsftpd", b"y\xff.bin"): "does not undo the doubling of 0xFF",
    ("pureftpd", b"y\xff.bin"): "does not undo the doubling of 0xFF",
    ("pyftpdlib", b"y\xff.bin"): "takes names for UTF-8 only",
    ("pyftpdlib", b"caf\xe9.txt"): "takes names for UTF-8 only",
    ("pureftpd", b" leading"): "makes spaces at the ends underscores",
    ("pureftpd", b"trailing "): "makes spaces at the ends underscores",
    ("pureftpd", b'quo"ted.txt'): "does not double quotes in 257",
    ("pureftpd", b"back\\slash"): "forbids backslashes",
}
"""What the servers do wrong with names, or differently."""

NAMES_BY_SERVER = [
    pytest.param(
        name,
        octets,
        id=f"{name}-{octets!a}",
        marks=[pytest.mark.xfail(reason=FAULTS[name, octets])] if (name, octets) in FAULTS else [],
    )
    for name in SERVERS
    for octets in NAMES
]


@pytest.mark.req("C-2640-CMD-1", "C-2640-CMD-2", "C-3659-MLS-1")
@pytest.mark.parametrize(("name", "octets"), NAMES_BY_SERVER)
def test_a_name_is_kept_as_it_is(server_of: ServerOf, tmp_path: Path, name: str, octets: bytes) -> None:
    server = server_of(name)
    text = os.fsdecode(octets)
    source = tmp_path / "source"
    source.write_bytes(octets)

    with client_of(server) as ftp:
        ftp.upload(source, text)
        assert os.listdir(os.fsencode(server.root)) == [octets]
        assert [entry.name for entry in ftp.scandir()] == [text]
        ftp.download(text, tmp_path / "back")
        ftp.rename(text, "other")
        ftp.rename("other", text)
        ftp.remove(text)
        ftp.mkdir(text)
        ftp.cwd(text)
        assert ftp.pwd() == "/" + text
        assert ftp.scandir() == []
        ftp.cwd("..")
        ftp.rmdir(text)

    assert (tmp_path / "back").read_bytes() == octets
    assert os.listdir(server.root) == []


@pytest.mark.req("C-2640-CMD-1")
@pytest.mark.parametrize("text", ["a\nDELE b", "a\r\nDELE b", "\n", "a\0b"], ids=ascii)
def test_a_name_with_a_line_end_is_refused_before_anything_is_sent(
    server_of: ServerOf, tmp_path: Path, text: str
) -> None:
    server = server_of("pyftpdlib")
    put(server, "b", b"kept")
    (tmp_path / "source").write_bytes(b"x")
    sent: list[Any] = []

    with client_of(server, trace=sent.append) as ftp:
        for act in (ftp.remove, ftp.mkdir, ftp.cwd, ftp.size, ftp.scandir, ftp.names):
            with pytest.raises(ArgumentError):
                act(text)
        with pytest.raises(ArgumentError):
            ftp.upload(tmp_path / "source", text)
        with pytest.raises(ArgumentError):
            ftp.download(text, tmp_path / "back")

    assert not [record for record in sent if isinstance(record, CommandSent) and "DELE" in record.text]
    assert (server.root / "b").read_bytes() == b"kept"


@pytest.mark.parametrize("name", SERVERS)
def test_a_missing_file_is_an_error_with_the_servers_reply(server_of: ServerOf, tmp_path: Path, name: str) -> None:
    with client_of(server_of(name)) as ftp:
        with pytest.raises(PermanentError) as caught:
            ftp.download("missing", tmp_path / "back")
        assert caught.value.reply.code == 550
        assert ftp.size("missing") is None
        assert ftp.pwd() == "/"

    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("C-959-LOGIN-1")
@pytest.mark.parametrize("name", SERVERS)
def test_a_refused_login_is_told(server_of: ServerOf, name: str) -> None:
    server = server_of(name)

    with pytest.raises(LoginError) as caught, Client(server.url, user="nobody we know", password="wrong", tls="off"):
        pass

    assert caught.value.reply.code == 530


@pytest.mark.parametrize("name", SERVERS)
def test_append_adds_to_the_end(server_of: ServerOf, tmp_path: Path, name: str) -> None:
    server = server_of(name)
    put(server, "log", b"first\n")
    (tmp_path / "source").write_bytes(b"second\n")

    with client_of(server) as ftp:
        ftp.append(tmp_path / "source", "log")

    assert (server.root / "log").read_bytes() == b"first\nsecond\n"


@pytest.mark.parametrize("name", SERVERS)
def test_text_is_converted_both_ways(server_of: ServerOf, tmp_path: Path, name: str) -> None:
    server = server_of(name)
    (tmp_path / "source").write_bytes(b"one\ntwo\n")

    with client_of(server) as ftp:
        ftp.upload(tmp_path / "source", "text", text=True)
        ftp.download("text", tmp_path / "back", text=True)

    assert (server.root / "text").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "back").read_bytes() == b"one\ntwo\n"


class Hashing:
    """A sink that keeps nothing but the digest."""

    def __init__(self) -> None:
        self.sum = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.sum.update(data)
        self.size += len(data)


def test_five_gibibytes_arrive_whole(server_of: ServerOf) -> None:
    server = server_of("vsftpd")
    make_giant(server.root / "giant")
    sink = Hashing()

    with client_of(server) as ftp:
        got = ftp.download("giant", sink)

    assert got.size == sink.size == GIANT
    assert sink.sum.hexdigest() == GIANT_DIGEST
