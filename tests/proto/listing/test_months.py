from __future__ import annotations

import pytest

from fairlead.proto.listing import months
from fairlead.proto.listing.dialects.unix import parse_unix
from fairlead.proto.listing.months import MONTHS_BY_NAME

NAMES = [(name, at + 1) for names in months._NAMES.values() for at, name in enumerate(names.split())]


def test_each_language_has_twelve() -> None:
    assert {len(names.split()) for names in months._NAMES.values()} == {12}


def test_no_name_means_two_months() -> None:
    for name, month in [*NAMES, *months._OTHERS.items()]:
        assert MONTHS_BY_NAME[name] == month


@pytest.mark.parametrize("encoding", months._ENCODINGS)
def test_no_octets_mean_two_months(encoding: str) -> None:
    for name, month in [*NAMES, *months._OTHERS.items()]:
        octets = name.encode(encoding, "ignore")
        if octets.decode(encoding) == name:
            assert MONTHS_BY_NAME[octets.decode("utf-8", "surrogateescape")] == month


@pytest.mark.parametrize("form", ["{} 5 2020", "{}.  5  2020", "5 {} 2020", " 5. {} 2020"])
@pytest.mark.parametrize(("name", "month"), sorted(set(NAMES)))
def test_a_line_of_ls_is_read_in_each_language(form: str, name: str, month: int) -> None:
    entry = parse_unix(f"-rw-r--r-- 1 me us 7 {form.format(name.capitalize())} x", now=1_710_000_000.0)

    assert entry is not None
    assert entry.modified is not None
    assert (entry.name, entry.modified.month, entry.modified.day) == ("x", month, 5)
