from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.ladder import text
from fairlead.ladder.cells import width
from fairlead.ladder.model import Kind, Ladder, Step
from tests.ladder.sessions import ACTIVE_DROPPED, PASSIVE, THIRD_PARTY, client, ladder, ladders, said, server

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_call_that_never_arrived_is_seen_at_once() -> None:
    assert text.draw(ACTIVE_DROPPED, width=100).splitlines() == [
        "        client 192.168.150.80            server 192.168.150.90",
        " 0.000  :1026 ── SYN ──────────────────────────────────▶ :21    control",
        " 0.003  :1026 ◀───────────────────────────── SYN, ACK ── :21",
        " 0.004  :1026 ◀──────────────────────────── 220 ready ── :21",
        " 0.010  :1026 ── PORT 192,168,150,80,4,3 ──────────────▶ :21    call me at 1027 = 4 × 256 + 3",
        " 0.011  :1027 ○ listens                                  │",
        " 0.012  :1026 ◀─────────────────────────────── 200 ok ── :21",
        " 0.013  :1026 ── LIST ─────────────────────────────────▶ :21",
        " 0.014  :1027                ✕ ◀══════════════ SYN ×4 ══ :20    data: never arrived (active-dropped)",
        "10.014  :1026 ◀────────────────── 425 Nobody answered ── :21    after 10.0 s",
        "✕ SYN ×4 to 192.168.150.80:1027 at 0.014 s: active-dropped",
    ]


def test_remarks_stand_below_where_there_is_no_room_beside() -> None:
    drawn = text.draw(PASSIVE, width=70).splitlines()

    assert drawn[0] == "get f"
    assert drawn[2].endswith("▶ :21")
    assert drawn[3].strip() == "control"
    assert max(map(width, drawn)) <= 70


def test_third_party_has_a_column_and_what_passes_it_by_goes_through() -> None:
    assert text.draw(THIRD_PARTY, width=100).splitlines() == [
        "       client 192.168.150.80                server A 192.0.2.1                  server B 2001:db8::b",
        "0.000     :1 ── PASV ────────────────────────────▶ :21                                         │",
        "             control",
        "0.000     :2 ── RETR ────────────────────────────────────────────────────────────────────────▶ :21",
        "             control",
        "1.000      │                                       :5000 ◀═════════════════════════════ SYN ══ :20",
        "             data: after 1.0 s",
        "1.000      │                                       :5000 · takes the call                      │",
    ]


@pytest.mark.parametrize("cells", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("drawn", [ACTIVE_DROPPED, PASSIVE, THIRD_PARTY])
def test_no_line_is_wider_than_the_terminal(drawn: Ladder, cells: int) -> None:
    assert max(map(width, text.draw(drawn, width=cells).splitlines())) <= cells


def test_long_command_is_cut_and_wide_characters_take_two_cells() -> None:
    drawn = text.draw(ladder(said(0, "RETR " + "文" * 100), said(1, "226 done")), width=80).splitlines()

    assert "文…" in drawn[1]
    assert len({width(line[: line.rindex(":21")]) for line in drawn[1:3]}) == 1


def test_colour_changes_nothing_else() -> None:
    coloured = text.draw(ACTIVE_DROPPED, width=100, colour=True)

    plain = [line.rstrip() for line in _COLOUR.sub("", coloured).splitlines()]
    assert plain == text.draw(ACTIVE_DROPPED, width=100).splitlines()
    failing = [line for line in coloured.splitlines() if "active-dropped" in line]
    assert all("\x1b[1;31m" in line for line in failing)


def test_data_is_told_from_control_without_colour() -> None:
    drawn = text.draw(PASSIVE, width=100)

    assert all("═" in line for line in drawn.splitlines() if ":1027" in line)
    assert all("═" not in line for line in drawn.splitlines() if ":1026" in line)


def test_hostile_names_steer_no_terminal() -> None:
    hostile = said(0, "RETR \x1b]0;gone\x07\x9b2J\u202e\u2028\x00x")
    drawn = text.draw(ladder(hostile, title="a\x1b[2J"), width=100)

    assert "\\x1b]0;gone\\x07\\x9b2J\\u202e" in drawn
    assert all(character.isprintable() for character in drawn if character != "\n")


def test_ascii_terminal_gets_ascii() -> None:
    drawn = text.in_ascii(text.draw(ladder(said(0, "RETR é")), width=60))

    assert drawn.isascii()
    assert "-- RETR \\xe9 -" in drawn
    assert "-> :21" in drawn


@settings(deadline=None)
@given(ladders(), st.integers(40, 160))
def test_any_ladder_fits_and_holds_only_what_is_printable(drawn: Ladder, cells: int) -> None:
    lines = text.draw(drawn, width=cells).split("\n")

    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    assert max(map(width, lines), default=0) <= max(cells, 60)


def test_ends_elsewhere_than_the_heading_says_are_named() -> None:
    private = replace(server(50069), address="10.0.0.5")
    step = Step(at=0, kind=Kind.SYN, connection=1, source=client(1027), target=private, cause="passive-private-address")

    drawn = text.draw(ladder(step), width=120)

    assert "server at 10.0.0.5" in drawn.replace("\n", " ")
    assert "✕ SYN to 10.0.0.5:50069 at 0.000 s: passive-private-address" in drawn
