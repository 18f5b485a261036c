"""THMB."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest

from fairlead.proto.codec import Representation
from fairlead.server import thumbnails
from fairlead.server.commands import thumbnail as command
from fairlead.storage.memory import MemoryStorage
from tests.proto.codec.ways import octets
from tests.server.represented import choose, receive_marked
from tests.server.session import Control, Running, receive
from tests.server.test_combine import WithoutEnd
from tests.server.test_space import session_of
from tests.storage.acts import put

Image = pytest.importorskip("PIL.Image")

RED, BLUE = (250, 5, 5), (5, 5, 250)
FEATURE = " THMB JPEG|PNG max_width max_height pathname"


def picture(kind: str, width: int = 60, height: int = 30, mode: str = "RGB") -> bytes:
    """The left half red, the right one blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    made = io.BytesIO()
    image.convert(mode).save(made, kind)
    return made.getvalue()


def near(color: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 30 for one, other in zip(color, wanted, strict=True))


@pytest.fixture
def pictures(root: Path) -> Path:
    (root / "a picture.jpg").write_bytes(picture("JPEG"))
    (root / "picture.png").write_bytes(picture("PNG"))
    (root / "text").write_bytes(b"no picture")
    (root / "d").mkdir()
    return root


@pytest.mark.req("S-STRM-5")
@pytest.mark.parametrize("made", ["JPEG", "PNG", "png"])
@pytest.mark.parametrize("name", ["a picture.jpg", "picture.png"])
@pytest.mark.parametrize(
    ("limits", "size"), [("20 20", (20, 10)), ("100 5", (10, 5)), ("60 30", (60, 30)), ("9" * 30 + " 1000", (60, 30))]
)
@pytest.mark.usefixtures("pictures")
def test_a_picture_is_made_small(control: Control, made: str, name: str, limits: str, size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(control.fetch(f"THMB {made} {limits} {name}")))
    assert (image.format, image.size) == (made.upper(), size)
    middle = size[1] // 2
    assert near(image.convert("RGB").getpixel((1, middle)), RED)
    assert near(image.convert("RGB").getpixel((size[0] - 2, middle)), BLUE)


@pytest.mark.req("S-STRM-5")
@pytest.mark.usefixtures("pictures")
def test_it_is_sent_as_it_is_in_every_type_and_way(control: Control) -> None:
    plain = control.fetch("THMB PNG 20 20 picture.png")
    assert control.ask("TYPE A").code == 200
    for mode in ("PASV", "EPRT", "PORT"):
        assert control.fetch("THMB PNG 20 20 picture.png", mode) == plain


@pytest.mark.req("S-STRM-5", "S-2389-FEAT-4")
def test_the_feature_is_listed_where_it_is_served(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FEATURE in control.ask("FEAT").lines
    monkeypatch.setattr(command, "can_make", lambda: False)
    assert FEATURE not in control.ask("FEAT").lines
    assert control.codes("THMB PNG 20 20 picture.png", "THMB x") == [502, 502]


@pytest.mark.req("S-STRM-5")
@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("PNG", 501),
        ("PNG 20 20", 501),
        ("PNG 20 20 ", 501),
        ("PNG 20 x picture.png", 501),
        ("PNG -1 20 picture.png", 501),
        ("PNG 0 20 picture.png", 501),
        ("PNG 20 0 picture.png", 501),
        ("TIFF 20 20 picture.png", 504),
        ("GIF 20 20 picture.png", 504),
        ("PNG 20 20 text", 550),
        ("PNG 20 20 none", 550),
        ("PNG 20 20 d", 550),
    ],
)
def test_what_is_refused(control: Control, argument: str, code: int) -> None:
    assert control.ask(f"THMB {argument}").code == code
    assert control.fetch("NLST text") == b"text\r\n"


