"""Each type with each structure: what is sent, what is stored, its size, and going on at every octet of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.proto.codec import Representation, encoder_for
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.proto.codec.ways import file, wire
from tests.server.represented import ASCII, IMAGE, choose, has_moved, name
from tests.server.session import Control, Running, receive, reset, serving

TYPES = [("A", "N", 8), ("A", "C", 8), ("E", "T", 8), ("I", "N", 8), ("L", "N", 7), ("L", "N", 16), ("L", "N", 36)]
EVERY = [
    Representation(kind, form, structure, "S", size)
    for kind, form, size in TYPES
    for structure in "FRP"
    if structure != "P" or size >= 8
]
RECORDS = ASCII._replace(structure="R")
PAGES = IMAGE._replace(structure="P")
CONTENT = b"1one\n two\r\n\n+\xff\xff\n\ra\r"
TAILS = [b"", b"x", b"\n", b"a\nb\n", b"a\nb", b"\n\n", b"\xff\n", b"a\r\nb\r", b"\xff"]


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


@pytest.mark.req("S-959-TYPE-4", "S-959-TYPE-5", "S-959-TYPE-9", "S-959-STRU-2", "S-959-STRU-8", "R-13")
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_a_file_is_sent_in_its_representation_and_comes_back_the_same(
    shared: Running, folder: Path, representation: Representation
) -> None:
    with shared.login() as control:
        choose(control, representation)
        for content in (*TAILS, CONTENT):
            (folder / "file").write_bytes(content)
            sent = control.fetch("RETR file")
            assert sent == wire(representation, content)
            assert control.store("STOR copy", sent).code == 226
            assert control.fetch("RETR copy") == sent


@pytest.mark.long
@pytest.mark.req("S-959-TYPE-4", "S-959-TYPE-5", "S-959-TYPE-9", "S-1123-STRU-5")
@pytest.mark.parametrize("representation", EVERY, ids=name)
@pytest.mark.parametrize("size", [65_536, 65_537, 1_500_000])
def test_a_long_file_goes_both_ways(shared: Running, folder: Path, representation: Representation, size: int) -> None:
    content = (b"".join(b"%d\n\xff" % number for number in range(size // 5)) + bytes(size))[:size]
    if representation.structure == "P" and representation.size == 8:
        content = content[:40_000]
    (folder / "file").write_bytes(content)
    with shared.login() as control:
        choose(control, representation)
        sent = control.fetch("RETR file")
        assert sent == wire(representation, content)
        assert control.store("STOR copy", sent).code == 226
    assert (folder / "copy").read_bytes().rstrip(b"\0") == content.rstrip(b"\0")


@pytest.mark.req("S-959-STRU-3", "S-959-STRU-4", "S-1123-STRU-5")
@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (b"a\nb\n", "61 FF01 62 FF03"),
        (b"a\nb", "61 FF01 62 FF02"),
        (b"", "FF02"),
        (b"\n", "FF03"),
        (b"\xff\n", "FFFF FF03"),
    ],
)
def test_lines_are_records_and_the_last_one_may_have_no_end(
    control: Control, root: Path, stored: bytes, sent: str
) -> None:
    (root / "file").write_bytes(stored)
    choose(control, RECORDS)
    assert control.fetch("RETR file") == bytes.fromhex(sent)
    assert control.store("STOR copy", bytes.fromhex(sent)).code == 226
    assert (root / "copy").read_bytes() == stored


@pytest.mark.req("S-959-STRU-3")
def test_records_may_come_in_any_segments(running: Running, control: Control, root: Path) -> None:
    choose(control, RECORDS)
    sent = b"a\xff\xff\xff\x01b\xff\x03"
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        for count, octet in enumerate(sent, 1):
            data.sendall(bytes((octet,)))
            if count < len(sent):
                running.await_condition(lambda octets=count: has_moved(running, octets))  # type: ignore[misc]
        assert control.read().code == 226  # the end is marked: nobody waits for the connection to be closed
    assert (root / "file").read_bytes() == b"a\xff\nb\n"


@pytest.mark.req("S-959-STRU-6", "S-959-DC-4")
@pytest.mark.parametrize("representation", [RECORDS, RECORDS._replace(type="E"), PAGES], ids=name)
@pytest.mark.parametrize("length", [10, 400_000])
def test_an_upload_without_its_end_is_no_success(
    control: Control, root: Path, representation: Representation, length: int
) -> None:
    (root / "file").write_bytes(b"old content")
    choose(control, representation)
    sent = wire(representation, b"a\n" * (length // 2 if representation.structure == "R" else 100))
    for end in (0, 1, len(sent) - 1):
        assert control.store("STOR file", sent[:end]).code == 426
        assert (root / "file").read_bytes() == b"old content"


@pytest.mark.req("S-959-STRU-7")
@pytest.mark.parametrize(
    "sent", [b"a\xff\x04b", b"\xff\0", b"a\xff\xff\xffz", b"a\xff\x02b", b"x" * 300_000 + b"\xff "]
)
def test_what_is_no_control_code_of_records_is_refused(control: Control, root: Path, sent: bytes) -> None:
    (root / "file").write_bytes(b"old content")
    choose(control, RECORDS)
    assert control.store("STOR file", sent).code == 451
    assert (root / "file").read_bytes() == b"old content"
    assert control.store("STOR file", b"new\xff\x02").code == 226
    assert (root / "file").read_bytes() == b"new"


@pytest.mark.req("S-959-STRU-8", "S-959-DC-4")
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("04 00 03 01 616263 04 00 00 00", 226),
        ("04 00 02 02 9999 04 00 01 01 61 05 01 02 03 99 6263 04 00 00 00", 226),
        ("04 00 03 04 616263", 551),
        ("04 01 03 01 616263", 451),
        ("03 00 03 01 616263", 451),
        ("04 00 03 01 616263 04 00 00 00 00", 451),
        ("04 00 03 01 616263", 426),
    ],
)
def test_pages_have_headers(control: Control, root: Path, sent: str, code: int) -> None:
    choose(control, PAGES)
    assert control.store("STOR file", bytes.fromhex(sent)).code == code
    assert (root / "file").exists() == (code == 226)
    if code == 226:
        assert control.fetch("RETR file") == bytes.fromhex("04 00 03 01 616263 04 00 00 00")


@pytest.mark.req("S-959-STRU-8", "S-ERR-6")
def test_a_file_with_more_pages_than_can_be_numbered_is_refused(control: Control, root: Path) -> None:
    (root / "file").write_bytes(bytes((62 << 10) + 1))
    (root / "lines").write_bytes(b"\n" * (60 << 10))
    choose(control, PAGES)
    with control.open("EPSV"):
        assert control.ask("RETR file").code == 555
    assert control.ask("SIZE file").code == 550
    choose(control, PAGES._replace(type="A"))
    with control.open("EPSV") as data:
        assert control.ask("RETR lines").code == 150
        receive(data)
    assert control.read().code == 451
    choose(control, PAGES._replace(type="L", size=16))
    assert len(control.fetch("RETR file")) > 62 << 10


# Sizes and offsets


@pytest.mark.req("S-3659-SIZE-1", "S-3659-SIZE-2")
@pytest.mark.parametrize("mode", "SBC")
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_size_is_what_retr_sends(shared: Running, folder: Path, representation: Representation, mode: str) -> None:
    representation = representation._replace(mode=mode)
    with shared.login() as control:
        choose(control, representation)
        for content in (*TAILS, CONTENT):
            (folder / "file").write_bytes(content)
            assert control.ask("SIZE file").text == str(len(wire(representation, content)))


@pytest.mark.req("S-3659-SIZE-1", "S-3659-SIZE-2")
@pytest.mark.parametrize("representation", [RECORDS, *(ASCII._replace(mode=mode) for mode in "BC")], ids=name)
def test_the_size_of_a_long_file_is_what_retr_sends(
    shared: Running, folder: Path, representation: Representation
) -> None:
    (folder / "file").write_bytes(b"".join(b"%d\n" % number for number in range(400_000)))
    with shared.login() as control:
        choose(control, representation)
        size = int(control.ask("SIZE file").text)
        with control.open("EPSV") as data:
            assert control.ask("RETR file").code == 150
            came = 0
            while came < size:
                came += len(data.recv(1 << 20))
            assert control.read().code in {226, 250}
            data.connection.shutdown(1)
            choose(control, ASCII)
            assert control.ask("ABOR").code == 226
            assert receive(data) == b""
        assert came == size


@pytest.mark.req("S-3659-SIZE-2")
@pytest.mark.parametrize("representation", [ASCII, RECORDS, PAGES, IMAGE._replace(mode="B")], ids=name)
def test_the_size_of_a_file_that_is_too_long_to_count_is_not_told(representation: Representation) -> None:
    storage = MemoryStorage()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, ascii_size_limit=10) as running, running.login() as control:
        assert control.store("STOR file", b"eleven\noct\n").code == 226
        choose(control, representation)
        assert control.ask("SIZE file").code == 550
        choose(control, Representation("E"))
        assert control.ask("SIZE file").text == "11"


@pytest.mark.req("S-3659-REST-3")
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_from_every_offset_comes_the_rest_of_what_comes_from_the_start(
    shared: Running, folder: Path, representation: Representation
) -> None:
    (folder / "file").write_bytes(CONTENT)
    sent = wire(representation, CONTENT)
    with shared.login() as control:
        choose(control, representation)
        for offset in range(len(sent) + 1):
            assert control.ask(f"REST {offset}").code == 350
            assert control.fetch("RETR file") == sent[offset:], offset
        for offset in (len(sent) + 1, 2**40):
            assert control.ask(f"REST {offset}").code == 350
            with control.open("EPSV"):
                assert control.ask("RETR file").code == 554


RESUMED = [each for each in EVERY if each.structure != "P"]


@pytest.mark.req("S-3659-REST-3", "S-3659-REST-5")
@pytest.mark.parametrize("representation", RESUMED, ids=name)
def test_an_upload_that_was_cut_goes_on_where_size_says(
    shared: Running, folder: Path, representation: Representation
) -> None:
    sent = wire(representation, CONTENT)
    stored = file(representation, sent)
    with shared.login() as control:
        choose(control, representation)
        for cut in range(1, len(sent)):
            (folder / "file").unlink(missing_ok=True)
            with control.passive() as data:
                assert control.ask("STOR file").code == 150
                data.sendall(sent[:cut])
                shared.await_condition(lambda octets=cut: has_moved(shared, octets))  # type: ignore[misc]
                reset(data)
                assert control.read().code == 426
            reply = control.ask("SIZE file")
            came = int(reply.text) if reply.code == 213 else 0
            assert cut - 3 <= came <= cut
            assert control.ask(f"REST {came}").code == 350
            assert control.store("STOR file", sent[came:]).code == 226
            assert (folder / "file").read_bytes() == stored, cut


@pytest.mark.req("S-3659-REST-3", "S-3659-REST-5")
@pytest.mark.parametrize("representation", RESUMED, ids=name)
def test_an_upload_goes_on_at_every_octet_of_what_is_there(
    shared: Running, folder: Path, representation: Representation
) -> None:
    end = len(encoder_for(representation).encode(CONTENT))
    sent = wire(representation, CONTENT)
    stored = file(representation, sent)
    with shared.login() as control:
        choose(control, representation)
        for offset in range(1, end + 1):
            (folder / "file").write_bytes(CONTENT)
            assert control.ask(f"REST {offset}").code == 350
            assert control.store("STOR file", sent[offset:]).code == 226
            assert (folder / "file").read_bytes() == stored, offset
        (folder / "file").write_bytes(CONTENT)
        assert control.ask(f"REST {end + 3}").code == 350
        with control.open("EPSV"):
            assert control.ask("STOR file").code == 554
        assert (folder / "file").read_bytes() == CONTENT


@pytest.mark.req("S-3659-REST-3", "S-3659-REST-5", "S-959-ASC-3")
def test_a_cr_that_ends_what_is_there_may_begin_a_line_end(control: Control, root: Path) -> None:
    choose(control, ASCII)
    for rest, whole in ((b"\nb", b"a\nb"), (b"b", b"a\rb"), (b"", b"a\r")):
        (root / "file").write_bytes(b"a\r")
        assert control.ask("REST 2").code == 350
        assert control.store("STOR file", rest).code == 226
        assert (root / "file").read_bytes() == whole


@pytest.mark.req("S-3659-REST-3", "S-3659-REST-5", "S-1123-STRU-5")
def test_the_end_of_the_last_record_may_have_come_already(control: Control, root: Path) -> None:
    choose(control, RECORDS)
    for offset, rest in ((1, b"\xff\x01b\xff\x02"), (2, b"\x01b\xff\x02"), (3, b"b\xff\x02"), (2, b"\x03")):
        (root / "file").write_bytes(b"a\n")
        assert control.ask(f"REST {offset}").code == 350
        assert control.store("STOR file", rest).code == 226
        assert (root / "file").read_bytes() == (b"a\n" if rest == b"\x03" else b"a\nb")


@pytest.mark.req("S-3659-REST-3", "S-ERR-6")
def test_an_upload_in_pages_goes_on_nowhere(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"old content")
    choose(control, PAGES)
    assert control.ask("REST 5").code == 350
    with control.open("EPSV"):
        assert control.ask("STOR file").code == 554


@pytest.mark.req("S-959-APPE-1", "S-ERR-6")
def test_logical_bytes_are_appended_to_whole_ones_only(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"9 octets.")
    choose(control, Representation("L", size=36))
    assert control.store("APPE file", b"9 octets+").code == 226
    assert control.store("APPE new", b"9 octets+").code == 226
    assert (root / "file").read_bytes() == b"9 octets.9 octets+"
    (root / "file").write_bytes(b"5 oct")
    with control.open("EPSV"):
        assert control.ask("APPE file").code == 555
    choose(control, Representation("L", size=8))
    assert control.store("APPE file", b"!").code == 226
    assert (root / "file").read_bytes() == b"5 oct!"


@pytest.mark.req("S-959-APPE-1", "S-1123-STRU-5")
def test_records_are_appended_as_lines(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"a\n")
    choose(control, RECORDS)
    assert control.store("APPE file", b"b\xff\x03").code == 226
    assert (root / "file").read_bytes() == b"a\nb\n"


HUGE = 50 << 30


@pytest.fixture
def huge(root: Path) -> Path:
    """A file that takes longer to go through than any test."""
    (root / "huge").touch()
    os.truncate(root / "huge", HUGE)
    return root / "huge"


@pytest.mark.req("S-959-ABOR-1", "S-959-GRAM-9", "S-3659-SIZE-2")
@pytest.mark.parametrize("lines", [["SIZE huge"], [f"REST {HUGE}", "RETR huge"], [f"REST {HUGE}", "STOR huge"]])
@pytest.mark.parametrize("representation", [ASCII, RECORDS], ids=name)
@pytest.mark.usefixtures("huge")
def test_counting_is_stopped(root: Path, representation: Representation, lines: list[str]) -> None:
    *before, last = lines
    with closing(LocalStorage(root, durability="relaxed")) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
        with serving(storage, accounts=accounts, ascii_size_limit=2 * HUGE) as running, running.login() as control:
            choose(control, representation)
            assert control.codes("EPSV", *before) == [229, *[350] * len(before)]
            control.send(last)
            assert running.await_work() == f"{last[:4]} /huge"
            control.send("STAT")
            control.send("ABOR")
            assert control.read_codes(3) == [426, 211, 226]
            assert control.ask("NOOP").code == 200
    assert (root / "huge").stat().st_size == HUGE


# Listings


@pytest.mark.req("S-1123-LIST-2", "S-959-STRU-4", "S-959-TYPE-5")
@pytest.mark.parametrize("representation", EVERY, ids=name)
@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_listings_are_text_in_the_structure_that_is_set(
    control: Control, root: Path, representation: Representation, verb: str
) -> None:
    for entry in ("a", "b", "\xff\n"):
        (root / entry).touch()
    plain = control.fetch(verb)
    choose(control, representation)
    kind = "E" if representation.type == "E" else "A"
    listed = control.fetch(verb)

    assert file(Representation(kind, structure=representation.structure), listed) == plain.replace(b"\r\n", b"\n")
    assert (listed == plain) == (kind == "A" and representation.structure == "F")


@pytest.mark.req("S-3659-MLSD-1")
@pytest.mark.parametrize("representation", EVERY, ids=name)
def test_mlsd_is_the_same_in_every_type_and_structure(
    control: Control, root: Path, representation: Representation
) -> None:
    (root / "a").touch()
    plain = control.fetch("MLSD")
    choose(control, representation)
    assert control.fetch("MLSD") == plain
