"""LIST, NLST and STAT with a path: lines, options, patterns, and directories of any size."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import Denied
from fairlead.proto.entry import Kind
from fairlead.proto.listing.dialects.unix import parse_unix
from fairlead.proto.listing.layout import Formatter
from fairlead.server import tree
from fairlead.storage.base import Item
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, receive, serving

pytestmark = pytest.mark.usefixtures("each_reader")

LINE = re.compile(
    rb"(?P<mode>[-dlpsbc][-rwxsStT]{9}) +(?P<links>\d+) (?P<owner>\S+) +(?P<group>\S+) +(?P<size>\d+)"
    rb" (?P<date>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d (?: \d{4}|\d\d:\d\d)) (?P<name>.*)",
    re.DOTALL,
)


def rows(listing: bytes) -> list[re.Match[bytes]]:
    """The lines of a LIST; each must be one of ``ls -l``, and end with CR LF."""
    assert not listing or listing.endswith(b"\r\n")
    matches = [LINE.fullmatch(line) for line in listing.split(b"\r\n")[:-1]]
    assert all(matches), listing
    return [match for match in matches if match]


def names(listing: bytes) -> list[str]:
    return [os.fsdecode(row["name"]) for row in rows(listing)]


@pytest.fixture
def folder(root: Path) -> Path:
    """Some files, two directories."""
    for name in ("b.txt", "a.txt", "c.bin", ".hidden"):
        (root / name).write_bytes(name.encode())
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "sub" / "a").write_bytes(b"1")
    (root / "sub" / "deep" / "z").write_bytes(b"22")
    (root / "empty").mkdir()
    return root


@pytest.mark.req("S-959-LIST-1", "S-DF-LIST-1", "S-DF-LIST-5", "S-DF-LIST-10", "S-1123-LIST-2")
@pytest.mark.parametrize("kind", ["A", "I"])
@pytest.mark.parametrize("argument", ["", "/", ".", "-l", "-la sub/.."])
@pytest.mark.usefixtures("folder")
def test_list_shows_a_directory_sorted_by_name(control: Control, kind: str, argument: str) -> None:
    assert control.ask(f"TYPE {kind}").code == 200
    dots = [".", ".."] if "a" in argument.partition(" ")[0] else []
    listing = control.fetch(f"LIST {argument}".rstrip())
    assert names(listing) == [*dots, ".hidden", "a.txt", "b.txt", "c.bin", "empty", "sub"]
    assert control.ask("STAT").text.partition("TYPE: ")[2].startswith(kind)


@pytest.mark.req("S-DF-LIST-1", "S-DF-LIST-10")
def test_the_columns_tell_what_the_file_system_tells(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"12345")
    os.link(root / "file", root / "link")
    os.chown(root / "file", 54321, 54321)
    (root / "file").chmod(0o4755)
    (root / "directory").mkdir(mode=0o1777)
    os.utime(root / "file", (0, 86_400 * 400))
    directory, file, link = rows(control.fetch("LIST"))
    assert (file["mode"], file["links"], file["size"], file["name"]) == (b"-rwsr-xr-x", b"2", b"5", b"file")
    assert (file["owner"], file["group"]) == (b"54321", b"54321")
    assert file["date"] == b"Feb  5  1971"
    assert link["mode"] == file["mode"]
    assert directory["mode"].startswith(b"drwx")
    assert directory["owner"] == b"root" or os.geteuid()


@pytest.mark.req("S-DF-LIST-2", "S-DF-LIST-3")
@pytest.mark.parametrize("utc", [True, False])
def test_recent_dates_show_the_time_and_others_the_year_in_one_zone(
    running: Running, control: Control, root: Path, monkeypatch: pytest.MonkeyPatch, utc: bool
) -> None:
    running.server.settings = running.server.settings.replace(time_zone_utc=utc)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    zone = UTC if utc else timezone(timedelta(hours=5, minutes=45))
    try:
        now = datetime.now(UTC)
        for name, age in {"new": 3600, "old": 86_400 * 179, "older": 86_400 * 181, "future": -86_400}.items():
            moment = (now - timedelta(seconds=age)).timestamp()
            (root / name).touch()
            os.utime(root / name, (moment, moment))
        shown = {row["name"].decode(): row["date"].decode() for row in rows(control.fetch("LIST"))}
        status = control.ask("STAT .").text
    finally:
        monkeypatch.undo()
        time.tzset()
    for name in ("new", "old"):
        assert shown[name] == datetime.fromtimestamp((root / name).stat().st_mtime, zone).strftime("%b %e %H:%M")
    for name in ("older", "future"):
        assert shown[name] == datetime.fromtimestamp((root / name).stat().st_mtime, zone).strftime("%b %e  %Y")
    for name, date in shown.items():
        assert f" {date} {name}" in status


@pytest.mark.req("S-DF-LIST-4")
def test_links_show_what_they_lead_to(control: Control, root: Path) -> None:
    (root / "file").touch()
    (root / "link").symlink_to("file")
    (root / "dangling").symlink_to("no/such thing")
    (root / "absolute").symlink_to("/etc/passwd")
    shown = {row["name"]: row["mode"][:1] for row in rows(control.fetch("LIST"))}
    assert shown == {b"file": b"-", b"link -> file": b"l", b"dangling -> no/such thing": b"l", b"absolute": b"l"}
    assert names(control.fetch("LIST link")) == ["link -> file"]
    assert names(control.fetch("LIST dangling")) == ["dangling -> no/such thing"]


@pytest.mark.req("S-959-LIST-1", "S-DF-LIST-8", "S-1123-NLST-1")
@pytest.mark.usefixtures("folder")
def test_of_a_file_there_is_one_line(control: Control) -> None:
    for argument, shown in {"a.txt": "a.txt", "sub/a": "sub/a", "/sub/a": "/sub/a", "./a.txt": "./a.txt"}.items():
        assert control.fetch(f"NLST {argument}") == f"{shown}\r\n".encode()
        assert names(control.fetch(f"LIST {argument}")) == [shown.rpartition("/")[2]]
        assert names(control.fetch(f"LIST -l {argument}")) == [shown.rpartition("/")[2]]


@pytest.mark.req("S-1123-NLST-1")
@pytest.mark.parametrize("cwd", ["/", "/sub", "/empty"])
@pytest.mark.parametrize(
    "argument", ["", ".", "..", "/", "/sub", "/sub/", "/sub/deep/", "../sub", "./../sub/deep", "*", "../sub/*"]
)
@pytest.mark.usefixtures("folder")
def test_nlst_gives_paths_that_retr_takes_unchanged(control: Control, cwd: str, argument: str) -> None:
    assert control.ask(f"CWD {cwd}").code == 250
    if (cwd, argument) == ("/empty", "*"):
        assert control.ask("NLST *").code == 450
        return
    listing = control.fetch(f"NLST {argument}".rstrip())
    assert listing == b"" or listing.endswith(b"\r\n")
    for path in listing.decode().split("\r\n")[:-1]:
        assert not path.endswith(("/.", "/..", "/", "*", "@"))
        kind = re.search(r"type=(\w+);", control.ask(f"MLST {path}").text)
        assert kind is not None
        if kind[1] == "file":
            assert control.fetch(f"RETR {path}")
        else:
            assert control.ask(f"CWD {path}").code == 250
            assert control.ask(f"CWD {cwd}").code == 250


@pytest.mark.req("S-1123-NLST-1")
@pytest.mark.usefixtures("folder")
def test_nlst_qualifies_names_as_it_was_asked(control: Control) -> None:
    for argument, lines in {
        "": [".hidden", "a.txt", "b.txt", "c.bin", "empty", "sub"],
        "sub": ["sub/a", "sub/deep"],
        "sub/": ["sub/a", "sub/deep"],
        "/sub": ["/sub/a", "/sub/deep"],
        "./sub": ["./sub/a", "./sub/deep"],
        "sub/deep": ["sub/deep/z"],
        "-d sub": ["sub"],
    }.items():
        assert control.fetch(f"NLST {argument}".rstrip()).decode().split("\r\n")[:-1] == lines


@pytest.mark.req("S-DF-NLST-2", "S-DF-MISC-3")
@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
@pytest.mark.parametrize("mode", ["PASV", "EPSV", "PORT"])
def test_an_empty_directory_gives_nothing(control: Control, verb: str, mode: str) -> None:
    assert control.fetch(verb, mode) == b""


@pytest.mark.req("S-DF-NLST-3", "R-1", "S-ERR-4", "S-959-DC-2", "S-959-STAT-2")
@pytest.mark.parametrize("verb", ["LIST", "NLST", "LIST -la", "STAT"])
@pytest.mark.parametrize("path", ["missing", "missing/*", "*.no", "a.txt/below", "leads-out", "sub/missing", "-x"])
def test_what_is_not_there_is_refused_without_data(control: Control, folder: Path, verb: str, path: str) -> None:
    (folder / "leads-out").symlink_to("../..")
    if (verb, path) in {("LIST -la", "-x"), ("LIST", "-x"), ("NLST", "-x"), ("STAT", "-x")}:
        path = "./-x"
    if path == "leads-out":
        path += "/etc"
    refusal = control.ask(f"{verb} {path}")
    assert refusal.code == 450
    assert str(folder) not in refusal.text


@pytest.mark.req("S-DF-NLST-4")
@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", ["a.txt", "b.txt", "c.bin", "empty", "sub"]),
        ("*.txt", ["a.txt", "b.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ac].*", ["a.txt", "c.bin"]),
        ("[!a].txt", ["b.txt"]),
        (".*", [".hidden"]),
        ("sub/*", ["sub/a", "sub/deep"]),
        ("s*/a", ["sub/a"]),
        ("*/*/z", ["sub/deep/z"]),
        ("/sub/?", ["/sub/a"]),
        ("*/d*", ["sub/deep"]),
        ("*/a", ["sub/a"]),
        ("sub/deep/*", ["sub/deep/z"]),
        ("sub/../*.txt", ["sub/../a.txt", "sub/../b.txt"]),
        ("*/../c.*", ["empty/../c.bin", "sub/../c.bin"]),
        ("../*.bin", ["../c.bin"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_patterns_are_expanded(control: Control, pattern: str, matches: list[str]) -> None:
    assert control.fetch(f"NLST {pattern}").decode().split("\r\n")[:-1] == matches
    for options in ("", "-l "):
        assert names(control.fetch(f"LIST {options}{pattern}")) == [match.rpartition("/")[2] for match in matches]


@pytest.mark.req("S-DF-NLST-4")
def test_a_name_that_looks_like_a_pattern_comes_before_the_pattern(control: Control, root: Path) -> None:
    for name in ("[x].txt", "x.txt", "*"):
        (root / name).touch()
    assert control.fetch("NLST [x].txt") == b"[x].txt\r\n"
    assert control.fetch("NLST *") == b"*\r\n"


@pytest.mark.req("S-DF-NLST-4")
@pytest.mark.parametrize("pattern", ["{a,b}.txt", "~", "~root", "$HOME", "`id`", "a.txt;id", "$(id)", "{a..z}{a..z}"])
@pytest.mark.usefixtures("folder")
def test_nothing_but_patterns_is_expanded(control: Control, pattern: str) -> None:
    assert control.ask(f"NLST {pattern}").code == 450


@pytest.mark.req("S-DF-NLST-4")
def test_patterns_that_would_look_at_too_much_are_refused(
    control: Control, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "VISITS", 50)
    monkeypatch.setattr(tree, "MATCHES", 20)
    for outer in range(10):
        for inner in range(10):
            (root / f"d{outer}" / f"d{inner}").mkdir(parents=True)
    assert control.fetch("NLST d*").count(b"\r\n") == 10
    for pattern in ("*/*", "*/*/*/*/*/*/*/*", "d*/d*", "**/**/**", "/".join(["*" * 50] * 50)):
        assert control.ask(f"NLST {pattern}").code == 450


@pytest.mark.req("S-DF-NLST-4")
def test_a_pattern_that_backtracks_ends_soon(control: Control, root: Path) -> None:
    (root / ("a" * 250)).touch()
    assert control.ask("NLST " + "*a" * 100 + "b").code == 450


@pytest.mark.req("S-DF-LIST-6")
@pytest.mark.parametrize(
    "options",
    [
        "-a",
        "-l",
        "-la",
        "-al",
        "-A",
        "-1",
        "-l -a",
        "-a -l -A",
        "-n",
        "-h",
        "-X",
        "-Z -Q",
        "--",
        "-",
        "-aL --",
        "--color=auto",
    ],
)
@pytest.mark.usefixtures("folder")
def test_options_are_obeyed_or_ignored(control: Control, options: str) -> None:
    dots = [".", ".."] if re.search(r"-\w*a", options) and "color" not in options else []
    if options == "-":
        assert control.ask("LIST -").code == 450
        return
    assert names(control.fetch(f"LIST {options}")) == [*dots, ".hidden", "a.txt", "b.txt", "c.bin", "empty", "sub"]
    assert names(control.fetch(f"LIST {options} sub")) == [*dots, "a", "deep"]


@pytest.mark.req("S-DF-LIST-6")
def test_order_can_be_chosen(control: Control, root: Path) -> None:
    for name, size, moment in (("a", 2, 300), ("b", 3, 100), ("c", 1, 200)):
        (root / name).write_bytes(bytes(size))
        os.utime(root / name, (moment, moment))
    for options, order in {
        "-t": "acb", "-tr": "bca", "-lt": "acb", "-S": "bac", "-rS": "cab", "-r": "cba", "-l -t -r": "bca",
    }.items():  # fmt: skip
        assert names(control.fetch(f"LIST {options}")) == list(order)
        assert control.fetch(f"NLST {options}") == "".join(f"{name}\r\n" for name in order).encode()


@pytest.mark.req("S-DF-LIST-6")
def test_a_directory_itself_and_marks(control: Control, folder: Path) -> None:
    (folder / "a.txt").chmod(0o755)
    (folder / "link").symlink_to("sub")
    assert names(control.fetch("LIST -d sub")) == ["sub"]
    assert names(control.fetch("LIST -ld")) == ["/"] or names(control.fetch("LIST -ld")) == ["."]
    assert names(control.fetch("LIST -F")) == [
        ".hidden", "a.txt*", "b.txt", "c.bin", "empty/", "link -> sub", "sub/",
    ]  # fmt: skip
    assert b"a.txt\r\n" in control.fetch("NLST -F")


@pytest.mark.req("S-DF-LIST-6")
def test_recursion_gives_each_directory_its_heading(control: Control, folder: Path) -> None:
    (folder / "sub" / "loop").symlink_to("..")
    listing = control.fetch("LIST -R").decode()
    blocks = listing.split("\r\n\r\n")
    assert [block.partition("\r\n")[0] for block in blocks[1:]] == ["empty:", "sub:", "sub/deep:"]
    assert names(blocks[0].encode() + b"\r\n") == [".hidden", "a.txt", "b.txt", "c.bin", "empty", "sub"]
    assert names(blocks[2].partition("\r\n")[2].encode() + b"\r\n") == ["a", "deep", "loop -> .."]
    assert names(blocks[3].partition("\r\n")[2].encode()) == ["z"]


@pytest.mark.req("S-DF-LIST-7")
@pytest.mark.parametrize("name", ["-x", "-la", "--", "-", "-l a", "-R"])
def test_names_that_begin_with_a_dash_can_be_had(control: Control, root: Path, name: str) -> None:
    (root / name).mkdir()
    (root / name / "inside").touch()
    for verb in ("LIST", "NLST"):
        for argument in (f"./{name}", f"/{name}", f"-- {name}"):
            assert b"inside\r\n" in control.fetch(f"{verb} {argument}")
    assert control.ask(f"CWD {name}").code == 250
    assert names(control.fetch("LIST")) == ["inside"]


@pytest.mark.req("S-DF-LIST-6", "S-DF-LIST-7")
def test_unknown_options_are_a_path_where_such_a_path_exists(control: Control, root: Path) -> None:
    (root / "-Zorro").mkdir()
    (root / "-Zorro" / "inside").touch()
    assert names(control.fetch("LIST -Zorro")) == ["inside"]
    assert names(control.fetch("LIST -Zyx")) == ["-Zorro"]


@pytest.mark.req("S-DF-LIST-12")
def test_control_characters_never_make_a_line(control: Control, root: Path) -> None:
    for name in ("cr\rlf", "tab\tbed", "new\nline", "esc\x1b[31m", "del\x7f", "\r\n226 done"):
        (root / name).touch()
    assert sorted(names(control.fetch("LIST"))) == ["??226 done", "cr?lf", "del?", "esc?[31m", "new?line", "tab?bed"]
    assert sorted(control.fetch("NLST").decode().split("\r\n")[:-1]) == [
        "??226 done", "cr?lf", "del?", "esc?[31m", "new?line", "tab?bed",
    ]  # fmt: skip
    (root / "d\nir").mkdir()
    (root / "d\nir" / "file").touch()
    assert control.fetch("LIST -R").count(b"\n") == control.fetch("LIST -R").count(b"\r\n")


@pytest.mark.req("S-959-STAT-2", "S-959-GRAM-3")
def test_stat_lists_on_the_control_connection(control: Control, folder: Path) -> None:
    (folder / "226 fooled").touch()
    for argument in (".", "/", "-l", "-l /"):
        listing = control.ask(f"STAT {argument}")
        assert listing.code == 212
        shown = "".join(f"{line}\r\n" for line in listing.lines[1:-1]).encode()
        assert names(shown) == [".hidden", "226 fooled", "a.txt", "b.txt", "c.bin", "empty", "sub"]
    one = control.ask("STAT a.txt")
    assert one.code == 213
    assert names(one.lines[1].encode() + b"\r\n") == ["a.txt"]
    assert len(one.lines) == 3
    assert control.ask("STAT sub/*").code in {211, 212, 213}


class Vanishing(MemoryStorage):
    """A store in which entries go while they are listed."""

    def scan(self, path: str) -> Iterator[list[Item]]:
        batches = super().scan(path)
        self.remove("/b")
        return batches


@pytest.mark.req("S-DF-LIST-10")
def test_entries_that_vanish_meanwhile_are_left_out() -> None:
    store = Vanishing()
    with (
        serving(store, accounts=MemoryAccounts.sharing(store, {"me": "secret"}, write=True)) as running,
        running.login() as control,
    ):
        for name in "abc":
            assert control.store(f"STOR {name}", b"").code == 226
        assert names(control.fetch("LIST")) == ["a", "c"]


class Closed(MemoryStorage):
    """A store whose root may not be read."""

    def scan(self, path: str) -> Iterator[list[Item]]:
        raise Denied(path)


@pytest.mark.req("S-DF-LIST-10")
@pytest.mark.parametrize("command", ["LIST", "LIST -a", "LIST -at", "NLST -a", "MLSD"])
def test_a_directory_that_may_not_be_read_is_refused_without_data(command: str) -> None:
    with serving(Closed()) as running, running.login("anonymous") as control:
        with control.open("EPSV"):
            assert control.ask(command).code == (550 if command == "MLSD" else 450)
        assert control.ask("NOOP").code == 200


class Counting(LocalStorage):
    """A store that counts the entries it has shown."""

    shown = 0

    def scan(self, path: str) -> Iterator[list[Item]]:
        for batch in super().scan(path):
            self.shown += len(batch)
            yield batch

    def lines(self, path: str, formatter: Formatter) -> Iterator[bytes]:
        for chunk in super().lines(path, formatter):
            self.shown += chunk.count(b"\n")
            yield chunk


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with 20,000 entries whose names are long."""
    root = tmp_path_factory.mktemp("root")
    for number in range(20_000):
        os.close(os.open(root / f"{number:05}{'x' * 240}", os.O_CREAT | os.O_WRONLY))
    return root


