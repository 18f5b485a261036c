"""Records, blocks and compression: structures and modes beside files as a stream."""

from __future__ import annotations

import io
import itertools
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from fairlead.client._flow import Mark
from fairlead.client.trace import CommandSent
from fairlead.errors import PermanentError, TruncatedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from fairlead.server.settings import Certificate, TlsSettings
from tests.certificates import make
from tests.client.script import Action, Play, Step, data, door, on, session, take
from tests.peers.embedded import Embedded, embedded

Connect = Callable[..., Any]
TYPE_I = on("TYPE I", "200 ok")
MODE_B = on("MODE B", "200 ok")
LINES = b"one\ntwo\n\nlast\n" * 2_000
OCTETS = os.urandom(300_000) + bytes(300_000)


def epsv(port: int = 5001) -> Step:
    return on("EPSV", door(port), f"229 ok (|||{port}|)")


def encoded(octets: bytes, mode: str, *, structure: str = "F", marks: tuple[bytes, ...] = ()) -> bytes:
    """``octets`` as a server sends them, a marker before each third of them but the first."""
    encoder = encoder_for(Representation("I", "N", structure, mode))
    third = len(octets) // 3 or 1
    sent = b""
    for start, mark in itertools.zip_longest(range(0, len(octets), third), marks, fillvalue=b""):
        if mark:
            sent += encoder.mark(mark)
        assert isinstance(start, int)
        sent += encoder.encode(octets[start : start + third])
    return sent + encoder.finish()


def unframed(mode: str, *actions: Action, heard: list[bytes] | None = None) -> Action:
    """Take what comes up to the end that is marked in it, then do ``actions``; ``heard`` gets the markers."""

    def watching(play: Play) -> None:
        decoder, stream = decoder_for(Representation("I", mode=mode)), play.data
        assert stream is not None

        def read() -> None:
            came = bytes(stream.arrived)
            stream.arrived.clear()
            for piece in decoder.decode(came):
                if isinstance(piece, bytes):
                    play.stored += piece
                elif heard is not None:
                    heard.append(piece.text)
            if decoder.finished:
                stream.watch = None
                play.do(actions)

        stream.watch = read
        read()

    return watching


@pytest.mark.req("C-959-XFER-4")
@pytest.mark.parametrize("mode", ["B", "C", "Z"])
@pytest.mark.parametrize("octets", [b"", b"octets" * 1000])
def test_mode_is_set_once_and_what_comes_is_the_file(mode: Literal["B", "C", "Z"], octets: bytes) -> None:
    sent = encoded(octets, mode)
    steps = (
        *(TYPE_I, on(f"MODE {mode}", "200 ok"), epsv(), on("RETR f", "150 go (6 bytes)", data(sent), "226 done")),
        *(epsv(5002), on("RETR f", "150 go", data(sent), "226 done")),
    )
    with session(*steps, transmission=mode) as s:
        for _ in range(2):
            target = io.BytesIO()
            s.ftp.download("f", target)
            assert target.getvalue() == octets


@pytest.mark.req("C-959-XFER-4")
@pytest.mark.parametrize("mode", ["B", "C", "Z"])
def test_what_is_stored_is_framed(mode: Literal["B", "C", "Z"]) -> None:
    steps = (TYPE_I, on(f"MODE {mode}", "200 ok"), epsv(), on("STOR f", "150 go", unframed(mode, "226 done")))
    with session(*steps, transmission=mode) as s:
        s.ftp.upload(io.BytesIO(OCTETS), "f")
        assert s.play.stored == OCTETS


@pytest.mark.req("C-959-XFER-4")
def test_records_are_lines_here() -> None:
    sent = encoded(b"one\ntwo\n", "S", structure="R")
    steps = (TYPE_I, on("STRU R", "200 ok"), epsv(), on("RETR f", "150 go", data(sent), "226 done"))
    store = (epsv(5002), on("STOR g", "150 go", take("226 done")))
    with session(*steps, *store, structure="R") as s:
        target = io.BytesIO()
        s.ftp.download("f", target)
        assert target.getvalue() == b"one\ntwo\n"
        s.ftp.upload(io.BytesIO(b"one\ntwo\n"), "g")
        assert s.play.stored == sent


