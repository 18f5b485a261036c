"""XCRC, XMD5, XSHA and their kin, MD5 and MMD5."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import pytest

from fairlead.errors import Busy
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running
from tests.server.test_hash import session_of

DATA = bytes(range(256)) * 5


def expected(verb: str, data: bytes) -> str:
    if verb == "XCRC":
        return f"{zlib.crc32(data):08X}"
    name = {"XMD5": "md5", "XSHA": "sha1", "XSHA1": "sha1", "XSHA256": "sha256", "XSHA512": "sha512"}[verb]
    return hashlib.new(name, data).hexdigest().upper()


VERBS = ["XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512"]


@pytest.mark.req("S-CKSM-1")
def test_the_features_are_listed(control: Control) -> None:
    lines = control.ask("FEAT").lines
    for verb in VERBS:
        assert f" {verb} filename;start;end" in lines
    assert " MD5" in lines
    assert " MMD5" in lines


@pytest.mark.req("S-CKSM-1")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("argument", "octets"),
    [
        ("file", DATA),
        ('"file"', DATA),
        ("/file", DATA),
        ("file 0", DATA),
        ("file 100", DATA[100:]),
        ("file 0 100", DATA[:100]),
        ('"file" 3 5', DATA[3:5]),
        (f'"/file" 0 {len(DATA)}', DATA),
        ("file 0 0", b""),
        ("file 7 7", b""),
    ],
)
def test_a_checksum(control: Control, root: Path, verb: str, argument: str, octets: bytes) -> None:
    (root / "file").write_bytes(DATA)
    reply = control.ask(f"{verb} {argument}")
    assert (reply.code, reply.text) == (250, expected(verb, octets))


@pytest.mark.req("S-CKSM-1")
@pytest.mark.parametrize(
    ("name", "argument", "octets"),
    [
        ("my file", "my file", DATA),
        ("my file", '"my file"', DATA),
        ("my file", "my file 0 5", DATA[:5]),
        ("my file", '"my file" 0 5', DATA[:5]),
        ("file 5", "file 5", DATA),
        ("file 5", "file 5 6", DATA[6:]),
        ("file 5 6", "file 5 6 7 8", DATA[7:8]),
        ("5", "5", DATA),
        ("5", "5 6", DATA[6:]),
        ('a"b', '"a""b"', DATA),
        ("a\udcff", b"a\xff\xff", DATA),
    ],
)
def test_names_with_spaces_and_numbers(
    control: Control, root: Path, name: str, argument: str | bytes, octets: bytes
) -> None:
    (root / name).write_bytes(DATA)
    control.send(b"XCRC " + (argument if isinstance(argument, bytes) else argument.encode()))
    assert control.read().text == expected("XCRC", octets)


@pytest.mark.req("S-CKSM-1", "S-ERR-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("none", 550),
        ("none 0 5", 550),
        ("directory", 550),
        ("file 5 4", 501),
        (f"file 0 {len(DATA) + 1}", 550),
        (f"file {len(DATA) + 1}", 550),
        ("file 99999999999999999999999999 999999999999999999999999999999", 550),
        ('"file', 501),
        ('"file" a', 501),
        ('"file" 1 2 3', 501),
        ('"file" -1', 501),
        ("file 1 2 3", 550),
        ('""', 550),
    ],
)
def test_what_has_no_checksum(control: Control, root: Path, argument: str, code: int) -> None:
    (root / "file").write_bytes(DATA)
    (root / "directory").mkdir()
    for verb in VERBS:
        assert control.ask(f"{verb} {argument}").code == code


class Occupied(MemoryStorage):
    def open(self, path: str, *, owner: str | None = None) -> None:  # type: ignore[override]
        raise Busy(path)


@pytest.mark.req("S-CKSM-1")
def test_a_busy_file_may_be_asked_for_again() -> None:
    with session_of(Occupied()) as control:
        assert control.codes("XCRC file", "MD5 file") == [450, 450]


@pytest.mark.req("S-CKSM-2")
def test_the_md5_of_a_file(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    (root / "my file").write_bytes(b"1")
    digest = hashlib.md5(DATA).hexdigest()
    reply = control.ask("MD5 file")
    assert (reply.code, reply.text) == (251, f"file {digest}")
    assert control.ask("MD5 my file").text == f'"my file" {hashlib.md5(b"1").hexdigest()}'


@pytest.mark.req("S-CKSM-2")
def test_the_md5_of_several_files(control: Control, root: Path) -> None:
    for name in ("a", "b c", "d,e"):
        (root / name).write_bytes(name.encode())
    a, b, d = (hashlib.md5(name).hexdigest() for name in (b"a", b"b c", b"d,e"))
    reply = control.ask('MMD5 a, b c,"d,e"')
    assert (reply.code, reply.text) == (252, f'a {a}, "b c" {b}, d,e {d}')
    assert control.ask("MMD5 a").text == f"a {a}"


@pytest.mark.req("S-CKSM-2")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MD5", 501),
        ("MMD5", 501),
        ("MD5 none", 550),
        ("MD5 directory", 504),
        ("MMD5 file, directory", 504),
        ("MMD5 file, none", 550),
        ("MMD5 file,", 501),
        ("MMD5 ,file", 501),
        ('MMD5 "file', 501),
        ("MMD5 " + "file," * 100 + "file", 501),
    ],
)
def test_what_has_no_md5(control: Control, root: Path, line: str, code: int) -> None:
    (root / "file").write_bytes(DATA)
    (root / "directory").mkdir()
    assert control.ask(line).code == code


@pytest.mark.req("S-959-AUTHZ-1")
def test_checksums_need_a_login(running: Running, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    with running.connect() as control:
        assert control.codes("XCRC file", "MD5 file", "MMD5 file") == [530] * 3


def test_links_are_followed_within_the_root_only(control: Control, root: Path) -> None:
    (root.parent / "secret").write_bytes(DATA)
    os.symlink("../secret", root / "out")
    assert control.codes("XCRC out", "HASH out", "MD5 out") == [550, 552, 550]
