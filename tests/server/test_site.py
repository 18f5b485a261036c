"""SITE and its subcommands."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fairlead.server.registry import SITE
from tests.server.session import Control


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.req("S-SITE-1")
@pytest.mark.parametrize(
    ("text", "mode"),
    [("0644", 0o644), ("600", 0o600), ("755", 0o755), ("0", 0), ("7", 0o007), ("00777", 0o777), ("0777", 0o777)],
)
@pytest.mark.parametrize("name", ["file", "a name with  spaces ", "directory"])
def test_chmod_sets_the_permission_bits(control: Control, root: Path, text: str, mode: int, name: str) -> None:
    if name == "directory":
        (root / name).mkdir()
    else:
        (root / name).touch()
    assert control.ask(f"SITE CHMOD {text} {name}").code == 200
    assert mode_of(root / name) == mode


@pytest.mark.req("S-SITE-1")
@pytest.mark.parametrize(("text", "mode"), [("4755", 0o755), ("2755", 0o755), ("6711", 0o711), ("07777", 0o777)])
def test_chmod_never_sets_who_a_program_runs_as(control: Control, root: Path, text: str, mode: int) -> None:
    (root / "file").touch()
    assert control.ask(f"SITE CHMOD {text} file").code == 200
    assert mode_of(root / "file") & 0o6777 == mode


@pytest.mark.req("S-SITE-1", "S-ERR-2")
@pytest.mark.parametrize(
    "argument",
    [
        "",
        "644",
        "644 ",
        " 644 file",
        "888 file",
        "u+x file",
        "-1 file",
        "0o644 file",
        "6444444 file",
        "rw file",
        "٦٤٤ file",
    ],
)
def test_a_chmod_that_is_malformed_changes_nothing(control: Control, root: Path, argument: str) -> None:
    (root / "file").touch(0o640)
    assert control.ask(f"SITE CHMOD {argument}").code == 501
    assert mode_of(root / "file") == 0o640


@pytest.mark.req("S-SITE-1", "S-ERR-4")
def test_chmod_of_what_is_not_there_or_leads_out_is_refused(control: Control, root: Path) -> None:
    (root.parent / "outside").touch(0o600)
    (root / "leads-out").symlink_to("../outside")
    for path in ("missing", "missing/file", "leads-out", "../../outside"):
        assert control.ask(f"SITE CHMOD 777 {path}").code == 550
    assert mode_of(root.parent / "outside") == 0o600


@pytest.mark.req("S-SITE-2")
@pytest.mark.parametrize(
    ("argument", "accessed", "modified"),
    [
        ("202001020304 a file", 1_577_934_240, 1_577_934_240),
        ("20200102030405 a file", 1_577_934_245, 1_577_934_245),
        ("a file 20200102030405 20210102030405 20220102030405 UTC", 1_577_934_245, 1_609_556_645),
        ("a file 202001020304 202101020304 202201020304 utc", 1_577_934_240, 1_609_556_640),
    ],
)
def test_utime_sets_times_in_both_of_its_forms(
    control: Control, root: Path, argument: str, accessed: int, modified: int
) -> None:
    (root / "a file").touch()
    assert control.ask(f"SITE UTIME {argument}").code == 200
    status = (root / "a file").stat()
    assert (status.st_atime, status.st_mtime) == (accessed, modified)


@pytest.mark.req("S-SITE-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("202001020304", 501),
        ("202001020304 ", 501),
        ("file", 501),
        ("20200230000000 file", 501),
        ("202013020304 file", 501),
        ("file 20200102030405 20210102030405 20220102030405", 501),
        ("file 20200102030405 20210102030405 UTC", 501),
        ("file x y z UTC", 501),
        ("yesterday file", 501),
        ("202001020304 missing", 550),
        ("missing 20200102030405 20210102030405 20220102030405 UTC", 550),
    ],
)
def test_a_utime_that_cannot_be_done_changes_nothing(control: Control, root: Path, argument: str, code: int) -> None:
    (root / "file").touch()
    os.utime(root / "file", (1, 1))
    assert control.ask(f"SITE UTIME {argument}").code == code
    assert (root / "file").stat().st_mtime == 1


@pytest.mark.req("S-SITE-4", "S-959-SITE-1", "S-959-HELP-1")
def test_site_help_lists_the_subcommands(control: Control) -> None:
    reply = control.ask("SITE HELP")
    assert reply.code == 214
    assert {line.split()[0] for line in reply.lines[1:-1]} == SITE.keys() >= {"HELP", "CHMOD", "UTIME"}
    assert control.ask("site help").code == 214
    assert control.ask("HELP SITE").lines == reply.lines


@pytest.mark.req("S-959-SITE-1", "S-ERR-1", "S-2577-EXEC-3")
@pytest.mark.parametrize(
    "command", ["SITE", "SITE BOGUS", "SITE EXEC ls", "SITE  HELP", "SITE CHMODE 600 a", "SITE XDUPE"]
)
def test_another_subcommand_is_refused(control: Control, command: str) -> None:
    assert control.ask(command).code == 501
