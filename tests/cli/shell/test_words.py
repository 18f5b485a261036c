"""Lines as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli.shell.words import quoted, split, unfinished
from fairlead.errors import ConfigError


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  ls  ", ["ls"]),
        ("get 'two words' \"a b\"", ["get", "two words", "a b"]),
        (r"get two\ words", ["get", "two words"]),
        (r"get a\\b", ["get", r"a\b"]),
        (r'get "a\"b" "c\d"', ["get", 'a"b', r"c\d"]),
        ("get it\"'\"s' fine'", ["get", "it's fine"]),
        ("get ''", ["get", ""]),
        ("get a'b'c", ["get", "abc"]),
        (r"get 'a\b'", ["get", r"a\b"]),
        ("get a\\", ["get", "a\\"]),
    ],
)
def test_quotes_and_backslashes(line: str, words: list[str]) -> None:
    assert split(line) == words


def test_what_is_quoted_is_no_pattern() -> None:
    words = split(r"mget *.txt '*.txt' \*.txt a[0-9] 'a[0-9]'")[1:]
    assert [word.is_pattern for word in words] == [True, False, False, True, False]
    assert [word.pattern for word in words] == ["*.txt", "[*].txt", "[*].txt", "a[0-9]", "a[[]0-9]"]


@pytest.mark.parametrize("line", ["get 'a", 'get "a b', "'"])
def test_quote_that_stays_open_is_an_error(line: str) -> None:
    with pytest.raises(ConfigError, match="is not closed"):
        split(line)


@given(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), min_size=1))
def test_quoted_text_is_one_word_that_is_no_pattern(text: str) -> None:
    (word,) = split(quoted(text))
    assert word == text
    assert not word.is_pattern
    assert word.pattern == "".join(f"[{character}]" if character in "*?[" else character for character in text)


@given(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])), st.sampled_from("'\""))
def test_text_within_open_quotes(text: str, quote: str) -> None:
    assert split(quote + quoted(text, quote) + quote) == [text]


@pytest.mark.parametrize(
    ("line", "words", "last"),
    [
        ("", [], ("", 0, "")),
        ("ge", [], ("ge", 0, "")),
        ("get ", ["get"], ("", 4, "")),
        ("get pub/a", ["get"], ("pub/a", 4, "")),
        ("get 'two w", ["get"], ("two w", 4, "'")),
        ("get 'two ", ["get"], ("two ", 4, "'")),
        (r"get two\ ", ["get"], ("two ", 4, "")),
        ("get a  b", ["get", "a"], ("b", 7, "")),
        ("get '' ", ["get", ""], ("", 7, "")),
    ],
)
def test_word_that_is_still_being_typed(line: str, words: list[str], last: tuple[str, int, str]) -> None:
    found, being_typed = unfinished(line)
    assert found == words
    assert (being_typed.text, being_typed.start, being_typed.quote) == last
