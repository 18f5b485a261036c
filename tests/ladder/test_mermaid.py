from __future__ import annotations

import re

from hypothesis import given, settings

from fairlead.ladder import mermaid
from fairlead.ladder.model import Ladder, Party
from tests.ladder.sessions import ACTIVE_DROPPED, THIRD_PARTY, ladder, ladders, said

_PARTICIPANT = re.compile(r"    participant p\d as \S.*")
_MESSAGE = re.compile(r"    p\d-?-(?:>>|x)p\d: .*")
_NOTE = re.compile(r"    Note over p\d(?:,p\d)?: .*")
_TITLE = re.compile(r"    title .*")
_ENTITY = re.compile(r"#\d+;")


def test_diagram_of_a_call_that_never_arrived() -> None:
    lines = mermaid.draw(ACTIVE_DROPPED).splitlines()

    assert lines[:3] == [
        "sequenceDiagram",
        "    participant p0 as client 192.168.150.80",
        "    participant p1 as server 192.168.150.90",
    ]
    assert "    p0->>p1: 0.013 :1026 #8594; :21 LIST" in lines
    assert "    p1--xp0: 0.014 :20 #8594; :1027 SYN #215;4" in lines
    assert "    Note over p1,p0: #10005; data: never arrived (active-dropped)" in lines
    assert "    Note over p0: 0.011 :1027 listens" in lines


def test_three_parties() -> None:
    assert "    p2-->>p1: 1.000 :20 #8594; :5000 SYN" in mermaid.draw(THIRD_PARTY)


def test_markup_is_spelled_out() -> None:
    drawn = mermaid.draw(ladder(said(0, "RETR a;b#c%%{init}%%<br>`x`\"'end\n")))

    assert "RETR a#59;b#35;c#37;#37;#123;init#125;#37;#37;#60;br#62;#96;x#96;#34;#39;end" in drawn


def test_words_that_mermaids_preprocessor_takes_for_its_own_are_spelled_out() -> None:
    assert "#115;tyle:x#35;" in mermaid.draw(ladder(said(0, "RETR style:x#")))
    assert "#99;lassDef" in mermaid.draw(ladder(said(0, "RETR classDef")))


@settings(deadline=None)
@given(ladders())
def test_no_text_breaks_out_of_its_line(drawn: Ladder) -> None:
    first, *lines = mermaid.draw(drawn).splitlines()

    assert first == "sequenceDiagram"
    for line in lines:
        assert any(form.fullmatch(line) for form in (_PARTICIPANT, _MESSAGE, _NOTE, _TITLE)), line
        assert not set("#;<>`%{}\"'") & set(_ENTITY.sub("", line).replace("->>", "").replace("-->>", "")), line


def test_party_without_a_name_has_one() -> None:
    assert "participant p0 as -" in mermaid.draw(Ladder(parties=(Party(""),), steps=()))
