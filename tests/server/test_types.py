"""TYPE, STRU and MODE, and what the representation does to the octets of a transfer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.session import Control, Running, receive


def state(control: Control) -> str:
    """The representation as STAT shows it."""
    return next(line.strip() for line in control.ask("STAT").lines if "TYPE:" in line)


@pytest.mark.req("S-959-TYPE-1", "S-959-STRU-1", "S-959-MODE-1")
def test_the_default_is_ascii_non_print_file_stream(running: Running) -> None:
    with running.connect() as control:
        assert state(control) == "TYPE: A N; STRU: F; MODE: S"
        assert control.codes("USER me", "PASS secret") == [331, 230]
        assert state(control) == "TYPE: A N; STRU: F; MODE: S"
        assert control.codes("TYPE I", "REIN") == [200, 220]
        assert state(control) == "TYPE: A N; STRU: F; MODE: S"


@pytest.mark.req(
    "S-959-TYPE-1", "S-1123-TYPE-2", "S-1123-TYPE-3", "S-959-TYPE-4", "S-959-TYPE-5", "S-959-TYPE-6", "S-959-TYPE-9",
    "S-959-T-5",
)  # fmt: skip
@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("A", "A N"),
        ("A N", "A N"),
        ("A T", "A T"),
        ("I", "I"),
        ("L 8", "L 8"),
        ("a t", "A T"),
        ("l 8", "L 8"),
        ("A C", "A C"),
        ("E", "E N"),
        ("E N", "E N"),
        ("E T", "E T"),
        ("e c", "E C"),
        ("L 1", "L 1"),
        ("L 36", "L 36"),
        ("L 255", "L 255"),
    ],
)
def test_a_served_type_is_set(control: Control, argument: str, shown: str) -> None:
    assert control.ask(f"TYPE {argument}").code == 200
    assert state(control).startswith(f"TYPE: {shown};")


@pytest.mark.req("S-959-TYPE-6")
@pytest.mark.parametrize("kind", "AE")
def test_the_format_is_non_print_again_when_only_the_type_is_given(control: Control, kind: str) -> None:
    for form in "TC":
        assert control.codes(f"TYPE {kind} {form}", f"TYPE {kind}") == [200, 200]
        assert state(control).startswith(f"TYPE: {kind} N;")


REFUSED = {
    501: [
        "TYPE L", "TYPE L ", "TYPE L 0", "TYPE L 256", "TYPE L -8", "TYPE L x", "TYPE L \u0668", "TYPE L 8 8",
        "TYPE X", "TYPE A X", "TYPE I N", "TYPE AN", "TYPE  A", "TYPE A  N", "TYPE A N ", "TYPE \u0131",
        "TYPE L " + "9" * 5000, "STRU X", "STRU FF", "STRU  F", "MODE X", "MODE SS", "MODE \u017f",
    ],
}  # fmt: skip


@pytest.mark.req("S-959-TYPE-7", "S-959-TYPE-8", "S-959-STRU-9", "S-959-MODE-1", "S-ERR-2", "S-959-T-5")
@pytest.mark.parametrize(("code", "line"), [(code, line) for code, lines in REFUSED.items() for line in lines])
def test_a_refused_parameter_changes_nothing(control: Control, code: int, line: str) -> None:
    assert control.ask("TYPE A T").code == 200
    before = state(control)
    assert control.ask(line).code == code
    assert state(control) == before


@pytest.mark.req("S-959-TYPE-7", "S-959-TYPE-8", "S-959-STRU-9", "S-ERR-2", "S-959-T-5")
@pytest.mark.parametrize(("first", "line"), [("STRU P", "TYPE L 7"), ("TYPE L 7", "STRU P")])
def test_what_does_not_go_together_is_refused_and_changes_nothing(control: Control, first: str, line: str) -> None:
    """Logical bytes of fewer than 8 bits cannot hold the header of a page."""
    assert control.ask(first).code == 200
    before = state(control)
    assert control.ask(line).code == 504
    assert state(control) == before


@pytest.mark.req("S-959-ASC-1")
@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (b"", b""),
        (b"\n", b"\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\nb", b"a\r\nb"),
        (b"a\rb\n", b"a\rb\r\n"),
        (b"\r\n", b"\r\r\n"),
        (b"\xff\x00\n", b"\xff\x00\r\n"),
    ],
)
def test_line_ends_are_sent_as_cr_lf(control: Control, root: Path, stored: bytes, sent: bytes) -> None:
    (root / "file").write_bytes(stored)
    for kind in ("A", "A T"):
        assert control.ask(f"TYPE {kind}").code == 200
        assert control.fetch("RETR file") == sent
    for kind in ("I", "L 8"):
        assert control.ask(f"TYPE {kind}").code == 200
        assert control.fetch("RETR file") == stored


@pytest.mark.req("S-959-ASC-1")
def test_long_texts_are_converted_whole(control: Control, root: Path) -> None:
    """Longer than each of the pieces in which a file is read and sent."""
    text = b"".join(b"%d\n" % number for number in range(300_000))
    (root / "file").write_bytes(text)
    assert control.ask("TYPE A").code == 200
    assert control.fetch("RETR file") == text.replace(b"\n", b"\r\n")


@pytest.mark.req("S-959-ASC-2", "S-959-ASC-3")
@pytest.mark.parametrize("cut", range(1, 12))
def test_line_ends_are_stored_however_the_segments_fall(control: Control, root: Path, cut: int) -> None:
    sent = b"a\r\n\r\nb\r\r\nc\r"
    assert control.ask("TYPE A").code == 200
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(sent[:cut])
        while f"{cut} octets so far" not in control.ask("STAT").text:
            pass
        data.sendall(sent[cut:])
    assert control.read().code == 226
    assert (root / "file").read_bytes() == b"a\n\nb\r\nc\r"


@pytest.mark.req("S-959-ASC-2")
@pytest.mark.parametrize("start", [65535, 65536, 131071, 262143, 262144, 524287])
def test_line_ends_on_the_edges_of_buffers_are_stored(control: Control, root: Path, start: int) -> None:
    sent = b"x" * start + b"\r\n" + b"y" * 300_000 + b"\r\n"
    assert control.ask("TYPE A").code == 200
    assert control.store("STOR file", sent).code == 226
    assert (root / "file").read_bytes() == sent.replace(b"\r\n", b"\n")


ODD = [b"\r", b"a\rb", b"a\r\r\nb", b"x", b"\n", b"\r\n", b"\n\r", b"a\n\nb", b"\r\r", b"\r\n\r", b"no end\nof line"]


@pytest.mark.req("S-959-ASC-3")
@pytest.mark.parametrize("kind", ["A", "A T"])
def test_what_is_stored_and_fetched_under_one_type_is_identical(control: Control, kind: str) -> None:
    assert control.ask(f"TYPE {kind}").code == 200
    for text in ODD:
        if b"\n" in text.replace(b"\r\n", b""):
            continue  # a lone LF is no NVT-ASCII; see below
        assert control.store("STOR file", text).code == 226
        assert control.fetch("RETR file") == text


@pytest.mark.req("S-959-ASC-3")
def test_a_file_that_was_fetched_and_stored_is_identical(control: Control, root: Path) -> None:
    assert control.ask("TYPE A").code == 200
    for text in ODD:
        (root / "file").write_bytes(text)
        assert control.store("STOR copy", control.fetch("RETR file")).code == 226
        assert (root / "copy").read_bytes() == text


@pytest.mark.req("S-959-ASC-3")
def test_a_lone_line_feed_is_taken_for_a_line_end(control: Control, root: Path) -> None:
    assert control.ask("TYPE A").code == 200
    assert control.store("STOR file", b"a\nb\r\n").code == 226
    assert (root / "file").read_bytes() == b"a\nb\n"
    assert control.fetch("RETR file") == b"a\r\nb\r\n"


@pytest.mark.req("S-959-IMG-1", "S-1123-TYPE-2")
@pytest.mark.parametrize("kind", ["I", "L 8"])
def test_image_type_changes_no_octet(control: Control, root: Path, kind: str) -> None:
    octets = bytes(range(256)) * 1024 + b"\r\n\r\xff"
    assert control.ask(f"TYPE {kind}").code == 200
    assert control.store("STOR file", octets).code == 226
    assert (root / "file").read_bytes() == octets
    assert control.fetch("RETR file") == octets


@pytest.mark.req("S-959-ASC-1", "S-1123-LIST-2")
@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_lines_of_listings_end_in_cr_lf_under_every_type(control: Control, root: Path, verb: str) -> None:
    for name in ("a", "b"):
        (root / name).touch()
    for kind in ("A", "A T", "I", "L 8"):
        assert control.ask(f"TYPE {kind}").code == 200
        listing = control.fetch(verb)
        assert listing.count(b"\n") == listing.count(b"\r\n") == listing.count(b"\r") == 2
        assert listing.endswith(b"\r\n")


@pytest.mark.req("S-959-TYPE-8")
def test_the_type_of_a_transfer_is_that_of_its_beginning(control: Control, root: Path) -> None:
    """A TYPE that comes during a transfer waits for its end."""
    (root / "file").write_bytes(b"\n" * (4 << 20))
    assert control.ask("TYPE A").code == 200
    with control.passive() as data:
        assert control.ask("RETR file").code == 150
        control.send("TYPE I")
        data.settimeout(10)
        assert receive(data) == b"\r\n" * (4 << 20)
    assert control.read_codes(2) == [226, 200]


@pytest.mark.req("S-959-USER-3")
def test_a_second_user_keeps_the_transfer_parameters(control: Control) -> None:
    assert control.codes("TYPE L 8", "USER me", "PASS secret") == [200, 331, 230]
    assert state(control) == "TYPE: L 8; STRU: F; MODE: S"


@pytest.mark.req("S-959-TYPE-5", "R-12")
def test_ebcdic_text_is_sent_and_stored(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"Hello, World.\n")
    assert control.ask("TYPE E").code == 200
    octets = bytes.fromhex("C8 85 93 93 96 6B 40 E6 96 99 93 84 4B 15")
    assert control.fetch("RETR file") == octets
    assert control.ask("SIZE file").text == str(len(octets))
    assert control.store("STOR copy", octets).code == 226
    assert (root / "copy").read_bytes() == b"Hello, World.\n"


@pytest.mark.req("S-959-TYPE-5", "R-12")
def test_every_octet_of_ebcdic_comes_back(control: Control, root: Path) -> None:
    octets = bytes(range(256)) * 1000
    assert control.ask("TYPE E").code == 200
    assert control.store("STOR file", octets).code == 226
    assert (root / "file").read_bytes() != octets
    assert control.fetch("RETR file") == octets


@pytest.mark.req("S-959-TYPE-4")
@pytest.mark.parametrize("kind", ["A C", "E C"])
def test_carriage_control_is_stored_and_returned_unchanged(control: Control, root: Path, kind: str) -> None:
    text = b"1new page\n next line\n0after a blank one\n+over it\n"
    (root / "file").write_bytes(text)
    assert control.ask(f"TYPE {kind}").code == 200
    sent = control.fetch("RETR file")
    assert sent.startswith(b"1new page\r\n next" if kind == "A C" else "1new page\x85 next".encode("cp037"))
    assert control.store("STOR copy", sent).code == 226
    assert (root / "copy").read_bytes() == text


@pytest.mark.req("S-959-TYPE-9")
@pytest.mark.parametrize("size", [1, 7, 12, 36, 64, 255])
def test_logical_bytes_come_back_as_they_were_stored(control: Control, root: Path, size: int) -> None:
    for count in (0, 1, 2, 1000):
        octets = bytes(range(1, 252)) * 200
        octets = octets[: (count * size + 7) // 8]
        assert control.ask(f"TYPE L {size}").code == 200
        assert control.store("STOR file", octets).code == 226
        assert (root / "file").read_bytes() == octets
        assert control.fetch("RETR file") == octets
        assert control.ask("SIZE file").text == str(len(octets))


@pytest.mark.req("S-959-TYPE-9")
def test_the_last_logical_byte_is_sent_whole(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"10 octets.")
    for size, zeros in ((36, 4), (16, 0), (32, 2), (8, 0), (7, 0)):
        assert control.ask(f"TYPE L {size}").code == 200
        assert control.fetch("RETR file") == b"10 octets." + bytes(zeros)
        assert control.ask("SIZE file").text == str(10 + zeros)
