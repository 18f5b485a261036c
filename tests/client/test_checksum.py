"""Whether the file here and the file on the server are the same."""

from __future__ import annotations

import hashlib
import io
import zlib
from pathlib import Path

import pytest

from fairlead.errors import TransferError
from tests.client.script import Step, data, door, on, session, take

pytestmark = pytest.mark.req("C-HASH-1")
OCTETS = b"octets"
SHA256 = hashlib.sha256(OCTETS).hexdigest()
SHA1 = hashlib.sha1(OCTETS, usedforsecurity=False).hexdigest()
MD5 = hashlib.md5(OCTETS, usedforsecurity=False).hexdigest()
CRC = f"{zlib.crc32(OCTETS):X}"
TYPE_I = on("TYPE I", "200 ok")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
SIZE = on("SIZE f", "213 6")
RETR = on("RETR f", "150 go", data(OCTETS), "226 done")
STOR = on("STOR f", "150 go", take("226 done"))


def features(*lines: str) -> tuple[Step, ...]:
    return (on("FEAT", "211-Features:\r\n" + "".join(f" {line}\r\n" for line in lines) + "211 End"),)


@pytest.mark.parametrize(
    ("offer", "steps", "expected"),
    [
        (["HASH SHA-256*;SHA-1;"], [on("HASH f", f"213 SHA-256 0-5 {SHA256} f")], ("SHA-256", SHA256, "HASH")),
        (
            ["HASH SHA-1*;SHA-256"],
            [on("OPTS HASH SHA-256", "200 SHA-256"), on("HASH f", f"213 SHA-256 0-5 {SHA256} f")],
            ("SHA-256", SHA256, "HASH"),
        ),
        (
            ["HASH SHA-1*;SHA-256"],
            [on("OPTS HASH SHA-256", "501 no"), on("HASH f", f"213 SHA-1 0-5 {SHA1.upper()} f")],
            ("SHA-1", SHA1, "HASH"),
        ),
        (["XMD5", "XSHA1"], [on("XSHA1 f", f"250 {SHA1}")], ("SHA-1", SHA1, "XSHA1")),
        (["XMD5"], [on("XMD5 f", f"250 {MD5.upper()}")], ("MD5", MD5, "XMD5")),
        (["XCRC"], [on("XCRC f", f"250 {CRC}")], ("CRC32", CRC.lower().rjust(8, "0"), "XCRC")),
        (["XCRC", "XSHA256"], [on("XSHA256 f", "250 done"), on("XCRC f", "550 no")], None),
        (["HASH WHIRLPOOL*"], [], None),
        (["HASH MD5*", "XCRC"], [on("HASH f", "213 what?"), on("XCRC f", "500 what?")], None),
        (["HASH MD5*"], [on("HASH f", f"213 MD5 3-5 {MD5} f")], None),
        (["HASH MD5*"], [on("HASH f", "213 SHA3 0-5 00 f")], None),
        (["SIZE"], [], None),
    ],
)
def test_hash_then_x_commands(offer: list[str], steps: list[Step], expected: tuple[str, ...] | None) -> None:
    with session(TYPE_I, *steps, features=features(*offer)) as s:
        assert s.ftp.checksum("f") == expected


def test_algorithm_is_chosen_once() -> None:
    told = on("HASH f", f"213 SHA-256 0-5 {SHA256} f")
    steps = (TYPE_I, on("OPTS HASH SHA-256", "200 SHA-256"), told, told)
    with session(*steps, features=features("HASH MD5*;SHA-256")) as s:
        assert s.ftp.checksum("f") == s.ftp.checksum("f")


VERIFIED = [
    (["HASH SHA-256*"], on("HASH f", f"213 SHA-256 0-5 {SHA256} f"), "HASH SHA-256"),
    (["XCRC"], on("XCRC f", f"250 {CRC}"), "XCRC"),
    (["XCRC"], on("XCRC f", "550 not now"), "SIZE"),
    ([], None, "SIZE"),
]