@pytest.mark.req("C-959-XFER-4")
def test_connection_that_the_server_leaves_open_serves_the_next_transfer() -> None:
    first, second = encoded(b"one", "B"), encoded(b"two", "B")
    steps = (
        *(TYPE_I, MODE_B, epsv(), on("RETR a", "150 go", data(first, end=False), "250 open")),
        on("RETR b", "125 go", data(second, end=False), "226 closed"),
        *(epsv(5002), on("RETR c", "150 go", data(first), "226 done")),
    )
    with session(*steps, transmission="B") as s:
        got = []
        for name in "abc":
            target = io.BytesIO()
            s.ftp.download(name, target)
            got.append(target.getvalue())
        assert got == [b"one", b"two", b"one"]


@pytest.mark.req("C-959-XFER-4")
def test_connection_that_the_server_closed_after_all_is_made_anew() -> None:
    sent = encoded(b"one", "B")
    steps = (
        *(TYPE_I, MODE_B, epsv(), on("RETR a", "150 go", data(sent), "250 open")),
        *(epsv(5002), on("RETR b", "150 go", data(sent, end=False), "250 open")),
    )
    with session(*steps, transmission="B") as s:
        for name in "ab":
            s.ftp.download(name, io.BytesIO())
    assert s.play.data is not None
    assert s.play.data.other.closed


@pytest.mark.req("C-959-XFER-4", "C-959-RPL-5")
def test_markers_are_collected_from_the_data_and_from_110() -> None:
    sent = encoded(b"octets", "B", marks=(b"", b"m1", b"m2"))
    with session(TYPE_I, MODE_B, epsv(), on("RETR f", "150 go", data(sent), "226 done"), transmission="B") as s:
        assert s.ftp.download("f", io.BytesIO()).marks == (Mark(2, "m1"), Mark(4, "m2"))
    heard: list[bytes] = []
    stored = unframed("B", "110 MARK 1048576 = 77", "226 done", heard=heard)
    with session(TYPE_I, MODE_B, epsv(), on("STOR f", "150 go", stored), transmission="B") as s:
        assert s.ftp.upload(io.BytesIO(bytes(1_500_000)), "f").marks == (Mark(1_048_576, "77"),)
    assert heard == [b"1048576", b"1500000"]


@pytest.mark.req("C-959-XFER-4")
def test_data_that_ends_before_its_mark_is_no_success() -> None:
    cut = encoded(b"octets" * 100, "B")[:-5]
    steps = (TYPE_I, MODE_B, epsv(), on("RETR f", "150 go", data(cut), "226 done"))
    with session(*steps, transmission="B") as s, pytest.raises(TruncatedError):
        s.ftp.download("f", io.BytesIO())


def test_everything_else_goes_as_a_stream() -> None:
    sent = encoded(b"octets", "Z")
    listed = on("LIST", "150 go", data(b"-rw-r--r-- 1 me us 6 Jan 1 2024 f\r\n"), "226 done")
    steps = (
        *(TYPE_I, on("MODE Z", "200 ok"), epsv(), on("RETR f", "150 go", data(sent), "226 done")),
        *(on("TYPE A", "200 ok"), on("MODE S", "200 ok"), epsv(5002), listed),
        *(TYPE_I, on("MODE Z", "200 ok"), epsv(5003), on("RETR f", "150 go", data(sent), "226 done")),
    )
    with session(*steps, transmission="Z") as s:
        s.ftp.download("f", io.BytesIO())
        assert [entry.name for entry in s.ftp.scandir()] == ["f"]
        s.ftp.download("f", io.BytesIO())


