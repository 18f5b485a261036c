from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.times import SECOND, format_time, moment, parse_server_time, parse_time

FIRST = parse_time("00010101000000")
LAST = parse_time("99991231235959")


@pytest.mark.req("S-3659-MDTM-1")
@pytest.mark.parametrize(
    ("ns", "whole", "exact"),
    [
        (0, "19700101000000", "19700101000000"),
        (1_700_000_000 * SECOND, "20231114221320", "20231114221320"),
        (1_700_000_000 * SECOND + 500_000_000, "20231114221320", "20231114221320.5"),
        (1_700_000_000 * SECOND + 1, "20231114221320", "20231114221320.000000001"),
        (-1, "19691231235959", "19691231235959.999999999"),
        (LAST, "99991231235959", "99991231235959"),
    ],
)
def test_a_time_is_utc_and_has_a_fraction_only_where_there_is_one(ns: int, whole: str, exact: str) -> None:
    assert format_time(ns) == whole
    assert format_time(ns, fraction=True) == exact


@pytest.mark.parametrize(("ns", "text"), [(LAST * 100, "99991231235959"), (FIRST * 100, "00010101000000")])
def test_a_year_that_four_digits_cannot_tell_becomes_the_nearest_they_can(ns: int, text: str) -> None:
    assert format_time(ns) == text


@pytest.mark.req("C-3659-TIME-1")
@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("20231114221320", 1_700_000_000 * SECOND),
        ("20231114221320.5", 1_700_000_000 * SECOND + 500_000_000),
        ("20231114221320.000000001999", 1_700_000_000 * SECOND + 1),
        ("20231114221360", 1_700_000_040 * SECOND),
        ("20161231235960", 1_483_228_800 * SECOND),
        ("20240229000000", 1_709_164_800 * SECOND),
    ],
)
def test_fractions_and_the_second_60_are_read(text: str, ns: int) -> None:
    assert parse_time(text) == ns
    assert parse_server_time(text) == ns


@pytest.mark.req("S-MFXX-2")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023111422132",
        "202311142213200",
        "20231114221320.",
        "20231114221320 ",
        "+0231114221320",
        "2023-11-14 22:13:20",
        "20230230000000",
        "20231314000000",
        "20230229000000",
        "20231100000000",
        "20231114240000",
        "20231114226000",
        "20231114221361",
        "00000101000000",
        "٢٠٢٣١١١٤٢٢١٣٢٠",
    ],
)
def test_another_form_or_a_time_that_does_not_exist_is_malformed(text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_time(text)


@pytest.mark.req("C-3659-TIME-1")
@pytest.mark.parametrize(
    ("text", "meant"), [("191000101120000", "20000101120000"), ("191231114221320.5", "20231114221320.5")]
)
def test_the_year_19100_of_a_server_is_2000(text: str, meant: str) -> None:
    assert parse_server_time(text) == parse_time(meant)


@given(st.integers(FIRST, LAST + SECOND - 1))
def test_what_is_formatted_is_read_back(ns: int) -> None:
    assert parse_time(format_time(ns, fraction=True)) == ns
    assert parse_time(format_time(ns)) == ns - ns % SECOND


def test_a_moment_is_aware_and_in_utc() -> None:
    assert moment(1_700_000_000_123_456_789) == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert moment(-1) == datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