@pytest.mark.long
@pytest.mark.req("S-SEC-7", "S-DF-LIST-10")
@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD", "LIST -t", "LIST -R", "NLST -a"])
def test_twenty_thousand_entries_are_made_as_the_client_reads_them(crowded: Path, verb: str) -> None:
    with (
        closing(Counting(crowded)) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"})) as running,
        running.login() as control,
        control.narrow() as data,
    ):
        assert control.ask(verb).code == 150

        def stands_still() -> bool:
            return any(getattr(session.transfer, "_wait", None) for session in running.server.sessions())

        running.await_condition(lambda: bool(running.call(stands_still)))
        assert 0 < storage.shown < 16_000
        listing = receive(data)
        assert control.read().code == 226
        assert storage.shown == 20_000
    lines = [line for line in listing.split(b"\r\n") if line.endswith(b"x" * 240)]
    assert sorted(line[-245:-240] for line in lines) == [b"%05d" % number for number in range(20_000)]


@pytest.mark.req("S-DF-LIST-10")
def test_a_recursive_listing_without_end_is_ended(
    control: Control, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "VISITS", 100)
    for outer in range(30):
        (root / f"d{outer}").mkdir()
        for inner in range(30):
            (root / f"d{outer}" / f"f{inner}").touch()
    with control.open("EPSV") as data:
        assert control.ask("LIST -R").code == 150
        receive(data)
    assert control.read().code == 451