@pytest.mark.req("S-STRM-5")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_broken_pictures(control: Control, root: Path, kind: str) -> None:
    whole = picture(kind, 300, 300)
    for number, data in enumerate([b"", whole[:10], whole[: len(whole) // 2], whole[:20] + os.urandom(50)]):
        (root / str(number)).write_bytes(data)
        assert control.ask(f"THMB PNG 20 20 {number}").code == 550


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("PNG", "RGBA"), ("GIF", "P"), ("JPEG", "CMYK")]
)
def test_kinds_of_colours(control: Control, root: Path, kind: str, mode: str) -> None:
    (root / "picture").write_bytes(picture(kind, mode=mode))
    for made in ("PNG", "JPEG"):
        assert Image.open(io.BytesIO(control.fetch(f"THMB {made} 20 20 picture"))).size == (20, 10)


def test_a_picture_that_lies_on_its_side(control: Control, root: Path) -> None:
    image = Image.open(io.BytesIO(picture("JPEG")))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(root / "picture", "JPEG", exif=exif)
    assert Image.open(io.BytesIO(control.fetch("THMB PNG 20 20 picture"))).size == (10, 20)


@pytest.mark.req("S-STRM-5")
def test_a_picture_that_is_too_large(control: Control, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "PIXELS", 60 * 30 - 1)
    (root / "picture.png").write_bytes(picture("PNG"))
    (root / "picture.jpg").write_bytes(picture("JPEG"))
    assert control.ask("THMB PNG 60 30 picture.png").code == 550
    assert control.ask("THMB PNG 60 30 picture.jpg").code == 550
    assert Image.open(io.BytesIO(control.fetch("THMB PNG 10 10 picture.jpg"))).size == (10, 5)


@pytest.mark.req("S-STRM-5")
def test_a_bomb_is_not_unpacked(control: Control, root: Path) -> None:
    whole = picture("PNG")
    for side in (5_000, 10_000, 50_000):
        header = b"IHDR" + struct.pack(">II", side, side) + whole[24:29]
        (root / "bomb").write_bytes(whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:])
        assert control.ask("THMB PNG 20 20 bomb").code == 550


@pytest.mark.req("S-STRM-5")
def test_a_picture_needs_the_right_to_read(running: Running, pictures: Path) -> None:
    with running.connect() as control:
        assert control.ask("THMB PNG 20 20 picture.png").code == 530
    (pictures / "out").symlink_to("/etc/hosts")
    with running.login("anonymous") as control:
        assert control.ask("THMB PNG 20 20 out").code == 550
        assert len(control.fetch("THMB PNG 20 20 picture.png")) > 20


@pytest.mark.req("S-STRM-5")
def test_abor_stops_it() -> None:
    storage = MemoryStorage()
    put(storage, "/picture", picture("PNG"))
    with session_of(storage) as (_, control):
        control.send(b"THMB PNG 20 20 picture\r\nABOR\r\nNOOP")
        assert control.read_codes(3) == [426, 226, 200]
        with control.passive() as data:
            assert control.ask("THMB PNG 20 20 picture").code == 150
            assert receive(data) != b""
        assert control.read().code == 226


def test_a_file_without_end_is_no_picture() -> None:
    storage = WithoutEnd()
    put(storage, "/picture", b"1")
    with session_of(storage) as (_, control):
        assert control.ask("THMB PNG 20 20 picture").code == 550


@pytest.mark.req("S-STRM-5")
@pytest.mark.usefixtures("pictures")
def test_a_picture_is_sent_in_the_mode_and_in_no_other_type_or_structure(control: Control) -> None:
    plain = control.fetch("THMB PNG 20 20 picture.png")
    for representation in (Representation("E"), Representation("A", structure="R")):
        choose(control, representation)
        assert control.fetch("THMB PNG 20 20 picture.png") == plain
    choose(control, Representation("A", structure="R", mode="Z"))
    assert zlib.decompress(control.fetch("THMB PNG 20 20 picture.png")) == plain
    choose(control, Representation("A", structure="R", mode="B"))
    with control.passive() as data:
        for code in (150, 125):
            assert control.ask("THMB PNG 20 20 picture.png").code == code
            assert octets(receive_marked(data, Representation("I", mode="B"))[1]) == plain
            assert control.read().code == 250
