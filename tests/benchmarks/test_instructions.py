"""The guard against growing cost: callgrind's counts of fixed dialogues, beside those that were kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.instructions import reference
from benchmarks.instructions.count import PATHS, CountError, count, missing, read
from benchmarks.instructions.dialogues import DIALOGUES, YARDSTICK
from benchmarks.instructions.reference import Reference, growth, read_reference, worse, write_reference

COUNTS = {"python": {"noop": 4.0, "login": 50.0}}


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("benchmarks")
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_no_dialogue_takes_notably_more_instructions_than_when_it_was_last_looked_at() -> None:
    counts = count()

    assert {name for each in counts.values() for name in each} == DIALOGUES.keys() - {YARDSTICK}
    assert not worse(read_reference(), counts)


def test_the_reference_has_each_dialogue() -> None:
    kept = read_reference()

    assert kept.counts.keys() == PATHS.keys()
    assert all(each.keys() == DIALOGUES.keys() - {YARDSTICK} for each in kept.counts.values())


def test_growth_within_the_tolerance_is_let_pass_and_no_more() -> None:
    here = Reference(sys.version, COUNTS)

    assert worse(here, {"python": {"noop": 4.39, "login": 40.0}}) == []
    assert [text.split()[0] for text in worse(here, {"python": {"noop": 4.41, "login": 60.0}})] == ["noop", "login"]


def test_another_build_of_python_has_a_wider_tolerance() -> None:
    elsewhere = Reference("3.11.2 of somebody else", COUNTS)

    assert worse(elsewhere, {"python": {"noop": 4.9}}) == []
    assert worse(elsewhere, {"python": {"noop": 5.1}})


def test_a_dialogue_that_is_new_has_nothing_to_be_compared_with() -> None:
    assert growth(Reference(sys.version, COUNTS), {"python": {"new": 1.0}, "other": {"noop": 1.0}}) == {}


def test_what_is_kept_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FILE", tmp_path / "reference.json")

    write_reference({"python": {"noop": 4.123}})

    assert read_reference() == Reference(sys.version, {"python": {"noop": 4.12}})


def test_the_count_of_an_operation_is_read_from_callgrind(tmp_path: Path) -> None:
    path = tmp_path / "out.1"
    path.write_text("version: 1\ndesc: Trigger: Client Request: noop=200\n\nfn=(1)\n1 5\n\ntotals: 4000\n")

    assert read(path) == ("noop", 20.0)


def test_a_file_without_a_count_is_told(tmp_path: Path) -> None:
    path = tmp_path / "out.1"
    path.write_text("desc: Trigger: Program termination\ntotals: 4000\n")

    with pytest.raises(CountError, match=r"no count into out\.1"):
        read(path)