@pytest.mark.long
def test_others_are_served_while_a_long_listing_is_made(crowded: Path) -> None:
    with (
        closing(LocalStorage(crowded)) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"})) as running,
        running.login() as control,
        running.login() as other,
        control.narrow() as data,
    ):
        done = threading.Event()

        def read() -> None:
            receive(data)
            done.set()

        assert control.ask("MLSD").code == 150
        reader = threading.Thread(target=read)
        reader.start()
        answered = 0
        while not done.is_set():
            assert other.ask("NOOP").code == 200
            answered += 1
        reader.join()
        assert control.read().code == 226
        assert answered > 5


def test_a_listing_is_read_back_by_our_own_parser(control: Control, folder: Path) -> None:
    (folder / " leading and  double spaces ").touch()
    entries = [parse_unix(line, now=time.time()) for line in control.fetch("LIST").decode().split("\r\n")[:-1]]
    assert [(entry.name, entry.kind) for entry in entries if entry] == [
        (" leading and  double spaces ", Kind.FILE),
        (".hidden", Kind.FILE),
        ("a.txt", Kind.FILE),
        ("b.txt", Kind.FILE),
        ("c.bin", Kind.FILE),
        ("empty", Kind.DIRECTORY),
        ("sub", Kind.DIRECTORY),
    ]
