"""Block and compressed mode: what is sent and stored, and an upload that ends too early or is malformed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import Noticed, TransferFailed
from fairlead.proto.codec import Representation
from fairlead.storage.local import LocalStorage
from tests.proto.codec.ways import file, markers, octets, wire
from tests.server.represented import ASCII, EBCDIC, IMAGE, choose, has_moved, name, receive_marked, state
from tests.server.session import Control, Running, receive, reset, serving

TYPES = [("A", "N", 8), ("E", "C", 8), ("I", "N", 8), ("L", "N", 36)]
EVERY = [Representation(kind, form, structure, mode, size)
         for kind, form, size in TYPES for structure in "FRP" for mode in "BC"]  # fmt: skip
BLOCK, COMPRESSED = IMAGE._replace(mode="B"), IMAGE._replace(mode="C")
RECORD_BLOCKS, RECORD_STRINGS = ASCII._replace(structure="R", mode="B"), ASCII._replace(structure="R", mode="C")
CONTENTS = [b"", b"x", b"\n", b"a\nb", b"a\n\xff\r\n\n", b"    " * 50 + b"\0" * 500 + b"end\n"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Running]:
    """One server for many transfers."""
    with (
        closing(LocalStorage(folder, durability="relaxed")) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running,
    ):
        yield running


@pytest.mark.req("S-959-MODE-1", "S-959-T-5", "S-959-GRAM-5", "S-959-STRU-2")
def test_modes_and_structures_are_set_and_shown(control: Control) -> None:
    for line, shown in {
        "MODE B": "TYPE: I; STRU: F; MODE: B",
        "StRu r": "TYPE: I; STRU: R; MODE: B",
        "mode c": "TYPE: I; STRU: R; MODE: C",
        "STRU P": "TYPE: I; STRU: P; MODE: C",
        "TYPE E T": "TYPE: E T; STRU: P; MODE: C",
        "MODE Z": "TYPE: E T; STRU: P; MODE: Z",
        "MODE S": "TYPE: E T; STRU: P; MODE: S",
        "STRU F": "TYPE: E T; STRU: F; MODE: S",
    }.items():
        assert control.ask(line).code == 200
        assert state(control) == shown
    assert control.codes("MODE B", "REIN") == [200, 220]
    assert state(control) == "TYPE: A N; STRU: F; MODE: S"


@pytest.mark.long
@pytest.mark.req(
    "S-959-BLK-1", "S-959-BLK-2", "S-959-BLK-3", "S-959-BLK-5", "S-959-CMP-1", "S-959-CMP-2", "S-959-CMP-3",
    "S-959-CMP-4", "S-959-CMP-5",
)  # fmt: skip
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_a_file_is_sent_in_its_mode_and_comes_back_the_same(
    shared: Running, folder: Path, representation: Representation
) -> None:
    with shared.login() as control, control.passive() as data:
        choose(control, representation)
        for content in CONTENTS:
            (folder / "file").write_bytes(content)
            assert control.ask("RETR file").kind == 1
            sent, _ = receive_marked(data, representation)
            assert control.read().code == 250
            assert sent == wire(representation, content)
            assert control.ask("STOR copy").code == 125
            data.sendall(sent)
            assert control.read().code == 250
            assert (folder / "copy").read_bytes() == file(representation, sent)


@pytest.mark.req("S-959-BLK-3", "S-959-CMP-5", "R-9")
def test_the_end_of_an_empty_file(control: Control, root: Path) -> None:
    (root / "empty").touch()
    for representation, end in ((BLOCK, "40 0000"), (COMPRESSED, "00 40 C0")):
        choose(control, representation)
        with control.passive() as data:
            assert control.ask("RETR empty").code == 150
            assert receive_marked(data, representation)[0] == bytes.fromhex(end)
            assert control.read().code == 250


@pytest.mark.req("S-959-BLK-1", "S-959-CMP-1")
@pytest.mark.parametrize("representation", [BLOCK, COMPRESSED, RECORD_BLOCKS, RECORD_STRINGS], ids=name)
def test_a_long_file_goes_both_ways(running: Running, root: Path, representation: Representation) -> None:
    content = b"".join(b"%d lines of some length\n" % number for number in range(60_000)) + bytes(300_000)
    (root / "file").write_bytes(content)
    with running.login() as control, control.narrow() as data:
        choose(control, representation)
        assert control.ask("RETR file").code == 150
        sent, pieces = receive_marked(data, representation)
        assert control.read().code == 250
        assert octets(pieces) == content
        assert len(markers(pieces)) == 1
        assert control.ask("STOR copy").code == 125
        data.sendall(sent)
        assert control.read_codes(2) == [110, 250]
    assert (root / "copy").read_bytes() == content


UPLOADS = [
    (BLOCK, "40 0003 616263", b"abc"),
    (BLOCK, "00 0003 616263 40 0000", b"abc"),
    (BLOCK, "00 0000 00 0001 61 00 0000 00 0002 6263 40 0000", b"abc"),
    (BLOCK, "C0 0003 616263", b"abc"),
    (RECORD_BLOCKS, "80 0001 61 C0 0001 62", b"a\nb\n"),
    (RECORD_BLOCKS, "00 0001 61 80 0000 40 0001 FF", b"a\n\xff"),
    (ASCII._replace(mode="B"), "00 0002 610D 40 0002 0A0D", b"a\n\r"),
    (EBCDIC._replace(mode="B"), "40 0002 8115", b"a\n"),
    (COMPRESSED, "00 40", b""),
    (COMPRESSED, "00 40 C0", b""),
    (COMPRESSED, "00 40 80 99", b""),
    (COMPRESSED, "85 41 C4 00 40 01 7A", b"AAAAA\0\0\0\0z"),
    (COMPRESSED, "80 41 C0 03 616263 00 40", b"abc"),
    (ASCII._replace(mode="C"), "C4 00 40 02 0D0A", b"    \n"),
    (EBCDIC._replace(mode="C"), "C4 00 40 01 15", b"    \n"),
    (RECORD_STRINGS, "00 80 01 61 00 C0 01 62", b"a\nb\n"),
]


@pytest.mark.req(
    "S-959-BLK-2", "S-959-BLK-3", "S-959-BLK-4", "S-959-BLK-5", "S-959-CMP-2", "S-959-CMP-3", "S-959-CMP-4",
    "S-959-CMP-5", "R-9",
)  # fmt: skip
@pytest.mark.parametrize(("representation", "sent", "stored"), UPLOADS)
def test_every_way_to_mark_the_end_is_taken(
    shared: Running, folder: Path, representation: Representation, sent: str, stored: bytes
) -> None:
    with shared.login() as control:
        choose(control, representation)
        assert control.store("STOR file", bytes.fromhex(sent)).code == 250
    assert (folder / "file").read_bytes() == stored


@pytest.mark.req("S-959-BLK-4", "S-959-BLK-5")
@pytest.mark.parametrize("representation", [RECORD_BLOCKS, RECORD_STRINGS], ids=name)
def test_headers_may_come_in_any_segments(shared: Running, folder: Path, representation: Representation) -> None:
    sent = wire(representation, b"a\n\xff\n" + b"x" * 70)
    with shared.login() as control, control.passive() as data:
        choose(control, representation)
        assert control.ask("STOR file").code == 150
        for count, octet in enumerate(sent, 1):
            data.sendall(bytes((octet,)))
            if count < len(sent):
                shared.await_condition(lambda octets=count: has_moved(shared, octets))  # type: ignore[misc]
        assert control.read().code == 250
    assert (folder / "file").read_bytes() == b"a\n\xff\n" + b"x" * 70


@pytest.mark.req("S-959-BLK-4")
@pytest.mark.parametrize("size", [1, 65_535])
def test_blocks_of_every_length_are_taken(control: Control, root: Path, size: int) -> None:
    content = bytes(range(256)) * 1024
    blocks = [content[at : at + size] for at in range(0, size * 4, size)]
    choose(control, BLOCK)
    sent = b"".join(b"\0" + len(block).to_bytes(2) + block for block in blocks) + b"\x40\0\0"
    assert control.store("STOR file", sent).code == 250
    assert (root / "file").read_bytes() == b"".join(blocks)


@pytest.mark.req("S-959-BLK-7", "S-959-DC-4", "S-ERR-6")
@pytest.mark.parametrize(
    ("representation", "sent"),
    [(BLOCK, ""), (BLOCK, "00 0003 616263"), (BLOCK, "40 0003 6162"), (BLOCK, "40 00"), (BLOCK, "80 0001 61"),
     (COMPRESSED, ""), (COMPRESSED, "03 616263"), (COMPRESSED, "03 6162"), (COMPRESSED, "00"),
     (COMPRESSED, "00 40 02 61")],
)  # fmt: skip
def test_an_upload_without_its_end_is_no_success(
    control: Control, running: Running, root: Path, representation: Representation, sent: str
) -> None:
    (root / "file").write_bytes(b"old content")
    choose(control, representation)
    assert control.store("STOR file", bytes.fromhex(sent)).code == 426
    assert (root / "file").read_bytes() == b"old content"
    running.await_event(TransferFailed)


@pytest.mark.parametrize(
    ("representation", "sent"),
    [(BLOCK, b"plain text, no blocks"), (BLOCK, b"\x10\1\0"), (COMPRESSED, b"\0\1\1a"), (COMPRESSED, b"\0a")],
)
def test_what_is_not_of_the_mode_is_refused(
    control: Control, root: Path, representation: Representation, sent: bytes
) -> None:
    (root / "file").write_bytes(b"old content")
    choose(control, representation)
    assert control.store("STOR file", sent).code == 451
    assert (root / "file").read_bytes() == b"old content"


@pytest.mark.req("S-959-BLK-7", "S-959-DC-4")
@pytest.mark.parametrize("representation", [BLOCK, COMPRESSED], ids=name)
def test_a_connection_that_breaks_is_no_success(running: Running, root: Path, representation: Representation) -> None:
    with running.login() as control, control.passive() as data:
        choose(control, representation)
        assert control.ask("STOR file").code == 150
        data.sendall(wire(representation, b"content")[:-1])
        reset(data)
        assert control.read().code == 426
    assert not (root / "file").exists()


@pytest.mark.req("S-959-BLK-8")
@pytest.mark.parametrize(
    ("representation", "sent"), [(BLOCK, "20 0003 616263 40 0000"), (COMPRESSED, "00 20 03 616263 00 40 C0")]
)
def test_suspect_data_are_stored_and_noticed(
    running: Running, control: Control, root: Path, representation: Representation, sent: str
) -> None:
    choose(control, representation)
    assert control.store("STOR file", bytes.fromhex(sent)).code == 250
    assert (root / "file").read_bytes() == b"abc"
    notice = running.await_event(Noticed)
    assert (notice.topic, "/file" in notice.message) == ("suspect-data", True)


@pytest.mark.req("S-959-CMP-7")
def test_runs_expand_without_being_in_memory_as_a_whole(control: Control, root: Path) -> None:
    choose(control, COMPRESSED)
    assert control.store("STOR file", b"\xff" * 500_000 + b"\0\x40\xc0").code == 250
    assert (root / "file").stat().st_size == 31_500_000


@pytest.mark.parametrize("representation", [BLOCK, COMPRESSED, RECORD_BLOCKS, EBCDIC._replace(mode="B")], ids=name)
@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_listings_are_sent_in_the_mode(control: Control, root: Path, representation: Representation, verb: str) -> None:
    for entry in ("a", "b"):
        (root / entry).touch()
    plain = control.fetch(verb)
    choose(control, representation)
    listed = representation._replace(type="E" if representation.type == "E" else "A")
    with control.passive() as data:
        for code in (150, 125):
            assert control.ask(verb).code == code
            _, pieces = receive_marked(data, listed)
            assert control.read().code == 250
            assert octets(pieces) == plain.replace(b"\r\n", b"\n")


@pytest.mark.req("R-7", "S-3659-MLSD-1")
@pytest.mark.parametrize("mode", "BC")
def test_mlsd_is_a_plain_stream(control: Control, root: Path, mode: str) -> None:
    (root / "a").touch()
    plain = control.fetch("MLSD")
    assert control.ask(f"MODE {mode}").code == 200
    with control.passive() as data:
        assert control.ask("MLSD").code == 150
        assert receive(data) == plain
        assert control.read().code == 226
    assert state(control).endswith(f"MODE: {mode}")


@pytest.mark.req("S-959-APPE-1", "S-1123-STOU-1")
@pytest.mark.parametrize("representation", [BLOCK, COMPRESSED], ids=name)
def test_appe_and_stou_take_the_mode_too(control: Control, root: Path, representation: Representation) -> None:
    (root / "file").write_bytes(b"old and ")
    choose(control, representation)
    assert control.store("APPE file", wire(representation, b"new")).code == 250
    assert (root / "file").read_bytes() == b"old and new"
    with control.passive() as data:
        unique = control.ask("STOU").text.removeprefix("FILE: ")
        data.sendall(wire(representation, b"unique"))
        assert control.read().code == 250
    assert (root / unique).read_bytes() == b"unique"
