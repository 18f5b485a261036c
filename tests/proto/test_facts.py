from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.facts import DEFAULT_FACTS, FACTS, facts_text, feature_text, parse_facts


@pytest.mark.req("S-3659-FACT-1")
def test_those_of_the_standard_and_of_unix_can_be_had() -> None:
    assert FACTS == ("type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group")
    assert frozenset(FACTS) == DEFAULT_FACTS


@pytest.mark.req("S-3659-FEAT-1", "S-3659-OPTS-4")
def test_feat_shows_all_and_stars_those_that_are_sent() -> None:
    assert feature_text(("size", "type")) == ("MLST type*;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;")


@pytest.mark.req("S-3659-OPTS-1", "S-3659-OPTS-2", "S-3659-OPTS-3")
@pytest.mark.parametrize(
    ("argument", "selected"),
    [
        ("type;size;", "type;size;"),
        ("size;type;", "type;size;"),
        ("type;size", "type;size;"),
        ("TYPE;unix.MODE;", "type;UNIX.mode;"),
        ("type;lang;x.y;", "type;"),
        ("lang;", ""),
        (";;", ""),
        ("", ""),
    ],
)
def test_opts_selects_those_that_can_be_had(argument: str, selected: str) -> None:
    assert facts_text(parse_facts(argument)) == selected


@pytest.mark.req("S-3659-OPTS-3")
@pytest.mark.parametrize("argument", ["type; size;", " type;", "type; ", "type size"])
def test_a_space_is_malformed(argument: str) -> None:
    with pytest.raises(ArgumentError):
        parse_facts(argument)


@given(st.frozensets(st.sampled_from(FACTS)))
def test_what_is_confirmed_selects_the_same(facts: frozenset[str]) -> None:
    assert parse_facts(facts_text(facts)) == facts
