from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from fairlead.errors import ProtocolError
from fairlead.ladder.jsonl import dump, load
from fairlead.ladder.model import Ladder
from fairlead.ladder.words import masked
from tests.ladder.sessions import ACTIVE_DROPPED, PASSIVE, THIRD_PARTY, ladders

HEAD = '{"ladder": 1, "began": 0, "title": "", "parties": [["client", ""]]}'
STEP = '{"at": 0, "kind": "syn", "connection": 0, "source": ["client", "", 1]}'


@pytest.mark.parametrize("kept", [ACTIVE_DROPPED, PASSIVE, THIRD_PARTY])
def test_what_was_kept_comes_back(kept: Ladder) -> None:
    assert load(dump(kept)) == kept


@settings(deadline=None)
@given(ladders())
def test_any_ladder_comes_back_without_its_passwords(kept: Ladder) -> None:
    steps = tuple(replace(step, text=masked(step.text), note=masked(step.note)) for step in kept.steps)
    assert load(dump(kept)) == replace(kept, steps=steps, title=masked(kept.title))


def test_lines_are_ascii_and_say_no_more_than_is_known() -> None:
    head, syn, *_ = dump(ACTIVE_DROPPED).splitlines()

    assert json.loads(head)["parties"] == [["client", "192.168.150.80"], ["server", "192.168.150.90"]]
    assert sorted(json.loads(syn)) == ["at", "connection", "kind", "source", "target"]
    assert dump(PASSIVE).isascii()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has none"),
        ("hello", "line 1 is no JSON"),
        ("[]", "line 1 is no JSON object"),
        ("{}", "version 1"),
        ('{"ladder": 2}', "version 1"),
        (HEAD.replace("[[", "[[1, "), "line 1"),
        (HEAD.replace('"title": ""', '"title": 3'), "title must be of type str"),
        (f"{HEAD}\n\n{STEP.replace('syn', 'sin')}", "line 3: 'sin'"),
        (f"{HEAD}\n{STEP.replace('client', 'server')}", "none of the parties"),
        (f"{HEAD}\n{STEP.replace('0', 'NaN', 1)}", "at must be a number of seconds"),
        (f"{HEAD}\n{STEP.replace('0', 'true', 1)}", "at must be a number of seconds"),
        (f'{HEAD}\n{STEP[:-1]}, "size": "1"}}', "size must be of type int"),
        (f'{HEAD}\n{STEP[:-1]}, "target": 7}}', "'7' stands"),
        ("[" * 100_000, "line 1 is no JSON"),
    ],
)
def test_what_is_no_ladder_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        load(text)
    assert said in str(caught.value)