def test_mode_that_was_changed_by_hand_is_set_again() -> None:
    steps = (
        *(on("MODE B", "200 ok"), TYPE_I, on("STRU F", "200 ok"), on("MODE S", "200 ok"), on("SIZE f", "213 6")),
        *(epsv(), on("RETR f", "150 go", data(b"octets"), "226 done")),
    )
    with session(*steps) as s:
        s.ftp.command("MODE", "B")
        s.ftp.download("f", io.BytesIO())


def test_server_without_the_mode_says_so() -> None:
    steps = (TYPE_I, on("MODE Z", "504 not here"))
    with session(*steps, transmission="Z") as s, pytest.raises(PermanentError, match="MODE Z' with: 504 not here"):
        s.ftp.download("f", io.BytesIO())


@pytest.mark.parametrize("options", [{"resume": True}, {"verify": True}])
@pytest.mark.parametrize("settings", [{"transmission": "B"}, {"structure": "R"}])
def test_only_files_as_a_stream_are_resumed_and_verified(
    tmp_path: Path, options: dict[str, Any], settings: dict[str, Any]
) -> None:
    with session(**settings) as s, pytest.raises(ValueError, match="only files as a stream"):
        s.ftp.download("f", tmp_path / "f", **options)


# With a server


def commands(records: list[Any], *verbs: str) -> list[str]:
    sent = [str(record).removeprefix("---> ") for record in records if isinstance(record, CommandSent)]
    return [line for line in sent if line.split()[0] in verbs]


@pytest.mark.req("C-959-XFER-4")
@pytest.mark.parametrize(("structure", "mode"), list(itertools.product("FR", "SBCZ")))
def test_files_go_both_ways_in_every_structure_and_mode(
    served: Embedded, connect: Connect, tmp_path: Path, structure: str, mode: str
) -> None:
    records: list[Any] = []
    with connect(served.url, structure=structure, transmission=mode, trace=records.append) as ftp:
        for octets in (b"", LINES, OCTETS) if structure == "F" else (b"", LINES):
            ftp.upload(io.BytesIO(octets), "f")
            assert (served.root / "f").read_bytes() == octets
            ftp.download("f", tmp_path / "back")
            assert (tmp_path / "back").read_bytes() == octets
        ftp.upload(io.BytesIO(b"one\ntwo\n"), "t", text=True)
        ftp.append(io.BytesIO(b"three\n"), "t", text=True)
        ftp.download("t", tmp_path / "text", text=True)
        assert (tmp_path / "text").read_bytes() == b"one\ntwo\nthree\n"
        made = len(commands(records, "EPSV"))
        transfers = len(commands(records, "STOR", "RETR", "APPE"))
        assert made == (1 if mode in "BC" else transfers)
        assert sorted(entry.name for entry in ftp.scandir()) == ["f", "t"]
        assert ftp.path("t").read_text() == "one\ntwo\nthree\n"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Embedded, Path]]:
    pair = make(tmp_path, "server", "127.0.0.1")
    (tmp_path / "served").mkdir()
    tls = TlsSettings([Certificate(str(pair.certificate), str(pair.key))], resumption="require")
    with embedded(tmp_path / "served", tls=tls) as server:
        yield server, pair.certificate


@pytest.mark.req("C-959-XFER-4")
@pytest.mark.parametrize("mode", ["B", "C", "Z"])
def test_modes_under_tls(secure: tuple[Embedded, Path], connect: Connect, mode: str) -> None:
    server, certificate = secure
    records: list[Any] = []
    context = ssl.create_default_context(cafile=certificate)
    with connect(server.url, tls="require", context=context, transmission=mode, trace=records.append) as ftp:
        for name in "abc":
            ftp.upload(io.BytesIO(OCTETS), name)
            target = io.BytesIO()
            ftp.download(name, target)
            assert target.getvalue() == OCTETS
    assert len(commands(records, "EPSV")) == (1 if mode in "BC" else 6)
