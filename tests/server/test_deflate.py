"""Mode Z (draft-preston-ftpext-deflate): each transfer is one zlib stream."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import NoSpace
from fairlead.proto.codec import Representation
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from fairlead.storage.memory.transfer import MemoryUpload
from tests.proto.codec.ways import file, wire
from tests.server.represented import ASCII, IMAGE, choose, has_moved, name, state
from tests.server.session import Control, Running, reset, serving

DEFLATE = IMAGE._replace(mode="Z")
EVERY = [
    Representation(kind, "N", structure, "Z", size)
    for kind, size in (("A", 8), ("E", 8), ("I", 8), ("L", 36))
    for structure in "FRP"
]
CONTENT = b"a\n\xff\r\n" * 50 + b"end"


def plain(representation: Representation) -> Representation:
    return representation._replace(mode="S")


@pytest.mark.req("S-ZLIB-1", "S-959-MODE-1")
def test_the_mode_is_offered_and_set(control: Control) -> None:
    assert " MODE Z" in control.ask("FEAT").lines
    assert control.ask("MODE Z").code == 200
    assert state(control).endswith("MODE: Z")


@pytest.mark.req("S-ZLIB-1", "S-ZLIB-3")
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_a_file_goes_both_ways_as_one_zlib_stream(control: Control, root: Path, representation: Representation) -> None:
    for content in (b"", b"x", CONTENT):
        (root / "file").write_bytes(content)
        choose(control, representation)
        stream = control.fetch("RETR file")
        assert zlib.decompress(stream) == wire(plain(representation), content)
        assert control.store("STOR copy", stream).code == 226
        assert (root / "copy").read_bytes() == file(representation, stream)


@pytest.mark.req("S-ZLIB-1")
@pytest.mark.parametrize("size", [65_536, 3_000_000])
def test_a_long_file_goes_both_ways(control: Control, root: Path, size: int) -> None:
    content = (os.urandom(size // 3) + b"some text\n" * size)[:size]
    (root / "file").write_bytes(content)
    choose(control, DEFLATE)
    stream = control.fetch("RETR file")
    assert zlib.decompress(stream) == content
    assert control.store("STOR copy", stream).code == 226
    assert (root / "copy").read_bytes() == content


@pytest.mark.req("S-ZLIB-1")
def test_the_end_of_the_stream_is_the_end(control: Control, root: Path) -> None:
    choose(control, DEFLATE)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(zlib.compress(b"content"))
        assert control.read().code == 226  # nobody waits for the connection to be closed
        assert data.recv(1) == b""
    assert (root / "file").read_bytes() == b"content"


@pytest.mark.req("S-ZLIB-2")
def test_the_level_can_be_chosen(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"".join(b"line %d\n" % number for number in range(5000)))
    choose(control, DEFLATE)
    sizes = []
    for level in range(10):
        assert control.ask(f"OPTS MODE Z LEVEL {level}").code == 200
        sizes.append(len(control.fetch("RETR file")))
    assert sizes[0] > (root / "file").stat().st_size > sizes[1] > sizes[9]
    assert control.ask("opts mode z level 1").code == 200
    assert control.ask("OPTS MODE Z").code == 200
    assert len(control.fetch("RETR file")) == sizes[1]


@pytest.mark.req("S-ZLIB-2")
@pytest.mark.parametrize(
    "argument",
    ["", " B", " Z LEVEL", " Z LEVEL 10", " Z LEVEL -1", " Z LEVEL x", " Z LEVEL ", " Z ENGINE zlib", " Z LEVEL 1 2",
     " Z LEVEL \u0661", " Z "],
)  # fmt: skip
def test_any_other_option_is_refused(control: Control, argument: str) -> None:
    assert control.ask(f"OPTS MODE{argument}").code == 501


@pytest.mark.req("S-ZLIB-2", "S-959-REIN-1")
def test_rein_forgets_the_level(control: Control, root: Path) -> None:
    (root / "file").write_bytes(bytes(10_000))
    choose(control, DEFLATE)
    before = control.fetch("RETR file")
    assert control.codes("OPTS MODE Z LEVEL 0", "REIN", "USER me", "PASS secret") == [200, 220, 331, 230]
    choose(control, DEFLATE)
    assert control.fetch("RETR file") == before


@pytest.mark.req("S-ZLIB-3", "R-7")
@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
def test_listings_are_compressed(control: Control, root: Path, verb: str) -> None:
    for number in range(300):
        (root / f"entry-{number}").touch()
    listed = control.fetch(verb)
    choose(control, DEFLATE)
    stream = control.fetch(verb)
    assert zlib.decompress(stream) == listed
    assert len(stream) < len(listed) / 4


@pytest.mark.req("S-ZLIB-3")
@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"plain text", 451),
        (b"x" * 300_000, 451),
        (zlib.compress(b"content")[:-1] + b"\0", 451),
        (zlib.compress(b"content") + b"more", 451),
        (zlib.compress(b"content")[:-1], 426),
        (b"", 426),
    ],
)
def test_what_is_no_whole_stream_is_refused(control: Control, root: Path, stream: bytes, code: int) -> None:
    (root / "file").write_bytes(b"old content")
    choose(control, DEFLATE)
    assert control.store("STOR file", stream).code == code
    assert (root / "file").read_bytes() == b"old content"


class SmallStorage(MemoryStorage):
    """A store with room for a million octets, that remembers the largest piece it was given."""

    largest = 0

    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> MemoryUpload:
        upload = super().create(path, intent=intent, owner=owner, offset=offset)
        write = upload.write

        def limited(data: bytes | memoryview) -> None:
            self.largest = max(self.largest, len(data))
            if upload.position + len(data) > 1_000_000:
                raise NoSpace(path)
            write(data)

        upload.write = limited  # type: ignore[method-assign]
        return upload


@pytest.mark.req("S-ZLIB-3", "S-959-CMP-7")
@pytest.mark.parametrize(
    ("representation", "bomb"),
    [
        (DEFLATE, lambda: zlib.compress(bytes(200_000_000), 9)),
        (ASCII._replace(mode="Z"), lambda: zlib.compress(b"\r\n" * 20_000_000, 9)),
        (IMAGE._replace(mode="C"), lambda: b"\xff" * 1_000_000),
    ],
    ids=["deflate", "deflated text", "compressed"],
)
def test_a_bomb_goes_off_in_small_pieces_and_ends_where_there_is_no_room(
    representation: Representation, bomb: Callable[[], bytes]
) -> None:
    storage, octets = SmallStorage(), bomb()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts) as running, running.login() as control:
        choose(control, representation)
        with control.passive() as data:
            assert control.ask("STOR file").code == 150
            with suppress(OSError):  # the server has had enough
                data.sendall(octets)
            assert control.read().code == 552
        assert storage.largest < 70_000


@pytest.mark.req("S-ZLIB-3", "S-3659-REST-3", "S-3659-SIZE-1")
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_sizes_and_offsets_are_of_what_is_compressed(
    control: Control, root: Path, representation: Representation
) -> None:
    content = CONTENT[-16:]
    (root / "file").write_bytes(content)
    choose(control, representation)
    sent = wire(plain(representation), content)
    assert control.ask("SIZE file").text == str(len(sent))
    for offset in range(len(sent) + 1):
        assert control.ask(f"REST {offset}").code == 350
        assert zlib.decompress(control.fetch("RETR file")) == sent[offset:]
    assert control.ask(f"REST {len(sent) + 1}").code == 350
    with control.open("EPSV"):
        assert control.ask("RETR file").code == 554


@pytest.mark.req("S-ZLIB-3", "S-3659-REST-5")
@pytest.mark.parametrize("representation", [each for each in EVERY if each.structure != "P"], ids=name)
def test_an_upload_that_was_cut_goes_on_where_size_says(
    running: Running, control: Control, root: Path, representation: Representation
) -> None:
    choose(control, representation)
    sent = wire(plain(representation), CONTENT)
    compressor = zlib.compressobj()
    cut = compressor.compress(sent[:100]) + compressor.flush(zlib.Z_SYNC_FLUSH)
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(cut)
        running.await_condition(lambda: has_moved(running, len(cut)))
        reset(data)
        assert control.read().code == 426
    came = int(control.ask("SIZE file").text)
    assert 96 < came <= 100
    assert control.ask(f"REST {came}").code == 350
    assert control.store("STOR file", zlib.compress(sent[came:])).code == 226
    assert (root / "file").read_bytes().rstrip(b"\0") == CONTENT


def test_it_is_a_mode_of_a_real_disk_too(root: Path) -> None:
    """Flushing before the acknowledgement, as by default."""
    with closing(LocalStorage(root)) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
        with serving(storage, accounts=accounts) as running, running.login() as control:
            choose(control, DEFLATE)
            assert control.store("STOR file", zlib.compress(CONTENT)).code == 226
    assert (root / "file").read_bytes() == CONTENT
