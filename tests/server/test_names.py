"""Names of files: whatever octets they are made of, they come back the same (RFC 2640, RFC 3659 section 6)."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.accounts.memory import MemoryAccounts
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, serving

NAMES = [
    b"plain", b" leading", b"trailing ", b"   ", b"a  b", b"-dash", b"--", b"-la", b'"', b'say "hi"', b"'", b"a'b",
    b"\\", b"a\\b", b"*", b"?", b"[a]", b"{a,b}", b"~", b"~root", b"$HOME", b"`id`", b";", b"a;b=c; d", b"=", b"%2F",
    b"%00", b"#", b"&", b"|", b"!", b"()", b"<>", b"...", b".hidden", b"a.", b"con", b"\x01", b"\x1b[31m", b"\t",
    b"\x7f", b"tab\there", "é".encode(), "日本".encode(), "🙂".encode(), "\u202eevil".encode(), "\ufeffbom".encode(),
    "\u200b".encode(), b"\xe9", b"\xff", b"\xff\xff", b"\xff\xf4\xff\xf2", b"caf\xe9", b"\xc3", b"\xed\xa0\x80",
    b"\xf0\x9f\x98", b"\x80", b"x" * 255, "é".encode() * 127, b"226 done", b"-> target", b"a -> b", b"CON\xf2",
]  # fmt: skip
CONTROLS = bytes((*range(32), 127))


def on_the_wire(name: bytes) -> bytes:
    """The name as a client sends it: 255 doubled, NUL after CR (RFC 2640 section 3.1)."""
    return name.replace(b"\xff", b"\xff\xff").replace(b"\r", b"\r\0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Running]:
    """One server for many examples."""
    with (
        closing(LocalStorage(folder, durability="relaxed")) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running,
    ):
        yield running


def comes_and_goes(control: Control, folder: Path, name: bytes) -> None:
    """Have a file and a directory of this name stored, listed, renamed, fetched and removed."""
    wire = on_the_wire(name)
    local = os.fsencode(folder) + b"/" + name
    shown = name.translate(bytes.maketrans(CONTROLS, b"?" * len(CONTROLS)))
    assert control.store(b"STOR " + wire, b"content").code == 226
    assert os.listdir(os.fsencode(folder)) == [name]
    path = b"./" + wire
    assert control.ask(b"SIZE " + path).text == "7"
    assert control.ask(b"MDTM " + wire).code == 213
    assert control.fetch(b"RETR " + wire) == b"content"
    assert control.fetch("NLST") == shown + b"\r\n"
    assert control.fetch("LIST").endswith(b" " + shown + b"\r\n")
    if b"\r" in name:
        assert control.fetch("MLSD") == b""
    else:
        assert control.fetch("MLSD").partition(b" ")[2] == name + b"\r\n"
        assert control.fetch(b"NLST " + path) == b"./" + shown + b"\r\n"
    seen = len(control.raw)
    assert control.ask(b"MLST " + wire).lines[1].endswith(f" /{os.fsdecode(shown_in_reply(name))}")
    assert control.ask(b"STAT " + path).code == 213
    assert control.codes(b"RNFR " + wire, b"RNTO renamed", b"RNFR renamed", b"RNTO " + wire) == [350, 250, 350, 250]
    assert control.store(b"APPE " + wire, b" added").code == 226
    with open(local, "rb") as file:
        assert file.read() == b"content added"
    assert control.ask(b"SITE CHMOD 600 " + wire).code == 200
    changed = control.ask(b"MFMT 20200101000000 " + wire)
    assert changed.text.endswith(f"; {os.fsdecode(shown_in_reply(name))}")
    assert control.ask(b"DELE " + wire).code == 250
    made = control.ask(b"MKD " + wire)
    quoted = '"/' + os.fsdecode(shown_in_reply(name)).replace('"', '""') + '"'
    assert made.text.startswith(f"{quoted} ")
    assert control.ask(b"CWD /" + wire).code == 250
    assert control.ask("PWD").text.startswith(f"{quoted} ")
    assert control.codes("CDUP", b"RMD " + wire) == [250, 250]
    sent = bytes(control.raw[seen:])
    assert b"\r" not in sent.replace(b"\r\n", b"").replace(b"\r\0", b"")
    assert os.listdir(folder) == []


def shown_in_reply(name: bytes) -> bytes:
    """The name as a reply tells it: control characters that could do harm are not sent; a tab and CR NUL are."""
    harmful = CONTROLS.translate(None, b"\t\r")
    return name.translate(bytes.maketrans(harmful, b"?" * len(harmful)))


@pytest.mark.req(
    "S-2640-UTF-1", "S-2640-UTF-2", "S-2640-SP-5", "S-3659-TEL-3", "S-2640-TEL-4", "S-959-PWD-1", "S-959-MKD-1",
    "S-3659-TVFS-1", "S-DF-LIST-4", "S-DF-LIST-12",
)  # fmt: skip
@pytest.mark.parametrize("name", [*NAMES, b"cr\rinside", b"\r", b"ends in\r", b"\r226 done"])
def test_a_name_comes_back_as_it_was_given(shared: Running, folder: Path, name: bytes) -> None:
    with shared.login() as control:
        comes_and_goes(control, folder, name)


@pytest.mark.req("S-2640-UTF-2", "S-3659-TEL-3", "S-2640-TEL-4")
@settings(max_examples=40, deadline=None)
@given(
    name=st.binary(min_size=1, max_size=40).filter(
        lambda name: not set(name) & set(b"/\0\n") and name not in {b".", b".."}
    )
)
def test_any_octets_make_a_name(shared: Running, folder: Path, name: bytes) -> None:
    with shared.login() as control:
        comes_and_goes(control, folder, name)


@pytest.mark.req("S-2640-UTF-3")
@pytest.mark.parametrize("text", ["é", "Å", "ﬁ", "ﷺ", "가", "Ǆ"])
def test_no_form_of_a_text_is_taken_for_another(control: Control, root: Path, text: str) -> None:
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")} | {
        text.upper(),
        text.lower(),
    }
    for form in forms:
        assert control.store(f"STOR {form}", form.encode()).code == 226
    assert set(os.listdir(root)) == forms
    for form in forms:
        assert control.fetch(f"RETR {form}") == form.encode()
    assert set(control.fetch("NLST").decode().split("\r\n")[:-1]) == forms


@pytest.mark.req("S-GEN-6", "S-SEC-6")
@pytest.mark.parametrize("name", [b"a\0b", b"a\0", b"\0", b"a\r\0\nb", b"a\r\0\n"])
@pytest.mark.parametrize(
    "verb",
    [b"STOR", b"APPE", b"MKD", b"CWD", b"RETR", b"DELE", b"RMD", b"RNFR", b"SIZE", b"MDTM", b"MLST", b"MLSD", b"LIST",
     b"NLST", b"STAT", b"SITE CHMOD 600", b"MFMT 20200101000000"],
)  # fmt: skip
def test_names_with_nul_or_a_line_end_never_reach_the_store(
    control: Control, root: Path, verb: bytes, name: bytes
) -> None:
    (root / "a").write_bytes(b"content")
    assert control.ask(verb + b" " + name).code in {501, 550, 553}
    assert [path.name for path in root.iterdir()] == ["a"]
    assert control.ask("NOOP").code == 200


@pytest.mark.req("S-GEN-6")
def test_a_nul_in_a_new_name_does_not_rename(control: Control, root: Path) -> None:
    (root / "a").touch()
    assert control.codes("RNFR a", b"RNTO b\0c") == [350, 501]
    assert os.listdir(root) == ["a"]


@pytest.mark.req("S-3659-TVFS-1")
def test_a_path_is_the_same_from_everywhere(control: Control, root: Path) -> None:
    (root / "one" / "two").mkdir(parents=True)
    (root / "one" / "two" / "file").write_bytes(b"content")
    for cwd, path in {
        "/": "one/two/file",
        "/one": "two/file",
        "/one/two": "file",
        "/one/": "/one/two/file",
    }.items():
        assert control.ask(f"CWD {cwd}").code == 250
        for written in (path, "/one/two/file", "//one///two/file", "/one/./two/../two/file", "/../../one/two/file"):
            assert control.fetch(f"RETR {written}") == b"content"


@pytest.mark.req("S-3659-TVFS-1")
def test_a_name_with_a_line_end_is_left_out_of_mlsd(control: Control, root: Path) -> None:
    for name in ("a\nb", "a\r\nb", "c\rd", "whole"):
        (root / name).touch()
    assert control.fetch("MLSD").count(b"\r\n") == 1
    assert control.fetch("MLSD").endswith(b" whole\r\n")


@pytest.mark.req("S-2640-UTF-1", "S-1123-STOU-1")
@pytest.mark.parametrize("hint", ["é", "日本", "🙂", 'say "hi"'])
def test_stou_tells_names_in_utf_8(control: Control, root: Path, hint: str) -> None:
    with control.open("EPSV") as data:
        name = control.ask(f"STOU {hint}").text.removeprefix("FILE: ")
        data.sendall(b"content")
    assert control.read().code == 226
    assert name.startswith(hint)
    assert os.listdir(root) == [name]
    assert control.fetch(f"RETR {name}") == b"content"
