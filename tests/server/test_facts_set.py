"""MFF, and the form of MDTM that sets a time (draft-somers-ftp-mfxx, custom); MFCT is not served."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fairlead.events import Changed
from fairlead.server.registry import NOT_IMPLEMENTED
from tests.server.session import Control, Running

Y2020 = 1_577_836_800


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.req("S-MFXX-5")
def test_the_features_are_listed(control: Control) -> None:
    lines = control.ask("FEAT").lines
    assert " MFMT" in lines
    assert " MFF Modify;UNIX.mode;" in lines


@pytest.mark.req("S-MFXX-3", "S-MFXX-5")
def test_a_time_of_creation_cannot_be_set(control: Control, root: Path) -> None:
    (root / "file").touch()
    assert control.ask("MFCT 20200101000000 file").code == 502
    assert "MFCT" in NOT_IMPLEMENTED
    assert not [line for line in control.ask("FEAT").lines if "MFCT" in line]


@pytest.mark.req("S-MFXX-4")
@pytest.mark.parametrize(
    ("argument", "text", "mode", "modified"),
    [
        ("UNIX.mode=600; file", "UNIX.mode=0600; file", 0o600, 1),
        ("Modify=20200101000000; file", "Modify=20200101000000; file", 0o644, Y2020),
        ("UNIX.mode=644;Modify=20200101000000; file", "UNIX.mode=0644;Modify=20200101000000; file", 0o644, Y2020),
        ("modify=20200101000000;unix.MODE=0640; file", "Modify=20200101000000;UNIX.mode=0640; file", 0o640, Y2020),
        ("modify=20200101000000 file", "Modify=20200101000000; file", 0o644, Y2020),
        ("UNIX.mode=6755; file", "UNIX.mode=0755; file", 0o755, 1),
        ("UNIX.mode=600; a file", "UNIX.mode=0600; a file", 0o600, 1),
        ("UNIX.mode=600; ./file", "UNIX.mode=0600; ./file", 0o600, 1),
    ],
)
def test_mff_sets_facts_and_tells_what_they_are_now(
    running: Running, control: Control, root: Path, argument: str, text: str, mode: int, modified: int
) -> None:
    file = root / argument.partition(" ")[2]
    file.touch(0o644)
    os.utime(file, (1, 1))
    reply = control.ask(f"MFF {argument}")
    assert (reply.code, reply.text) == (213, text)
    assert (mode_of(file), file.stat().st_mtime) == (mode, modified)
    event = running.await_event(Changed)
    assert (event.verb, event.path) == ("MFF", f"/{file.name}")


@pytest.mark.req("S-MFXX-4")
def test_mff_changes_directories(control: Control, root: Path) -> None:
    (root / "d").mkdir()
    assert control.ask("MFF UNIX.mode=700;Modify=20200101000000; d").code == 213
    assert (mode_of(root / "d"), (root / "d").stat().st_mtime) == (0o700, Y2020)


@pytest.mark.req("S-MFXX-4", "S-MFXX-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("UNIX.mode=600;", 501),
        ("UNIX.mode=600; ", 501),
        (" file", 501),
        ("; file", 501),
        ("file", 501),
        ("UNIX.mode file", 501),
        ("UNIX.mode=; file", 501),
        ("UNIX.mode=888; file", 501),
        ("UNIX.mode=0o600; file", 501),
        ("UNIX.mode=600;; file", 501),
        ("UNIX.mode=600;unix.mode=640; file", 501),
        ("UNIX.mode=600;Modify=20200230000000; file", 501),
        ("UNIX.mode=600;Modify=today; file", 501),
        ("Create=20200101000000; file", 504),
        ("UNIX.mode=600;UNIX.owner=root; file", 504),
        ("Size=0; file", 504),
        ("UNIX.mode=600; none", 550),
        ("UNIX.mode=600; none/file", 550),
        ("UNIX.mode=600; outside", 550),
    ],
)
def test_where_anything_is_wrong_nothing_is_set(control: Control, root: Path, argument: str, code: int) -> None:
    (root / "file").touch(0o644)
    (root / "outside").symlink_to("/etc/hosts")
    os.utime(root / "file", (1, 1))
    assert control.ask(f"MFF {argument}").code == code
    assert (mode_of(root / "file"), (root / "file").stat().st_mtime) == (0o644, 1)


@pytest.mark.req("S-MFXX-4")
def test_the_fact_that_is_not_known_is_named(control: Control, root: Path) -> None:
    (root / "file").touch()
    assert "unix.owner" in control.ask("MFF UNIX.mode=600;UNIX.owner=root; file").text


@pytest.mark.req("S-MFXX-4", "S-DF-MDTM-4")
def test_who_may_not_change_facts_does_not(running: Running, root: Path) -> None:
    (root / "file").touch()
    os.utime(root / "file", (1, 1))
    with running.login("anonymous") as control:
        assert control.codes("MFF Modify=20200101000000; file", "MDTM 20200101000000 file") == [550, 550]
    assert (root / "file").stat().st_mtime == 1


@pytest.mark.req("S-DF-MDTM-4")
@pytest.mark.parametrize(
    ("argument", "text", "modified"),
    [
        ("20200101000000 a file", "20200101000000", Y2020),
        ("20200101000000.25 a file", "20200101000000.25", Y2020 + 0.25),
        ("20200101000000+0 a file", "20200101000000", Y2020),
        ("20200101010000+60 a file", "20200101000000", Y2020),
        ("20191231200000-240 a file", "20200101000000", Y2020),
        ("20200101054500+345 /a file", "20200101000000", Y2020),
    ],
)
def test_mdtm_sets_a_time(
    running: Running, control: Control, root: Path, argument: str, text: str, modified: float
) -> None:
    (root / "a file").touch()
    reply = control.ask(f"MDTM {argument}")
    assert (reply.code, reply.text) == (213, text)
    assert (root / "a file").stat().st_mtime == modified
    assert control.ask("MDTM a file").text == text
    event = running.await_event(Changed)
    assert (event.verb, event.path) == ("MDTM", "/a file")


@pytest.mark.req("S-DF-MDTM-4", "S-3659-MDTM-3")
@pytest.mark.parametrize("name", ["20200101000000 file", "20200101000000+60 file", "20200101000000 none"])
def test_a_file_with_a_name_like_that_comes_first(control: Control, root: Path, name: str) -> None:
    for each in (name, "file"):
        (root / each).touch()
        os.utime(root / each, (1, 1))
    assert control.ask(f"MDTM {name}").text == "19700101000001"
    assert (root / "file").stat().st_mtime == 1


@pytest.mark.req("S-DF-MDTM-4", "S-3659-MDTM-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("20200101000000 none", 550),
        ("20200101000000 none/file", 550),
        ("20200101000000", 550),
        ("20200101000000 ", 550),
        ("20200101 file", 550),
        ("20200101000000+ file", 550),
        ("20200101000000+12345 file", 550),
        ("20200101000000+1:00 file", 550),
        ("20200230000000 file", 501),
        ("20200101000000 outside", 550),
    ],
)
def test_what_sets_no_time(control: Control, root: Path, argument: str, code: int) -> None:
    (root / "file").touch()
    (root / "outside").symlink_to("/etc/hosts")
    os.utime(root / "file", (1, 1))
    assert control.ask(f"MDTM {argument}").code == code
    assert (root / "file").stat().st_mtime == 1
