from __future__ import annotations

import io
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.client.script import LOGIN, door, on, take

Against = Callable[..., Terminal]


@pytest.fixture
def file(against: Against) -> Path:  # noqa: ARG001 - it goes to another directory first
    path = Path("report.pdf")
    path.write_bytes(b"octets")
    return path


@pytest.mark.parametrize(
    ("path", "directories", "name"),
    [
        ("/in/", ["in"], "report.pdf"),
        ("/in/other.pdf", ["in"], "other.pdf"),
        ("/", [], "report.pdf"),
        ("", [], "report.pdf"),
        ("/%2Fsrv/x/y", ["/srv", "x"], "y"),
    ],
)
@pytest.mark.req("U-1738-2")
def test_put_into_a_directory_or_under_a_name(
    against: Against, file: Path, path: str, directories: list[str], name: str
) -> None:
    entered = [on(f"CWD {directory}", "250 ok") for directory in directories]
    server = against(*IN, *entered, TYPE_I, EPSV, on(f"STOR {name}", "150 go", take("226 done")))
    assert server.run("put", str(file), f"{URL}{path}") == 0
    assert server.play.stored == b"octets"
    assert (server.out, server.err) == (b"", "")


def test_put_several_in_one_session(against: Against, file: Path) -> None:
    Path("b").write_bytes(b"more")
    second = (on("EPSV", door(5002), "229 ok (|||5002|)"), on("STOR b", "150 go", take("226 done")))
    server = against(*IN, TYPE_I, EPSV, on("STOR report.pdf", "150 go", take("226 done")), *second)
    assert server.run("put", str(file), "b", f"{URL}/") == 0
    assert server.play.stored == b"octetsmore"


def test_put_resumes(against: Against, file: Path) -> None:
    server = against(
        *IN,
        TYPE_I,
        on("SIZE report.pdf", "213 3"),
        on("MDTM report.pdf", "213 20990101000000"),
        EPSV,
        on("REST 3", "350 ok"),
        on("STOR report.pdf", "150 go", take("226 done")),
        on("SIZE report.pdf", "213 6"),
    )
    assert server.run("put", "--resume", str(file), f"{URL}/") == 0
    assert server.play.stored == b"ets"


def test_put_from_standard_input(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"piped"), isatty=lambda: False))
    server = against(*IN, TYPE_I, EPSV, on("STOR f", "150 go", take("226 done")))
    assert server.run("put", "-", f"{URL}/f") == 0
    assert server.play.stored == b"piped"


@pytest.mark.req("U-1738-4")
def test_type_of_the_url_decides_on_line_ends(against: Against, file: Path) -> None:
    file.write_bytes(b"a\nb\n")
    server = against(*IN, EPSV, on("STOR t", "150 go", take("226 done")))
    assert server.run("put", str(file), f"{URL}/t;type=a") == 0
    assert server.play.stored == b"a\r\nb\r\n"


@pytest.mark.parametrize(
    ("files", "url", "code", "said"),
    [
        (["none"], f"{URL}/", 1, "none: No such file"),
        (["report.pdf", "none"], f"{URL}/", 1, "none: No such file"),
        (["report.pdf", "report.pdf"], f"{URL}/x", 2, "end ftp://me:***@192.0.2.90/x with /"),
        (["-"], f"{URL}/", 2, "standard input has no name"),
        (["."], f"{URL}/x", 2, "is a directory"),
    ],
)
def test_put_in_vain_sends_nothing(
    against: Against, file: Path, files: list[str], url: str, code: int, said: str
) -> None:
    assert file.exists()
    server = against()
    assert server.run("put", *files, url) == code
    assert said in server.err
    assert server.play.heard == []


@pytest.mark.req("C-HASH-1", "C-MFXX-1")
def test_put_verifies_and_keeps_the_time(against: Against, file: Path) -> None:
    os.utime(file, (1, 1_577_934_245))
    offer = on("FEAT", "211-Features:\r\n MFMT\r\n XCRC\r\n211 End")
    checked = on("XCRC report.pdf", f"250 {zlib.crc32(file.read_bytes()):08X}")
    timed = on("MFMT 20200102030405 report.pdf", "213 Modify=20200102030405; report.pdf")
    steps = (TYPE_I, EPSV, on("STOR report.pdf", "150 go", take("226 done")), checked, timed)
    assert against(*LOGIN, offer, *steps).run("put", "--verify", "--times", str(file), f"{URL}/") == 0


def test_put_that_is_refused(against: Against, file: Path) -> None:
    server = against(*IN, TYPE_I, EPSV, on("STOR report.pdf", "553 not here."))
    assert server.run("put", str(file), f"{URL}/") == 1
    assert server.err == (
        "fairlead: the server answered 'STOR report.pdf' with: 553 not here; "
        "check the path and what you are allowed to do there\n"
    )
