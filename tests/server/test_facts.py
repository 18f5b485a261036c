"""MDTM, MLST, MLSD, OPTS MLST and MFMT (RFC 3659, draft-somers-ftp-mfxx)."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

import pytest

from fairlead.proto.listing.dialects.mlsx import parse_mlsx
from fairlead.proto.reply import Reply
from tests.server.session import Control, Running

FACT = re.compile(r"[!-:<->@-~]+=[^; ]*;")
"""A fact and its value: no space and no semicolon in either."""


def facts(line: str) -> dict[str, str]:
    """The facts of a line, of which each must be well-formed."""
    text, _, _ = line.partition(" ")
    assert not FACT.sub("", text), line
    return dict(fact.split("=", 1) for fact in text.rstrip(";").split(";")) if text else {}


def listed(control: Control, argument: str = "") -> dict[str, dict[str, str]]:
    """The facts of each name in an MLSD."""
    data = control.fetch(f"MLSD {argument}".rstrip())
    assert data == b"" or data.endswith(b"\r\n")
    lines = os.fsdecode(data).split("\r\n")[:-1]
    return {line.partition(" ")[2]: facts(line) for line in lines}


def single(reply: Reply) -> tuple[dict[str, str], str]:
    """The facts and the path in the reply to an MLST."""
    assert reply.code == 250
    assert len(reply.lines) == 3
    line = reply.lines[1]
    assert line.startswith(" ")
    return facts(line[1:]), line[1:].partition(" ")[2]


@pytest.mark.req("S-3659-MDTM-1", "S-3659-FACT-6")
@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "19700101000000"),
        (951_827_696_000_000_000, "20000229123456"),
        (951_827_696_500_000_000, "20000229123456.5"),
        (951_827_696_000_000_001, "20000229123456.000000001"),
        (951_827_696_120_000_000, "20000229123456.12"),
        (-1_000_000_000, "19691231235959"),
        (4_102_444_800_000_000_000, "21000101000000"),
    ],
)
def test_mdtm_tells_the_time_in_utc_as_mlst_and_mlsd_do(
    control: Control, root: Path, nanoseconds: int, text: str
) -> None:
    (root / "file").touch()
    os.utime(root / "file", ns=(0, nanoseconds))
    reply = control.ask("MDTM file")
    assert (reply.code, reply.lines) == (213, (text,))
    assert f"213 {text}\r\n".encode() in control.raw
    seconds = text.partition(".")[0]
    assert single(control.ask("MLST file"))[0]["modify"] in {text, seconds}
    assert listed(control)["file"]["modify"] in {text, seconds}


@pytest.mark.req("S-3659-MDTM-2", "S-ERR-4")
def test_mdtm_of_what_is_not_there_is_refused(control: Control, root: Path) -> None:
    (root / "directory").mkdir()
    (root / "file").touch()
    (root / "dangling").symlink_to("missing")
    for path in ("missing", "directory/missing", "file/below", "dangling"):
        assert control.ask(f"MDTM {path}").code == 550
    assert control.ask("MDTM directory").code == 213


@pytest.mark.req("S-3659-MDTM-3")
def test_mdtm_of_a_name_that_looks_like_a_time(control: Control, root: Path) -> None:
    for name, moment in (("19990929043300 File6", 86_400), ("File6", 0)):
        (root / name).touch()
        os.utime(root / name, (moment, moment))
    assert control.ask("MDTM 19990929043300 File6").lines == ("19700102000000",)
    assert (root / "File6").stat().st_mtime == 0


@pytest.mark.req("S-3659-MLST-1", "S-3659-MLST-2", "S-3659-FACT-1", "S-3659-FACT-2")
def test_mlst_tells_the_facts_on_the_control_connection(control: Control, root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "a file").write_bytes(b"12345")
    for argument in ("sub/a file", "/sub/a file", "./sub//a file"):
        found, path = single(control.ask(f"MLST {argument}"))
        assert path == "/sub/a file"
        assert (found["type"], found["size"]) == ("file", "5")
        assert {"type", "size", "modify", "perm", "unique"} <= found.keys()
    assert re.search(rb"250-[^\r]*\r\n [!-~]+; /sub/a file\r\n250 [^\r]*\r\n", control.raw)
    assert control.ask("CWD sub").code == 250
    for argument in ("", " .", " /sub"):
        found, path = single(control.ask(f"MLST{argument}"))
        assert path == "/sub"
        assert found["type"] in {"dir", "cdir"}
        assert "size" not in found
    assert single(control.ask("MLST ..")) == single(control.ask("MLST /"))


@pytest.mark.req("S-3659-MLST-1", "S-ERR-4")
def test_mlst_of_what_is_not_there_is_refused(control: Control, root: Path) -> None:
    (root / "file").touch()
    for path in ("missing", "missing/file", "file/below", "*", "-la"):
        assert control.ask(f"MLST {path}").code == 550


@pytest.mark.req("S-3659-MLSD-1", "S-3659-MLSD-3", "S-3659-FACT-2", "S-1123-LIST-2")
@pytest.mark.parametrize("kind", ["A", "I"])
def test_mlsd_has_a_line_for_each_entry_and_no_other(control: Control, root: Path, kind: str) -> None:
    for name in ("b", "a", " leading", "semi;colon", "equals=sign", "two  spaces", "trailing "):
        (root / "sub" / name).parent.mkdir(exist_ok=True)
        (root / "sub" / name).touch()
    (root / "sub" / "directory").mkdir()
    assert control.ask(f"TYPE {kind}").code == 200
    assert control.ask("CWD sub").code == 250
    for argument in ("", "/sub", ".", "../sub/"):
        found = listed(control, argument)
        assert {name: fact["type"] for name, fact in found.items() if fact["type"] not in {"cdir", "pdir"}} == {
            " leading": "file",
            "a": "file",
            "b": "file",
            "directory": "dir",
            "equals=sign": "file",
            "semi;colon": "file",
            "trailing ": "file",
            "two  spaces": "file",
        }
        assert not {".", ".."} & found.keys()
    assert f"TYPE: {kind}" in control.ask("STAT").text


@pytest.mark.req("S-3659-MLSD-2")
def test_mlsd_of_a_file_is_an_error_in_the_argument(control: Control, root: Path) -> None:
    (root / "file").touch()
    (root / "link").symlink_to("file")
    with control.open("EPSV"):
        assert control.codes("MLSD file", "MLSD link", "MLSD missing", "MLSD file/below") == [501, 501, 550, 550]
        assert control.ask("MLSD a\0b").code == 501


@pytest.mark.req("S-3659-MLSD-4")
def test_mlsd_knows_no_patterns_and_no_options(control: Control, root: Path) -> None:
    (root / "file").touch()
    for argument in ("*", "f*", "-la", "-la .", "~", "?ile"):
        assert control.ask(f"MLSD {argument}").code == 550
    (root / "*").mkdir()
    (root / "*" / "inside").touch()
    (root / "-la").mkdir()
    assert [name for name, fact in listed(control, "*").items() if fact["type"] == "file"] == ["inside"]
    assert control.fetch("MLSD -la") == b""


@pytest.mark.req("S-3659-FACT-3", "S-3659-FACT-4", "R-6")
def test_links_show_as_what_they_lead_to(control: Control, root: Path) -> None:
    (root / "directory").mkdir()
    (root / "file").write_bytes(b"12345")
    (root / "to-file").symlink_to("file")
    (root / "to-directory").symlink_to("directory")
    (root / "dangling").symlink_to("missing")
    (root / "leads-out").symlink_to("../..")
    (root / "loop").symlink_to("loop")
    found = listed(control)
    for link, target in (("to-file", "file"), ("to-directory", "directory")):
        assert found[link] == found[target]
        assert single(control.ask(f"MLST {link}"))[0] == single(control.ask(f"MLST {target}"))[0]
    assert found["dangling"]["type"] == "OS.unix=slink:missing"
    assert single(control.ask("MLST dangling"))[0] == found["dangling"]
    for name in ("leads-out", "loop"):
        assert found[name]["type"].startswith("OS.unix=slink")


@pytest.mark.req("S-3659-FACT-4")
def test_unique_tells_whether_two_names_are_one_object(control: Control, root: Path) -> None:
    (root / "a").touch()
    os.link(root / "a", root / "b")
    (root / "c").touch()
    (root / "d").mkdir()
    first, second = listed(control), listed(control)
    assert first == second
    assert first["a"]["unique"] == first["b"]["unique"]
    assert len({fact["unique"] for fact in first.values()}) == 3
    for name in "abcd":
        assert single(control.ask(f"MLST {name}"))[0]["unique"] == first[name]["unique"]
    assert control.codes("RNFR a", "RNTO e") == [350, 250]
    assert single(control.ask("MLST e"))[0]["unique"] == first["a"]["unique"]


@pytest.mark.req("S-3659-FACT-2", "S-3659-FACT-8")
def test_what_is_neither_file_nor_directory_has_a_type_of_its_own(control: Control, root: Path) -> None:
    os.mkfifo(root / "fifo", 0o600)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
        found = listed(control)
    assert {name: fact["type"] for name, fact in found.items()} == {"fifo": "OS.unix=fifo", "socket": "OS.unix=sock"}
    assert "r" not in found["fifo"]["perm"]
    assert control.ask("RETR fifo").code == 550


@pytest.mark.req("S-3659-FACT-8")
def test_facts_of_the_system(control: Control, root: Path) -> None:
    (root / "file").touch()
    (root / "file").chmod(0o4640)
    found = listed(control)["file"]
    assert found["UNIX.mode"] == f"{stat.S_IMODE((root / 'file').stat().st_mode):04o}"
    assert found["UNIX.owner"]
    assert found["UNIX.group"]
    assert found.keys() == {"type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group"}


@pytest.mark.req("S-3659-FACT-6")
def test_what_the_store_does_not_know_is_not_guessed(control: Control, root: Path) -> None:
    (root / "page.html").write_text("<html lang=en>")
    assert not {"create", "lang", "media-type", "charset"} & {name.lower() for name in listed(control)["page.html"]}
    (line,) = [line for line in control.ask("FEAT").lines if line.startswith(" MLST")]
    assert not re.search("create|lang|media-type|charset", line, re.IGNORECASE)


@pytest.mark.req("S-3659-OPTS-1", "S-3659-OPTS-4", "S-3659-FEAT-1", "S-2389-FEAT-5")
@pytest.mark.parametrize(
    ("argument", "chosen"),
    [
        ("type;size;", ["type", "size"]),
        ("size;type;", ["type", "size"]),
        ("TYPE;Size;", ["type", "size"]),
        ("modify;unix.MODE;", ["modify", "UNIX.mode"]),
        ("type;nonsense;create;", ["type"]),
        ("type", ["type"]),
        ("type;size", ["type", "size"]),
        ("type;type;", ["type"]),
        ("nonsense;", []),
        (";", []),
    ],
)
def test_facts_are_chosen(control: Control, root: Path, argument: str, chosen: list[str]) -> None:
    (root / "file").touch()
    reply = control.ask(f"OPTS MLST {argument}")
    assert reply.code == 200
    assert reply.text == f"MLST OPTS {''.join(f'{fact};' for fact in chosen)}".rstrip()
    assert list(single(control.ask("MLST file"))[0]) == chosen
    assert list(listed(control)["file"]) == chosen
    line = next(line for line in control.ask("FEAT").lines if line.startswith(" MLST "))
    assert re.fullmatch(r" MLST (?:[^;* ]+\*?;)+", line)
    starred = [fact.removesuffix("*") for fact in line.removeprefix(" MLST ").split(";") if fact.endswith("*")]
    assert starred == chosen


@pytest.mark.req("S-3659-OPTS-2", "S-3659-MLST-3")
@pytest.mark.parametrize("command", ["OPTS MLST", "opts mlst", "OPTS MLST ;"])
def test_no_facts_leave_the_space_before_the_name(control: Control, root: Path, command: str) -> None:
    (root / "a file").touch()
    reply = control.ask(command)
    assert (reply.code, reply.text) == (200, "MLST OPTS")
    assert control.ask("MLST a file").lines[1] == "  /a file"
    assert control.fetch("MLSD") == b" a file\r\n"
    assert control.ask("OPTS MLST type;").code == 200
    assert control.fetch("MLSD") == b"type=file; a file\r\n"


@pytest.mark.req("S-3659-OPTS-3", "S-2389-OPTS-3")
@pytest.mark.parametrize("argument", ["type; size;", "type size", "type;size; ", " type;", "type;size; modify"])
def test_a_space_among_the_facts_is_an_error_and_changes_nothing(control: Control, argument: str) -> None:
    assert control.ask("OPTS MLST type;size;").code == 200
    before = control.ask("FEAT")
    assert control.ask(f"OPTS MLST {argument}").code == 501
    assert control.ask("FEAT") == before


@pytest.mark.req("S-3659-OPTS-4", "S-2389-OPTS-2")
def test_there_are_no_options_of_mlsd(control: Control) -> None:
    assert control.codes("OPTS MLSD type;", "OPTS MLSD") == [501, 501]


@pytest.mark.req("S-3659-OPTS-1")
def test_the_facts_of_one_session_are_no_other_s(running: Running, root: Path) -> None:
    (root / "file").touch()
    with running.login() as one, running.login() as two:
        assert one.ask("OPTS MLST type;").code == 200
        assert list(listed(one)["file"]) == ["type"]
        assert len(listed(two)["file"]) > 5
        assert one.codes("REIN", "USER me", "PASS secret", "TYPE I") == [220, 331, 230, 200]
        assert listed(one) == listed(two)


@pytest.mark.req("S-MFXX-1")
@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("20200101000000", 1_577_836_800_000_000_000),
        ("20200229235959", 1_583_020_799_000_000_000),
        ("20200101000000.5", 1_577_836_800_500_000_000),
        ("19691231235959", -1_000_000_000),
        ("20380119031408", 2_147_483_648_000_000_000),
    ],
)
def test_mfmt_sets_the_time_and_tells_what_it_is_now(control: Control, root: Path, text: str, nanoseconds: int) -> None:
    (root / "a file").touch()
    reply = control.ask(f"MFMT {text} a file")
    assert (reply.code, reply.text) == (213, f"Modify={text}; a file")
    assert (root / "a file").stat().st_mtime_ns == nanoseconds
    assert control.ask("MDTM a file").text == text
    assert single(control.ask("MLST a file"))[0]["modify"] in {text, text.partition(".")[0]}


@pytest.mark.req("S-MFXX-1")
def test_mfmt_tells_what_was_set_where_the_store_cannot_hold_it(control: Control, root: Path) -> None:
    (root / "file").touch()
    reply = control.ask("MFMT 00010101000000 file")
    assert reply.code == 213
    assert reply.text == f"Modify={control.ask('MDTM file').text}; file"


@pytest.mark.req("S-MFXX-2")
@pytest.mark.parametrize(
    "argument",
    [
        "", "20200101000000", "20200101000000 ", "20200230000000 file", "20201301000000 file", "20200101250000 file",
        "20200101006000 file", "2020010100000 file", "20200101 file", "today file", "file 20200101000000",
        "20200101000000. file", "-20200101000000 file", "20200101000000.x file", "20190229000000 file",
    ],
)  # fmt: skip
def test_an_mfmt_that_is_malformed_changes_nothing(control: Control, root: Path, argument: str) -> None:
    (root / "file").touch()
    os.utime(root / "file", (1, 1))
    assert control.ask(f"MFMT {argument}").code == 501
    assert (root / "file").stat().st_mtime == 1


@pytest.mark.req("S-MFXX-2", "S-MFXX-1")
def test_mfmt_of_what_is_not_there_is_refused(control: Control, root: Path) -> None:
    (root / "directory").mkdir()
    (root / "outside").symlink_to("../..")
    for path in ("missing", "directory/missing", "outside", "outside/etc"):
        assert control.ask(f"MFMT 20200101000000 {path}").code == 550
    assert control.ask("MFMT 20200101000000 directory").code == 213
    assert (root / "directory").stat().st_mtime == 1_577_836_800


def test_what_mlst_and_mlsd_send_is_read_back(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"12345")
    entry = parse_mlsx(control.ask("MLST file").lines[1])
    assert (entry.name, entry.kind, entry.size) == ("/file", "file", 5)
    assert parse_mlsx(os.fsdecode(control.fetch("MLSD")).removesuffix("\r\n")).name == "file"