@pytest.mark.parametrize(("offer", "step", "how"), VERIFIED)
def test_download_is_verified_before_it_takes_its_name(
    tmp_path: Path, offer: list[str], step: Step | None, how: str
) -> None:
    asked = [step] if step is not None else []
    steps = (TYPE_I, SIZE, EPSV, RETR, *asked, *([SIZE] if how == "SIZE" else []))
    with session(*steps, features=features(*offer, "SIZE")) as s:
        assert s.ftp.download("f", tmp_path / "f", verify=True).verified == how
    assert (tmp_path / "f").read_bytes() == OCTETS


@pytest.mark.parametrize(("offer", "step", "how"), VERIFIED)
def test_upload_is_verified(tmp_path: Path, offer: list[str], step: Step | None, how: str) -> None:
    (tmp_path / "f").write_bytes(OCTETS)
    asked = [step] if step is not None else []
    for source in (tmp_path / "f", io.BytesIO(OCTETS)):
        steps = (TYPE_I, EPSV, STOR, *asked, *([SIZE] if how == "SIZE" else []))
        with session(*steps, features=features(*offer, "SIZE")) as s:
            assert s.ftp.upload(source, "f", verify=True).verified == how
            assert s.play.stored == OCTETS


def test_download_that_differs_is_neither_kept_nor_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"older")
    wrong = on("XMD5 f", f"250 {'0' * 32}")
    with (
        session(TYPE_I, SIZE, EPSV, RETR, wrong, features=features("XMD5")) as s,
        pytest.raises(TransferError, match=r"MD5 differs.*transfer it again"),
    ):
        s.ftp.download("f", tmp_path / "f", verify=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"older")]


def test_upload_that_differs_is_an_error() -> None:
    with (
        session(TYPE_I, EPSV, STOR, on("SIZE f", "213 5")) as s,
        pytest.raises(TransferError, match="5 bytes on the server and 6 here"),
    ):
        s.ftp.upload(io.BytesIO(OCTETS), "f", verify=True)


def test_server_that_tells_nothing_cannot_be_held_against_anything() -> None:
    with (
        session(TYPE_I, EPSV, STOR, on("SIZE f", "500 what?")) as s,
        pytest.raises(TransferError, match="neither a hash nor the size"),
    ):
        s.ftp.upload(io.BytesIO(OCTETS), "f", verify=True)


NONE_YET = on("SIZE f", "550 no such file")


def test_stream_is_held_against_the_size_only() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with session(TYPE_I, NONE_YET, EPSV, STOR, SIZE, SIZE, EPSV, RETR, SIZE, features=features("XMD5")) as s:
        assert s.ftp.upload(Pipe(OCTETS), "f", verify=True).verified == "SIZE"
        assert s.ftp.download("f", io.BytesIO(), verify=True).verified == "SIZE"


def test_resumed_and_complete_files_are_verified_as_a_whole(tmp_path: Path) -> None:
    before = on("MDTM f", "213 20200101000000")
    told = on("XMD5 f", f"250 {MD5}")
    (tmp_path / "f.part").write_bytes(OCTETS[:3])
    rest = on("RETR f", "150 go", data(OCTETS[3:]), "226 done")
    steps = (TYPE_I, SIZE, before, EPSV, on("REST 3", "350 ok"), rest, told, SIZE, before, told)
    with session(*steps, features=features("XMD5")) as s:
        for size in (3, 0):
            result = s.ftp.download("f", tmp_path / "f", resume=True, verify=True)
            assert (result.size, result.verified) == (size, "XMD5")
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_complete_file_that_differs_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(OCTETS)
    steps = (TYPE_I, SIZE, on("MDTM f", "213 20200101000000"), on("XMD5 f", f"250 {'0' * 32}"))
    with session(*steps, features=features("XMD5")) as s, pytest.raises(TransferError):
        s.ftp.download("f", tmp_path / "f", resume=True, verify=True)
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_text_cannot_be_verified(tmp_path: Path) -> None:
    with session() as s:
        with pytest.raises(ValueError, match="line ends"):
            s.ftp.download("f", tmp_path / "f", text=True, verify=True)
        with pytest.raises(ValueError, match="line ends"):
            s.ftp.upload(io.BytesIO(), "f", text=True, verify=True)
