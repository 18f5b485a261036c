"""Trees on the server: walked through, made, removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fairlead import AsyncClient
from fairlead.client._walk import DEEPEST
from fairlead.errors import LimitError, PermanentError, ReplyError, UnsafeName
from fairlead.proto.entry import Kind
from fairlead.testing.peer import Peer, scripted
from tests.client.script import Action, Step, data, door, on, session
from tests.peers.embedded import Embedded

MLST = (on("FEAT", "211-Features:\r\n MLST type*;unique*;\r\n211 End"),)
NO_MLST = (on("FEAT", "211-Features:\r\n SIZE\r\n211 End"),)


def sent(*names: str) -> Action:
    """The names of directories end with a slash, those of links with ``@``; ``1=name`` has a unique fact."""
    lines = []
    for name in names:
        unique, _, plain = name.rpartition("=")
        kind = {"/": "dir", "@": "OS.unix=slink:x"}.get(name[-1], "file")
        lines.append(f"type={kind};{f'unique={unique};' if unique else ''} {plain.rstrip('/@') or plain}\r\n")
    return data("".join(lines).encode())


def listing(path: str, *names: str) -> tuple[Step, ...]:
    answer: tuple[Action, ...] = ("150 go", sent(*names), "226 done")
    return on("EPSV", door(5001), "229 ok (|||5001|)"), on(f"MLSD {path}".rstrip(), *answer)


def refused(path: str, reply: str) -> tuple[Step, ...]:
    return on("EPSV", door(5001), "229 ok (|||5001|)"), on(f"MLSD {path}", reply)


def facts(path: str, kind: str) -> Step:
    return on(f"MLST {path}", f"250-Listing\r\n type={kind}; {path}\r\n250 End")


def test_walk_goes_from_the_top_down_in_the_order_of_the_listing() -> None:
    steps = (
        *listing("/t", "b/", "f", "a/", "link@"),
        *listing("/t/b", "c/"),
        *listing("/t/b/c", "g"),
        *listing("/t/a"),
    )
    with session(*steps, features=MLST) as s:
        walked = [
            (path, [entry.name for entry in directories], [entry.name for entry in others])
            for path, directories, others in s.ftp.walk("/t")
        ]
    assert walked == [
        ("/t", ["b", "a"], ["f", "link"]),
        ("/t/b", ["c"], []),
        ("/t/b/c", [], ["g"]),
        ("/t/a", [], []),
    ]


@pytest.mark.parametrize(("top", "below"), [("", "a"), ("/", "/a"), ("x/", "x/a"), ("x", "x/a")])
def test_paths_of_a_walk_begin_with_what_was_given(top: str, below: str) -> None:
    with session(*listing(top, "a/"), *listing(below), features=MLST) as s:
        assert [here.path for here in s.ftp.walk(top)] == [top, below]


def test_directories_taken_out_are_left_out_and_the_order_is_the_callers() -> None:
    steps = (*listing("t", "a/", "b/", "c/"), *listing("t/c"), *listing("t/a"))
    with session(*steps, features=MLST) as s:
        walked = []
        for here in s.ftp.walk("t"):
            walked.append(here.path)
            here.directories[:] = [entry for entry in reversed(here.directories) if entry.name != "b"]
    assert walked == ["t", "t/c", "t/a"]


def test_session_is_free_while_a_walk_goes_on() -> None:
    steps = (*listing("t", "a/"), on("PWD", '257 "/"'), *listing("t/a"), on("PWD", '257 "/"'))
    with session(*steps, features=MLST) as s:
        assert [s.ftp.pwd() for _ in s.ftp.walk("t")] == ["/", "/"]


def test_directory_that_cannot_be_listed_ends_the_walk_or_is_told() -> None:
    errors: list[ReplyError] = []
    steps = (*listing("t", "a/", "b/"), *refused("t/a", "550 not yours"))
    with session(*steps, features=MLST) as s:
        walk = s.ftp.walk("t")
        assert next(walk).path == "t"
        with pytest.raises(PermanentError, match="550 not yours"):
            next(walk)
    with session(*steps, *listing("t/b"), features=MLST) as s:
        assert [here.path for here in s.ftp.walk("t", on_error=errors.append)] == ["t", "t/b"]
    assert [error.reply.text for error in errors] == ["not yours"]


def test_directory_that_is_one_of_those_above_is_not_walked_through_again() -> None:
    steps = (*listing("t", "1=a/", "2=b/"), *listing("t/a", "1=up/", "2=b/"), *listing("t/a/b"), *listing("t/b"))
    with session(*steps, features=MLST) as s:
        assert [here.path for here in s.ftp.walk("t")] == ["t", "t/a", "t/a/b", "t/b"]


def test_tree_without_end_is_given_up() -> None:
    paths = ["/".join(["d"] * depth) for depth in range(1, DEEPEST + 2)]
    steps = [step for path in paths for step in listing(path, "d/", "e/")]
    with session(*steps, features=MLST) as s, pytest.raises(LimitError, match="looks like a loop; begin further down"):
        for _ in s.ftp.walk("d"):
            pass
    refused = [(on(f"DELE {path}", "550 no file"), *listing(path, "d/", "e/")) for path in paths]
    with (
        session(*(step for steps in refused for step in steps), features=MLST) as s,
        pytest.raises(LimitError, match="looks like a loop"),
    ):
        s.ftp.rmtree("d")


@pytest.mark.req("C-SEC-NAME-1")
def test_names_that_lead_elsewhere_are_not_walked_to() -> None:
    with session(*listing("t", "../x/", "/etc/", "../f", "a/b", "good"), features=MLST) as s:
        [here] = s.ftp.walk("t")
    assert (here.directories, [entry.name for entry in here.others]) == ([], ["good"])


def test_walk_stays_out_while_another_operation_runs() -> None:
    with session(on("TYPE I", "200 ok"), on("SIZE f", "550 no"), *fetching(), features=MLST) as s:

        def meddle(_done: int, _total: int | None) -> None:
            with pytest.raises(RuntimeError, match="in the middle of another operation"):
                next(s.ftp.walk("t"))

        s.ftp.download("f", Dropped(), on_progress=meddle)


class Dropped:
    def write(self, data: bytes, /) -> None:
        pass


def fetching() -> tuple[Step, ...]:
    return on("EPSV", door(5001), "229 ok (|||5001|)"), on("RETR f", "150 go", data(b"octets"), "226 done")


def test_asynchronous_walk() -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.expect("USER anonymous", "230 in")
        peer.expect("FEAT", "211-Features:", " MLST type*;", "211 End")
        for path, lines in (("t", b"type=dir; a\r\n"), ("t/a", b"type=file; f\r\n")):
            with peer.passive() as connection:
                peer.expect(f"MLSD {path}", "150 go")
                connection.sendall(lines)
            peer.send("226 done")
        peer.expect("QUIT", "221 bye")

    async def walked(url: str) -> list[Any]:
        async with AsyncClient(url) as ftp:
            return [(here.path, [entry.name for entry in here.others]) async for here in ftp.walk("t")]

    with scripted(script) as server:
        assert asyncio.run(walked(server.url)) == [("t", []), ("t/a", ["f"])]


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        ((facts("x", "dir"),) * 3, (True, True, False)),
        ((facts("x", "file"),) * 3, (True, False, True)),
        ((facts("x", "OS.unix=chr-1/3"),) * 3, (True, False, False)),
        ((on("MLST x", "550 no such file"),) * 3, (False, False, False)),
        ((on("MLST x", "450 not now"),) * 3, (False, False, False)),
    ],
)
def test_what_is_there_and_what_it_is(steps: tuple[Step, ...], kinds: tuple[bool, ...]) -> None:
    with session(*steps, features=MLST) as s:
        assert (s.ftp.exists("x"), s.ftp.is_dir("x"), s.ftp.is_file("x")) == kinds


def test_link_is_what_it_leads_to() -> None:
    link = facts("x", "OS.unix=slink:/y")
    at_home = on("PWD", '257 "/home"')
    to_directory = (link, at_home, on("CWD x", "250 ok"), on("CWD /home", "250 ok"), link, on("TYPE I", "200 ok"))
    with session(*to_directory, on("SIZE x", "550 no file"), features=MLST) as s:
        assert (s.ftp.is_dir("x"), s.ftp.is_file("x")) == (True, False)
    to_file = (link, at_home, on("CWD x", "550 no"), link, on("TYPE I", "200 ok"), on("SIZE x", "213 6"))
    with session(*to_file, features=MLST) as s:
        assert (s.ftp.is_dir("x"), s.ftp.is_file("x")) == (False, True)


def test_refusal_that_says_nothing_about_the_file_is_not_taken_for_its_absence() -> None:
    with session(on("MLST x", "530 log in first"), features=MLST) as s, pytest.raises(PermanentError, match="530"):
        s.ftp.exists("x")


def test_name_that_no_listing_shows_is_not_there() -> None:
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST d", "150 go", data(b"total 0\r\n"), "226 done"))
    with session(*steps, features=NO_MLST) as s:
        assert not s.ftp.exists("d/x")


def test_hidden_name_is_looked_for_where_the_server_shows_such() -> None:
    shown = b"drwxr-xr-x 2 me us 6 Jan 1 2024 .\r\n-rw-r--r-- 1 me us 6 Jan 1 2024 .x\r\n"
    steps = (
        *(on("PWD", '257 "/"'), on("CWD d", "250 ok"), on("EPSV", door(5001), "229 ok (|||5001|)")),
        *(on("LIST -a", "150 go", data(shown), "226 done"), on("CWD /", "250 ok")),
    )
    with session(*steps, features=NO_MLST) as s:
        assert s.ftp.exists("d/.x")


def test_makedirs_makes_what_is_missing_on_the_way() -> None:
    steps = (
        on("MKD /a/b/c", "550 no"),
        on("MLST /a/b/c", "550 no"),
        on("MLST /a/b", "550 no"),
        on("MKD /a/b", "550 no"),
        on("MLST /a/b", "550 no"),
        facts("/a", "dir"),
    )
    with session(*steps, features=MLST) as s, pytest.raises(PermanentError, match="MKD /a/b'"):
        s.ftp.makedirs("/a/b/c/")
    allowed = (*steps[:3], on("MKD /a/b", '257 "/a/b" made'), on("MKD /a/b/c", '257 "/a/b/c" made'))
    with session(*allowed, features=MLST) as s:
        s.ftp.makedirs("/a/b/c")


def test_makedirs_of_what_is_there() -> None:
    there = (on("MKD d", "550 exists"), facts("d", "dir"))
    with session(*there, features=MLST) as s:
        s.ftp.makedirs("d", exist_ok=True)
    with session(*there, features=MLST) as s, pytest.raises(PermanentError, match="550 exists"):
        s.ftp.makedirs("d")
    file = (on("MKD d", "550 exists"), facts("d", "file"))
    with session(*file, features=MLST) as s, pytest.raises(PermanentError, match="550 exists"):
        s.ftp.makedirs("d", exist_ok=True)


def test_makedirs_goes_on_where_somebody_else_made_a_directory_meanwhile() -> None:
    steps = (
        on("MKD a/b", "550 no"),
        on("MLST a/b", "550 no"),
        on("MLST a", "550 no"),
        on("MKD a", "550 exists"),
        facts("a", "dir"),
        on("MKD a/b", '257 "a/b" made'),
    )
    with session(*steps, features=MLST) as s:
        s.ftp.makedirs("a/b")


def test_rmtree_removes_links_and_what_is_below_before_what_is_above() -> None:
    removed: list[tuple[str, Kind]] = []
    steps = (
        *(on("DELE d", "550 no file"), *listing("d", "f", "link@", "e/")),
        on("DELE d/f", "250 ok"),
        on("DELE d/link", "250 ok"),
        *(on("DELE d/e", "550 no file"), *listing("d/e")),
        on("RMD d/e", "250 ok"),
        on("RMD d", "250 ok"),
    )
    with session(*steps, features=MLST) as s:
        s.ftp.rmtree("d", on_removed=lambda path, kind: removed.append((path, kind)))
    assert removed == [
        ("d/f", Kind.FILE), ("d/link", Kind.LINK), ("d/e", Kind.DIRECTORY), ("d", Kind.DIRECTORY)
    ]  # fmt: skip


@pytest.mark.req("C-SEC-NAME-1")
def test_rmtree_stays_within_the_directory() -> None:
    steps = (on("DELE d", "550 no file"), *listing("d", "../x"))
    with session(*steps, features=MLST) as s, pytest.raises(UnsafeName):
        s.ftp.rmtree("d")


def test_rmtree_leaves_alone_what_a_link_leads_to_that_the_server_shows_as_a_directory(
    served: Embedded, connect: Callable[..., Any]
) -> None:
    for name in ("d/in", "other"):
        (served.root / name).mkdir(parents=True)
        (served.root / name / "f").write_bytes(b"octets")
    (served.root / "d/link").symlink_to("../other")
    (served.root / "top").symlink_to("other")
    with connect(served.url) as ftp:
        ftp.rmtree("d")
        ftp.rmtree("top")
    assert [path.name for path in sorted(served.root.rglob("*"))] == ["other", "f"]


def test_trees_of_a_real_server(served: Embedded, connect: Callable[..., Any]) -> None:
    (served.root / "f").write_bytes(b"octets")
    with connect(served.url) as ftp:
        ftp.makedirs("a/b/c")
        ftp.makedirs("a/b", exist_ok=True)
        (served.root / "a/b/g").write_bytes(b"more")
        (served.root / "a/link").symlink_to(served.root / "a")
        walked = [(here.path, sorted(entry.name for entry in here.others)) for here in ftp.walk("/")]
        assert walked == [("/", ["f"]), ("/a", ["link"]), ("/a/b", ["g"]), ("/a/b/c", [])]
        assert [ftp.exists(path) for path in ("a/b/g", "a/b/h", "none/x")] == [True, False, False]
        assert [ftp.is_dir(path) for path in ("a", "f", "none")] == [True, False, False]
        assert [ftp.is_file(path) for path in ("a", "f", "none")] == [False, True, False]
        ftp.rmtree("a")
    assert [path.name for path in served.root.iterdir()] == ["f"]
