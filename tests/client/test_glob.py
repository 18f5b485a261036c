"""Names by pattern."""

from __future__ import annotations

import pytest

from fairlead.errors import NoSuchName, PermanentError
from fairlead.proto.entry import Kind
from tests.client.script import Step, data, door, on, session

MLSD = (on("FEAT", "211-Features:\r\n MLST type*;\r\n211 End"),)
NO_MLST = (on("FEAT", "211-Features:\r\n SIZE\r\n211 End"),)


def listing(path: str, *names: str) -> list[Step]:
    """A directory; the names of directories end with a slash."""
    lines = [f"type={'dir' if name.endswith('/') else 'file'}; {name.removesuffix('/')}\r\n" for name in names]
    command = f"MLSD {path}" if path else "MLSD"
    sent = data("".join(lines).encode("utf-8", "surrogateescape"))
    return [on("EPSV", door(5001), "229 ok (|||5001|)"), on(command, "150 go", sent, "226 done")]


@pytest.mark.parametrize(
    ("pattern", "steps", "found"),
    [
        ("*.txt", listing("", "b.txt", "a.txt", "c.bin", ".x.txt"), ["a.txt", "b.txt"]),
        (".*", listing("", ".a", "b"), [".a"]),
        ("[ab]?", listing("", "a1", "b2", "c3", "a", "caf\udce9"), ["a1", "b2"]),
        ("caf?", listing("", "caf\udce9"), ["caf\udce9"]),
        ("/*", listing("/", "a", "d/"), ["/a", "/d"]),
        ("/pub/*", listing("/pub", "a"), ["/pub/a"]),
        ("d*/x", [*listing("", "d1/", "d2/", "d3"), *listing("d1", "x", "y"), *listing("d2")], ["d1/x"]),
        ("[*]", listing("", "*", "a"), ["*"]),
        ("name", listing("", "name", "other"), ["name"]),
        ("*", listing("", "A"), ["A"]),
        ("a*", listing("", "A"), []),
        (
            "**/x",
            [*listing("", "d/", ".h/", "x"), *listing("d", "e/", "x"), *listing("d/e", "x")],
            ["d/e/x", "d/x", "x"],
        ),
        ("/**/x", [*listing("/", "d/"), *listing("/d", "x")], ["/d/x"]),
        (
            "*/d/x",
            [*listing("", "a/", "b/"), *listing("a", "d/"), *listing("b", "e/"), *listing("a/d", "x")],
            ["a/d/x"],
        ),
    ],
)
def test_patterns_match_segment_by_segment(pattern: str, steps: list[Step], found: list[str]) -> None:
    with session(*steps, features=MLSD) as s:
        assert [entry.name for entry in s.ftp.glob(pattern)] == found


@pytest.mark.req("C-SEC-NAME-1")
def test_names_that_lead_elsewhere_match_nothing() -> None:
    with session(*listing("d", "../x", "/etc/passwd", "a/b", "..", "good"), features=MLSD) as s:
        assert [entry.name for entry in s.ftp.glob("d/*")] == ["d/good"]


def test_directory_that_is_not_there() -> None:
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("MLSD none", "550 no"))
    with session(*steps, features=MLSD) as s, pytest.raises(PermanentError):
        s.ftp.glob("none/*")


def listed(path: str, octets: bytes) -> tuple[Step, ...]:
    return (
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on(f"LIST {path}".rstrip(), "150 go", data(octets), "226 done"),
    )


@pytest.mark.parametrize(("path", "place"), [("f", ""), ("pub/f", "pub"), ("/f", "/"), ("/pub/f", "/pub")])
def test_facts_come_from_the_listing_where_there_is_no_mlst(path: str, place: str) -> None:
    line = b"-rw-r--r-- 1 me us 6 Jan 1 2024 f\r\n"
    with session(*listed(place, b"total 1\r\n" + line), features=NO_MLST) as s:
        entry = s.ftp.stat(path)
    assert (entry.name, entry.size, entry.kind) == (path, 6, Kind.FILE)


def test_name_that_is_not_listed() -> None:
    with (
        session(on("MLST f", "502 no"), *listed("", b"")) as s,
        pytest.raises(NoSuchName, match="lists no f; check the path"),
    ):
        s.ftp.stat("f")


@pytest.mark.parametrize("path", ["", "/", ".", "a/.."])
def test_directories_without_a_name_need_no_listing(path: str) -> None:
    with session(features=NO_MLST) as s:
        assert s.ftp.stat(path).kind is Kind.DIRECTORY
