from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairlead.cli.options import file_url
from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.client.script import Step, data, later, on

Against = Callable[..., Terminal]
FETCH = (TYPE_I, on("SIZE big.bin", "213 6"), EPSV, on("RETR big.bin", "150 go", data(b"octets"), "226 done"))


@pytest.mark.req("U-1738-1", "U-1738-2")
def test_get_takes_the_files_own_name(against: Against) -> None:
    server = against(*IN, on("CWD a b", "250 ok"), *FETCH)
    assert server.run("get", f"{URL}/a%20b/big.bin") == 0
    assert Path("big.bin").read_bytes() == b"octets"
    assert (server.out, server.err) == (b"", "")


@pytest.mark.parametrize("output", ["other", "folder", "folder/", "folder/other"])
def test_get_into_a_file_or_a_directory(against: Against, output: str) -> None:
    server = against(*IN, *FETCH)
    Path("folder").mkdir()
    assert server.run("get", "-o", output, f"{URL}/big.bin") == 0
    target = Path(output) / "big.bin" if output.strip("/") == "folder" else Path(output)
    assert target.read_bytes() == b"octets"


def test_get_to_standard_output(against: Against) -> None:
    server = against(*IN, *FETCH)
    assert server.run("get", "-o", "-", f"{URL}/big.bin") == 0
    assert server.out == b"octets"


def test_get_several(against: Against) -> None:
    second = (TYPE_I, on("SIZE b", "213 1"), EPSV, on("RETR b", "150 go", data(b"b"), "226 done"))
    server = against(*IN, *FETCH, *IN, *second)
    assert server.run("get", f"{URL}/big.bin", f"{URL}/b") == 0
    assert Path("b").read_bytes() == b"b"


def test_get_resumes(against: Against) -> None:
    server = against(
        *IN,
        TYPE_I,
        on("SIZE big.bin", "213 6"),
        on("MDTM big.bin", "213 20200101000000"),
        EPSV,
        on("REST 3", "350 ok"),
        on("RETR big.bin", "150 go", data(b"ets"), "226 done"),
    )
    Path("big.bin.part").write_bytes(b"oct")
    assert server.run("get", "--resume", f"{URL}/big.bin") == 0
    assert Path("big.bin").read_bytes() == b"octets"


@pytest.mark.req("U-1738-2", "U-1738-3")
@pytest.mark.parametrize(
    ("path", "directories"),
    [("/%2Fetc/motd", ["/etc"]), ("/a/b/motd", ["a", "b"]), ("/a//motd", ["a"]), ("/motd", []), ("/%2F/motd", ["/"])],
)
def test_each_segment_is_a_directory_to_enter_and_the_last_one_the_file(
    against: Against, path: str, directories: list[str]
) -> None:
    entered = [on(f"CWD {directory}", "250 ok") for directory in directories]
    fetch = (TYPE_I, on("SIZE motd", "213 6"), EPSV, on("RETR motd", "150 go", data(b"octets"), "226 done"))
    assert against(*IN, *entered, *fetch).run("get", f"{URL}{path}") == 0
    assert Path("motd").read_bytes() == b"octets"


@pytest.mark.req("U-1738-4")
def test_type_of_the_url_decides_on_line_ends(against: Against) -> None:
    server = against(*IN, EPSV, on("RETR t", "150 go", data(b"a\r\nb\r\n"), "226 done"))
    assert server.run("get", f"{URL}/t;type=a") == 0
    assert Path("t").read_bytes() == b"a\nb\n"


@pytest.mark.parametrize(("path", "name"), [("%2Fetc%2Fpasswd", "passwd"), ("%2E%2E%2Fx", "x")])
def test_name_of_a_url_leads_nowhere_else(against: Against, path: str, name: str) -> None:
    remote = path.replace("%2F", "/").replace("%2E", ".")
    steps = (TYPE_I, on(f"SIZE {remote}", "213 1"), EPSV, on(f"RETR {remote}", "150 go", data(b"x"), "226 done"))
    server = against(*IN, *steps)
    assert server.run("get", f"{URL}/{path}") == 0
    assert os.listdir() == [name]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([f"{URL}/pub/"], "names a directory"),
        (["-o", "none/", f"{URL}/f"], "make it first"),
        (["-o", "none/f", f"{URL}/f"], "make it first"),
        (["-o", "file", f"{URL}/f", f"{URL}/g"], "several files"),
        ([f"{URL}/x%2F"], "gives the file no name"),
        ([], "required"),
    ],
)
def test_get_in_vain(against: Against, arguments: list[str], said: str) -> None:
    server = against()
    assert server.run("get", *arguments) == 2
    assert said in server.err
    assert "secret" not in server.err


