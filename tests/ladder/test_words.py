from __future__ import annotations

import pytest
from hypothesis import given, settings

from fairlead.ladder import mermaid, pcapng, svg, text, words
from fairlead.ladder.cells import centre, cut, left, right, visible, width, wrap
from fairlead.ladder.jsonl import dump
from fairlead.ladder.model import CONTROL, Kind, Ladder, Step
from tests.ladder.sessions import client, ladder, said, server, texts

SECRET = "geheim9"
TELLTALE = [
    f"PASS {SECRET}",
    f"pass {SECRET} and more",
    f"ACCT {SECRET}",
    f"ADAT {SECRET}",
    f"SITE CHPASS old {SECRET}",
    f"SITE PSWD {SECRET} {SECRET}",
    f"site gpass {SECRET}",
    f"RETR ftp://me:{SECRET}@host/f",
    f"SITE COPY ftp://me:a@{SECRET}@host/f x",
    f"500 what is ftps://me:{SECRET}@host?",
]


@pytest.mark.parametrize("line", TELLTALE)
def test_no_drawing_shows_a_password(line: str) -> None:
    drawn = ladder(said(0, line, note=f"see ftp://me:{SECRET}@host"), title=f"get ftp://me:{SECRET}@host/f")

    assert SECRET not in text.draw(drawn)
    assert SECRET not in svg.draw(drawn)
    assert SECRET not in mermaid.draw(drawn)
    assert SECRET not in dump(drawn)
    assert SECRET.encode() not in pcapng.dump(drawn)
    assert words.MASK in text.draw(drawn)


@pytest.mark.parametrize("line", ["PASV", "RETR PASS word", "SITE CHMOD 600 f", "CWD ftp://host/a@b", "USER me"])
def test_what_is_no_password_is_shown(line: str) -> None:
    assert words.masked(line) == line


@pytest.mark.parametrize(
    ("line", "remark"),
    [
        ("PORT 192,168,150,80,4,3", "call me at 1027 = 4 × 256 + 3"),
        ("PORT 10,0,0,5,4,3", "call 10.0.0.5 port 1027 = 4 × 256 + 3"),
        ("EPRT |1|192.168.150.80|1027|", "call me at 1027"),
        ("227 Entering Passive Mode (192,168,150,90,195,149).", "call me at 50069 = 195 × 256 + 149"),
        ("229 Entering Extended Passive Mode (|||6446|)", "call me at 6446"),
        ("PORT 1,2", ""),
        ("229 nothing", ""),
        ("200 (1,2,3,4,5,6)", ""),
    ],
)
def test_port_that_is_announced_is_worked_out(line: str, remark: str) -> None:
    assert [told.remark for told in words.lines(ladder(said(0, line)))] == [
        f"control: {remark}" if remark else "control"
    ]


def test_connections_are_named_where_they_begin_and_numbered_where_there_are_several() -> None:
    steps = [
        Step(at=0, kind=Kind.SYN, connection=number, source=client(1), target=server(2))
        for number in (CONTROL, 1, 1, 2)
    ]
    assert [line.remark for line in words.lines(ladder(*steps))] == ["control", "data 1", "", "data 2"]
    assert [line.remark for line in words.lines(ladder(*steps[:3]))] == ["control", "data", ""]


def test_waits_are_told() -> None:
    told = words.lines(ladder(said(0, "NOOP"), said(0.9, "200 ok"), said(3.4, "QUIT")))
    assert [line.remark for line in told] == ["control", "", "after 2.5 s"]


def test_reply_of_several_lines_is_counted() -> None:
    told = words.lines(ladder(said(0, "211-Features:\n MLST\n211 End")))
    assert told[0].label == "211-Features: … (3 lines)"


@pytest.mark.parametrize(
    ("step", "label"),
    [
        (Step(at=0, kind=Kind.DATA, connection=1, source=client(1), size=1234567), "1 234 567 octets"),
        (Step(at=0, kind=Kind.DATA, connection=1, source=client(1), size=1), "1 octet"),
        (Step(at=0, kind=Kind.SYN, connection=1, source=client(1), times=3), "SYN ×3"),
        (Step(at=0, kind=Kind.TLS, connection=1, source=client(1), text="TLSv1.3"), "TLSv1.3"),
        (Step(at=0, kind=Kind.ICMP, connection=1, source=client(1), text="no route to host"), "ICMP no route to host"),
    ],
)
def test_labels(step: Step, label: str) -> None:
    assert words.label(step) == label


@settings(deadline=None)
@given(texts)
def test_visible_text_is_printable_and_the_same_once_more(hostile: str) -> None:
    shown = visible(hostile)
    assert not shown or shown.isprintable()
    assert visible(shown) == shown


@settings(deadline=None)
@given(texts)
def test_text_takes_the_cells_it_is_given(hostile: str) -> None:
    shown = visible(hostile)
    for cells in (0, 1, 2, 7, 30):
        assert width(cut(shown, cells)) <= cells
        for place in (left, right, centre):
            assert width(place(shown, cells)) == cells
        if cells > 1:
            assert all(width(line) <= cells for line in wrap(shown, cells))


def test_marks_piled_upon_a_character_are_taken_off() -> None:
    assert visible("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * 2 + "b"


def test_ladder_without_steps_can_be_drawn() -> None:
    nobody = Ladder(parties=(), steps=())
    assert text.draw(nobody) == "\n"
    assert mermaid.draw(nobody) == "sequenceDiagram\n"
    assert svg.draw(nobody).endswith("</svg>\n")


def test_failures_of_one_kind_are_summed_up() -> None:
    calls = [
        Step(at=at, kind=Kind.SYN, connection=1, source=client(1), target=server(at), cause="passive-dropped")
        for at in (1, 2, 3)
    ]
    told = words.lines(ladder(*calls, said(4, "500 what?", cause="not-supported")))
    assert words.summary(told) == [
        "SYN to 192.168.150.90:1 at 1.000 s, and 2 more: passive-dropped",
        "500 what? at 4.000 s: not-supported",
    ]
