from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.words import quote_word, split_list, split_words


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        ("a b", ["a", "b"]),
        ("  a   b  ", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ('"a ""b""" c', ['a "b"', "c"]),
        ('""', [""]),
        ('"" a', ["", "a"]),
        ("a\nb c\t", ["a\nb", "c\t"]),
        ('"a\nb"', ["a\nb"]),
    ],
)
def test_words_stand_between_spaces(argument: str, words: list[str]) -> None:
    assert split_words(argument) == words


@pytest.mark.parametrize("argument", ['"', '"a', 'a"', 'a"b"', '"a"b', '"a" "', '"a""'])
def test_a_stray_quote_is_an_error(argument: str) -> None:
    with pytest.raises(ArgumentError, match="in quotes"):
        split_words(argument)


@given(st.lists(st.text()))
def test_what_is_quoted_is_read_back(names: list[str]) -> None:
    assert split_words(" ".join(map(quote_word, names))) == names


def test_many_quotes_take_no_longer_than_their_number() -> None:
    with pytest.raises(ArgumentError):
        split_words('"' * 8191)
    assert split_words('"' * 8192) == ['"' * 4095]


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        ("", []),
        ("a", ["a"]),
        ("a b,c", ["a b", "c"]),
        (" a b , c ", ["a b", "c"]),
        ('"a, b" , c', ["a, b", "c"]),
        ('" a","b""c"', [" a", 'b"c']),
        ('"",a', ["", "a"]),
        ("a\nb,\nc", ["a\nb", "\nc"]),
    ],
)
def test_names_stand_between_commas(argument: str, names: list[str]) -> None:
    assert split_list(argument) == names


@pytest.mark.parametrize("argument", [",", "a,", "a, ", ",a", "a,,b", 'a"b', '"a', '"a"b', '"a" b,c'])
def test_a_stray_comma_or_quote_is_an_error(argument: str) -> None:
    with pytest.raises(ArgumentError):
        split_list(argument)
