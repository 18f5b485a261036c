from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from fairlead.ladder import svg
from fairlead.ladder.model import Ladder, Party
from tests.ladder.sessions import ACTIVE_DROPPED, PASSIVE, THIRD_PARTY, ladder, ladders, said

NAME = "{http://www.w3.org/2000/svg}"
CHROMIUM = shutil.which("chromium")
_INERT = {"svg", "title", "desc", "style", "rect", "line", "text", "g", "polygon", "path", "circle"}


def tags(drawing: str) -> set[str]:
    return {element.tag.removeprefix(NAME) for element in ET.fromstring(drawing).iter()}


def shown(drawing: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawing).iter(f"{NAME}text")]


@settings(deadline=None)
@given(ladders())
def test_any_ladder_is_well_formed_and_inert(drawn: Ladder) -> None:
    assert tags(svg.draw(drawn)) <= _INERT


def test_picture_shows_every_step_with_its_ports() -> None:
    texts = shown(svg.draw(ACTIVE_DROPPED))

    assert {"client 192.168.150.80", "server 192.168.150.90", "SYN ×4", ":1027", ":20", "0.014"} <= set(texts)
    assert "data: never arrived" in texts
    assert "(active-dropped)" in texts


def test_picture_tells_those_who_cannot_see_it() -> None:
    root = ET.fromstring(svg.draw(PASSIVE))

    assert root.get("role") == "img"
    assert root.findtext(f"{NAME}title") == "get f"
    assert root.get("aria-labelledby") == "title desc"
    failing = ET.fromstring(svg.draw(ACTIVE_DROPPED)).findtext(f"{NAME}desc")
    assert failing is not None
    assert "active-dropped" in failing


def test_markup_is_text() -> None:
    hostile = "RETR </text><script>alert(1)</script>&amp;\"'"
    assert hostile in shown(svg.draw(ladder(said(0, hostile))))


def test_dark_and_light_are_both_provided_for() -> None:
    assert "prefers-color-scheme:dark" in svg.draw(PASSIVE)


def test_long_names_do_not_make_it_wide() -> None:
    wide = ET.fromstring(svg.draw(replace(PASSIVE, parties=(*PASSIVE.parties[:1], Party("server", "x" * 10_000)))))
    assert int(wide.get("width", "")) < 1500


def test_nothing_is_fetched_from_elsewhere() -> None:
    drawing = svg.draw(THIRD_PARTY).replace("http://www.w3.org/2000/svg", "")
    assert all(word not in drawing for word in ("http", "url(", "href", "@import"))


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian: chromium)")
def test_a_browser_draws_it(tmp_path: Path) -> None:
    picture, page = tmp_path / "ladder.png", tmp_path / "ladder.svg"
    page.write_text(svg.draw(ACTIVE_DROPPED))
    command = [
        str(CHROMIUM),
        "--headless",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=900,500",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    pixels = pytest.importorskip("PIL.Image").open(picture).convert("RGB")
    colours = {colour for _, colour in pixels.getcolors(1 << 20)}
    assert any(red > 150 and green < 90 and blue < 90 for red, green, blue in colours), "the failure is red"
