"""Representations beside the plain ones, as far as programs of others know them: mode Z by lftp."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.interop.matrix import CONTENTS, HOSTS
from tests.peers.clients import Lftp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.fairlead import Fairlead

LFTP = Lftp()
TEXT = b"".join(b"line %d of a text that can be compressed\n" % number for number in range(50_000))


def session(own: Fairlead, tmp_path: Path, commands: bytes, *, settings: bytes = b"") -> list[str]:
    """Run lftp with mode Z switched on; what it sent."""
    protocol = tmp_path / "protocol"
    opening = b'debug -o %s 9; set ftp:use-mode-z yes; set ftp:compressed-re "\\.packed$"; ' % bytes(protocol)
    LFTP.script(own.at(HOSTS["v4"]), "epsv", opening + settings + commands)
    return re.findall(r"^---> (.*?)\r?$", protocol.read_text(errors="replace"), re.MULTILINE)


@pytest.mark.req("S-ZLIB-1", "S-ZLIB-3")
@pytest.mark.parametrize("title", [*CONTENTS, "text"])
def test_lftp_fetches_and_stores_in_mode_z(own: Fairlead, tmp_path: Path, title: str) -> None:
    content = {**CONTENTS, "text": TEXT}[title]
    (tmp_path / "source").write_bytes(content)
    began = own.now()

    sent = session(own, tmp_path, b"put %s/source -o file; get file -o %s/back" % ((bytes(tmp_path),) * 2))

    assert "MODE Z" in sent
    assert (own.root / "file").read_bytes() == content
    assert (tmp_path / "back").read_bytes() == content
    moved = [record["size"] for record in own.wait_for("transfer", 2, since=began)]
    assert max(moved) < len(TEXT) / 5 if title == "text" else max(moved) < len(content) + 2000


@pytest.mark.req("R-7", "S-ZLIB-3")
@pytest.mark.parametrize("facts", [b"yes", b"no"], ids=["MLSD", "LIST"])
def test_lftp_lists_in_mode_z(own: Fairlead, tmp_path: Path, facts: bytes) -> None:
    for number in range(200):
        (own.root / f"entry-{number}").write_bytes(b"x" * number)

    sent = session(
        own, tmp_path, b"mirror / %s/back; cls -1 > %s/names" % ((bytes(tmp_path),) * 2),
        settings=b"set ftp:use-mlsd %s; " % facts,
    )  # fmt: skip

    assert sent.count("MODE Z") >= 1
    assert sent.index("MODE Z") < sent.index("MLSD" if facts == b"yes" else "LIST")
    assert {path.name: path.stat().st_size for path in (tmp_path / "back").iterdir()} == {
        f"entry-{number}": number for number in range(200)
    }
    assert set((tmp_path / "names").read_text().split()) == {f"entry-{number}" for number in range(200)}


@pytest.mark.req("S-ZLIB-3", "S-3659-REST-3")
def test_lftp_goes_on_in_mode_z(own: Fairlead, tmp_path: Path) -> None:
    cut = 1_234_567
    (own.root / "down").write_bytes(TEXT)
    (own.root / "up").write_bytes(TEXT[:cut])
    (tmp_path / "down").write_bytes(TEXT[:cut])
    (tmp_path / "up").write_bytes(TEXT)

    place = bytes(tmp_path)
    sent = session(own, tmp_path, b"get -c down -o %s/down; put -c %s/up -o up" % (place, place))

    assert sent.count(f"REST {cut}") == 2
    assert (tmp_path / "down").read_bytes() == TEXT
    assert (own.root / "up").read_bytes() == TEXT


@pytest.mark.req("S-ZLIB-1")
def test_lftp_goes_back_and_forth_between_the_modes(own: Fairlead, tmp_path: Path) -> None:
    (own.root / "file").write_bytes(TEXT)
    (own.root / "file.packed").write_bytes(CONTENTS["3 MB"])

    place = bytes(tmp_path)
    sent = session(
        own, tmp_path, b"get file -o %s/1; get file.packed -o %s/2; get file -o %s/3" % (place, place, place)
    )

    assert [line for line in sent if line.startswith("MODE")] == ["MODE Z", "MODE S", "MODE Z"]
    assert [(tmp_path / number).read_bytes() for number in "123"] == [TEXT, CONTENTS["3 MB"], TEXT]
