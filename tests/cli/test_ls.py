from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.session import EPSV, IN, URL, Terminal
from tests.client.script import HOST, LOGIN, WITH_MLST, data, on

Against = Callable[..., Terminal]
MLSD = b"type=file;size=5;modify=20200102030405;perm=r; b\r\ntype=dir;modify=20200102030405;perm=el; a \xff\x1b[2J\r\n"
UNIX = (
    b"drwxr-xr-x   2 me       staff        4096 Jan 05  2020 sub dir\r\n"
    b"-rw-r--r--   1 somebody us              5 Jan 02  2020 file\r\n"
    b"lrwxrwxrwx   1 me       us              6 Jan 02  2020 link -> target\r\n"
)


def test_table_of_a_unix_listing(against: Against) -> None:
    server = against(*IN, on("CWD pub", "250 ok"), EPSV, on("LIST", "150 go", data(UNIX), "226 done"))
    assert server.run("ls", f"{URL}/pub/") == 0
    assert server.out.decode().splitlines() == [
        "-rw-r--r-- somebody us       5 2020-01-02 00:00 file",
        "lrwxrwxrwx me       us       6 2020-01-02 00:00 link -> target",
        "drwxr-xr-x me       staff 4096 2020-01-05 00:00 sub dir",
    ]
    assert server.err == ""


def test_table_has_no_column_that_nobody_tells_and_no_control_characters(against: Against) -> None:
    server = against(*LOGIN, *WITH_MLST, EPSV, on("MLSD", "150 go", data(MLSD), "226 done"))
    assert server.run("ls", URL) == 0
    assert server.out == b"del   2020-01-02 03:04 a \xff?[2J\n-r  5 2020-01-02 03:04 b\n"


def test_json_has_every_fact(against: Against) -> None:
    server = against(*LOGIN, *WITH_MLST, EPSV, on("MLSD", "150 go", data(MLSD), "226 done"))
    assert server.run("ls", "--json", URL) == 0
    entries = json.loads(server.out)
    assert entries[1] == {
        "name": "b",
        "kind": "file",
        "size": 5,
        "modified": "2020-01-02T03:04:05+00:00",
        "created": None,
        "permissions": "r",
        "owner": None,
        "group": None,
        "target": None,
        "unique": None,
    }
    assert entries[0]["name"] == "a \udcff\x1b[2J"


def test_empty_directory(against: Against) -> None:
    server = against(*IN, EPSV, on("LIST", "150 go", data(b""), "226 done"))
    assert server.run("ls", URL) == 0
    assert server.out == b""


def test_directory_without_a_slash(against: Against) -> None:
    server = against(*IN, on("CWD pub", "250 ok"), EPSV, on("LIST", "150 go", data(UNIX), "226 done"))
    assert server.run("ls", f"{URL}/pub") == 0
    assert server.out.count(b"\n") == 3


def test_file_is_listed_itself(against: Against) -> None:
    server = against(
        *LOGIN,
        *WITH_MLST,
        on("CWD pub", "250 ok"),
        on("CWD b", "550 no directory"),
        on("MLST b", "250-\r\n type=file;size=5; /pub/b\r\n250 "),
    )
    assert server.run("ls", f"{URL}/pub/b") == 0
    assert server.out == b"- 5 b\n"


def test_file_is_listed_itself_without_mlst(against: Against) -> None:
    listing = b"-rw-r--r--   1 a        b               5 Jan 02  2020 b\r\n"
    server = against(*IN, on("CWD b", "550 no directory"), EPSV, on("LIST b", "150 go", data(listing), "226 done"))
    assert server.run("ls", f"{URL}/b") == 0
    assert server.out == b"-rw-r--r-- a b 5 2020-01-02 00:00 b\n"


def test_nothing_there(against: Against) -> None:
    server = against(*IN, on("CWD b", "550 no such thing."), EPSV, on("LIST b", "150 go", data(b""), "226 done"))
    assert server.run("ls", f"{URL}/b") == 1
    assert server.err == (
        "fairlead: the server answered 'CWD b' with: 550 no such thing; "
        "check the path and what you are allowed to do there\n"
    )


@pytest.mark.req("C-1123-UI-1")
def test_debug_shows_the_dialogue_without_the_password(against: Against) -> None:
    server = against(*IN, EPSV, on("LIST", "150 go", data(b""), "226-well\r\n226 done"))
    assert server.run("ls", "-d", URL) == 0
    assert server.err.splitlines() == [
        f"STATUS  calling {HOST}:21 from :34120 … connected in 3 ms",
        "220 ready",
        "---> FEAT",
        "502 not here",
        "---> AUTH TLS",
        "502 not here",
        "STATUS  the server offers no TLS: everything goes in clear",
        "---> USER me",
        "331 password?",
        "---> PASS ****",
        "230 welcome",
        "---> FEAT",
        "500 what?",
        "---> EPSV",
        "229 ok (|||5001|)",
        f"STATUS  calling {HOST}:5001 from :34121 … connected in 3 ms",
        "---> LIST",
        "150 go",
        "STATUS  data connection closed by the server: 0 bytes in 0.0 ms",
        "226-well",
        "226 done",
        "STATUS  remembering for this network: EPSV",
        "---> QUIT",
        "221 bye",
        "STATUS  control connection closed by us",
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://host/", "an FTP URL begins with"),
        ("ftp://host/a%0ab", "line end"),
        ("ftp://host:0/", "port"),
    ],
)
@pytest.mark.req("U-SEC-8")
def test_what_is_no_url(against: Against, url: str, said: str) -> None:
    server = against()
    assert server.run("ls", url) == 2
    assert said in server.err
    assert server.err.count("\n") == 1


@pytest.mark.req("U-1738-4")
def test_type_d_asks_for_names_only(against: Against) -> None:
    listing = (on("CWD pub", "250 ok"), EPSV, on("NLST", "150 go", data(b"b\r\na\x07\r\n"), "226 done"))
    server = against(*IN, *listing)
    assert server.run("ls", f"{URL}/pub;type=d") == 0
    assert server.out == b"a?\nb\n"
    server = against(*IN, *listing)
    assert server.run("ls", "--json", f"{URL}/pub;type=d") == 0
    assert json.loads(server.out) == ["a\x07", "b"]
