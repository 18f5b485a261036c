"""Names that a server makes up."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.client.names import inside, local_name
from fairlead.errors import UnsafeName
from tests.client.script import data, door, on, session

pytestmark = pytest.mark.req("C-SEC-NAME-1")
LOST = ["", ".", "..", "/", "/etc/passwd", "../x", "a/../../x", "a/b", "x/", "nul\0", "..\0"]
LOST_ON_WINDOWS = [
    "C:", "C:x", "C:\\x", "\\x", "..\\x", "a\\b", "\\\\host\\share", "f:stream", "CON", "nul.txt", "COM1", "lpt9.log",
    "com¹", "aux .c", "x.", "x ", "...", "a\x1fb", "a?", "a*b", '"', "<", "|",
]  # fmt: skip


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("name", LOST)
def test_names_that_lead_elsewhere(tmp_path: Path, name: str, windows: bool) -> None:
    with pytest.raises(UnsafeName, match="would lead elsewhere"):
        local_name(name, windows=windows)
    with pytest.raises(UnsafeName):
        inside(tmp_path, name)


@pytest.mark.parametrize("name", LOST_ON_WINDOWS)
def test_names_that_lead_elsewhere_on_windows(name: str) -> None:
    with pytest.raises(UnsafeName):
        local_name(name, windows=True)
    assert local_name(name, windows=False) == name


@pytest.mark.parametrize("name", ["a", "..a", ".hidden", "a b", "caf\udce9", "日本", "console", "com", "-rf", "~"])
def test_all_others_stay_as_they_are(tmp_path: Path, name: str) -> None:
    assert local_name(name, windows=True) == local_name(name, windows=False) == name
    assert inside(tmp_path, name) == tmp_path / name


def test_download_into_a_directory_takes_the_files_own_name(tmp_path: Path) -> None:
    fetched = on("RETR /pub/a b", "150 go", data(b"octets"), "226 done")
    steps = (on("TYPE I", "200 ok"), on("SIZE /pub/a b", "213 6"), on("EPSV", door(5001), "229 ok (|||5001|)"), fetched)
    with session(*steps) as s:
        s.ftp.download("/pub/a b", tmp_path)
    assert (tmp_path / "a b").read_bytes() == b"octets"


@pytest.mark.parametrize("remote", ["..", "/pub/..", "pub/"])
def test_download_of_no_name_writes_nothing(tmp_path: Path, remote: str) -> None:
    with session() as s, pytest.raises(UnsafeName):
        s.ftp.download(remote, tmp_path)
    assert list(tmp_path.iterdir()) == []