@pytest.mark.req("C-HASH-1", "C-MFXX-1")
def test_get_verifies_and_keeps_the_time(against: Against) -> None:
    stamp = on("MDTM big.bin", "213 20200102030405")
    server = against(*IN, *FETCH, on("SIZE big.bin", "213 6"), stamp)
    assert server.run("get", "--verify", "--times", f"{URL}/big.bin") == 0
    assert Path("big.bin").stat().st_mtime == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("option", ["--verify", "--resume"])
def test_line_ends_fit_no_option_that_counts_octets(against: Against, option: str) -> None:
    Path("f").write_bytes(b"octets")
    assert against(*IN).run("get", option, f"{URL}/f;type=a") == 2
    server = against(*IN)
    assert server.run("put", option, "f", f"{URL}/f;type=a") == 2
    assert "leave ;type=a out" in server.err


def test_get_of_what_is_not_there(against: Against) -> None:
    server = against(*IN, TYPE_I, on("SIZE f", "550 no"), EPSV, on("RETR f", "550 no such file"))
    assert server.run("get", f"{URL}/f") == 1
    assert "550 no such file" in server.err
    assert os.listdir() == []


@pytest.mark.req("C-959-XFER-1")
def test_get_cut_short_fails_and_says_how_to_go_on(against: Against) -> None:
    server = against(
        *IN, TYPE_I, on("SIZE f", "213 6"), EPSV, on("RETR f", "150 go", data(b"oct"), later(1, "426 lost you"))
    )
    assert server.run("get", "--retries", "0", f"{URL}/f") == 1
    assert "resume" in server.err
    assert os.listdir() == ["f.part"]


def test_get_tries_again_and_shows_it(against: Against) -> None:
    cut = on("RETR big.bin", "150 go", data(b"oct"), "226 done")
    size, rest = on("SIZE big.bin", "213 6"), on("RETR big.bin", "150 go", data(b"ets"), "226 done")
    old = on("MDTM big.bin", "213 20200101000000")
    server = against(*IN, TYPE_I, size, EPSV, cut, size, old, EPSV, on("REST 3", "350 ok"), rest)
    assert server.run("get", "-d", f"{URL}/big.bin") == 0
    assert Path("big.bin").read_bytes() == b"octets"
    assert "STATUS  trying again in 750 ms (1 of 3): big.bin is cut short" in server.err


@pytest.mark.parametrize("text", ["-1", "x", "1.5"])
def test_retries_are_a_number(against: Against, text: str) -> None:
    server = against()
    assert server.run("get", f"--retries={text}", URL) == 2
    assert "is no number" in server.err


def test_get_where_nothing_can_be_written(against: Against) -> None:
    Path("big.bin.part").mkdir()
    server = against(*IN, TYPE_I, on("SIZE big.bin", "213 6"), EPSV)
    assert server.run("get", f"{URL}/big.bin") == 1
    assert server.err.startswith("fairlead: ")
    assert server.err.endswith("big.bin.part: Is a directory; choose another name\n")


def test_cat_is_octet_for_octet(against: Against) -> None:
    octets = bytes(range(256)) + b"\r\n\n"
    steps = (TYPE_I, on("SIZE f", f"213 {len(octets)}"), EPSV, on("RETR f", "150 go", data(octets), "226 done"))
    server = against(*IN, *steps)
    assert server.run("cat", f"{URL}/f") == 0
    assert server.out == octets


def test_cat_of_several(against: Against) -> None:
    def fetch(name: str) -> list[Step]:
        retr = on(f"RETR {name}", "150 go", data(name.encode()), "226 done")
        return [*IN, TYPE_I, on(f"SIZE {name}", "213 1"), EPSV, retr]

    server = against(*fetch("a"), *fetch("b"))
    assert server.run("cat", f"{URL}/a", f"{URL}/b") == 0
    assert server.out == b"ab"


def test_bar_on_a_terminal_only(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    server = against(*IN, *FETCH)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert server.run("get", f"{URL}/big.bin") == 0
    assert "big.bin" in server.err
    assert "6/6 bytes" in server.err


def test_file_url_shows_no_password() -> None:
    with pytest.raises(Exception, match=r"\*\*\*") as caught:
        file_url(f"{URL}/pub/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-1", "x", "65"])
def test_number_of_sessions_is_a_number(against: Against, text: str) -> None:
    server = against()
    assert server.run("get", f"--parallel={text}", f"{URL}/f") == 2
    assert "is no number of sessions" in server.err
