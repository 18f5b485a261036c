"""How costs grow: what is measured is there, and the page is what the data make."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import quota
from benchmarks.build import build
from benchmarks.delayed import available
from benchmarks.scale import page
from benchmarks.scale import soak as soaking
from benchmarks.scale.__main__ import SLOW, Extent, main, measure
from benchmarks.scale.curves import Bench, Curve, Latency, Measured
from benchmarks.tree import Tree

WORDS = {"cores": "2", "kernel": "Linux"}
CURVE = Curve(
    "curve", "A curve", "sessions", "ms", [10, 1000], {"NOOP": [1.5, 2.0], "login": [3.0, 4.25]}, date="today"
)
OTHER = Curve("other", "Another", "seconds", "MB", [1], {"PSS": [20.0]}, "At half speed.", "today")
WAITS = [Latency("nothing", 0.25, 0.0, "today"), Latency("a transfer", 12.0, 3456.0, "today")]
MEASURED = Measured(WORDS, [CURVE, OTHER], WAITS)


@pytest.fixture
def tree() -> Iterator[Tree]:
    made = Tree()
    yield made
    made.close()


def test_the_page_and_the_plots_in_the_docs_are_what_the_data_make() -> None:
    for name, text in page.files(page.read(page.FOLDER)).items():
        assert (page.FOLDER / name).read_text() == text, "make scale ARGS=--write"


def test_the_page_shows_each_curve_as_a_plot_and_in_figures() -> None:
    text = page.files(MEASURED)["README.md"]

    assert "![A curve, by sessions](curve.svg)" in text
    assert "| sessions | 10 | 1,000 |" in text
    assert "| login, ms | 3 | 4.25 |" in text
    assert "## Another\n\nAt half speed.\n" in text
    assert "| a transfer | 12 ms | 3,456 MB/s |" in text


def test_a_plot_names_its_series_and_not_the_day_on_which_it_was_drawn() -> None:
    text = page.plot(CURVE)

    assert "NOOP" in text
    assert "login" in text
    assert "<!--" not in text
    assert page.plot(CURVE) == text


def test_what_is_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "FOLDER", tmp_path / "performance")

    page.write(MEASURED)

    assert page.read(tmp_path / "performance") == MEASURED


def test_what_is_measured_anew_takes_the_place_of_what_has_its_name() -> None:
    anew = Curve("curve", "A curve", "sessions", "ms", [10], {"NOOP": [1.0]}, date="tomorrow")
    third = Latency("a slow disk", 1.0, 2.0, "tomorrow")

    both = MEASURED.with_new(Measured(WORDS, [anew], [third]))

    assert both == Measured(WORDS, [anew, OTHER], [*WAITS, third])


def test_what_was_saved_is_drawn_and_written_beside_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "FOLDER", tmp_path / "performance")
    page.write(MEASURED)
    anew = Curve("curve", "A curve", "sessions", "ms", [10], {"NOOP": [1.0]}, date="tomorrow")
    saved = tmp_path / "saved.json"
    saved.write_text(page.data(Measured(WORDS, [anew], [])))
    monkeypatch.setattr("sys.argv", ["scale", "--draw", str(saved), "--write"])

    assert main() == 0

    assert "tomorrow" in capsys.readouterr().out
    assert page.read(tmp_path / "performance") == Measured(WORDS, [anew, OTHER], WAITS)


def test_a_soak_rests_until_its_share_of_a_core_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr("time.sleep", rests.append)

    soaking.rest(passed=2.0, spent=1.5, share=0.15)
    soaking.rest(passed=20.0, spent=1.5, share=0.15)

    assert rests == [pytest.approx(8.0), 0.0]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("benchmarks")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs the Debian packages gcc and libc6-dev")
def test_everything_is_measured(tree: Tree) -> None:
    build("load")
    told: list[str] = []

    found = measure(Bench(tree, seconds=0.1, told=told.append), Extent(quick=True, soak=0.1, share=2, most=1000))

    by_name = {curve.name: curve for curve in found.curves}
    assert by_name["sessions-cost"].at == [10, 100]
    assert by_name["sessions-cost"].series.keys() == {"NOOP", "RETR of 1 KiB", "login, to QUIT"}
    assert by_name["soak-descriptors"].series.keys() == {"descriptors", "threads"}
    assert ("workers-rate" in by_name) == quota.available()
    for curve in found.curves:
        assert curve.at
        for values in curve.series.values():
            assert len(values) == len(curve.at)
    assert all(value > 0 for values in by_name["soak-cost"].series.values() for value in values)
    beside = [False, True, True] + [True] * available()
    assert [latency.moved > 0 for latency in found.latencies] == beside
    assert re.search(r"^100 sessions$", "\n".join(told), re.MULTILINE)
    assert not SLOW.missing()
