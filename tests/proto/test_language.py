from __future__ import annotations

import pytest

from fairlead.errors import ArgumentError
from fairlead.proto.language import parse_tag


@pytest.mark.req("S-2640-LANG-1")
@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("en", ["EN"]),
        ("fr-CA", ["FR", "CA"]),
        ("i-klingon", ["I", "KLINGON"]),
        ("zh-Hans-CN", ["ZH", "HANS", "CN"]),
        ("abcdefgh-ABCDEFGH", ["ABCDEFGH", "ABCDEFGH"]),
    ],
)
def test_the_parts_of_a_tag(argument: str, parts: list[str]) -> None:
    assert parse_tag(argument) == parts


@pytest.mark.req("S-2640-LANG-2")
@pytest.mark.parametrize(
    "argument",
    ["", " ", "en ", "en US", "en_US", "en-", "-en", "en--us", "es-419", "abcdefghi", "e1", "\u00e9", "en\n"],
)
def test_anything_else_is_no_tag(argument: str) -> None:
    with pytest.raises(ArgumentError):
        parse_tag(argument)
