"""Times of LIST in UTC, by the MDTM of one file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.client.script import Step, data, door, on, session

EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
WITH_MDTM = (on("FEAT", "211-Features:\r\n MDTM\r\n211 End"),)
LINES = (
    b"drwxr-xr-x 2 me us 4096 2020-01-05 10:00 docs\r\n"
    b"-rw-r--r-- 1 me us    5 Jan  5  2020 old\r\n"
    b"-rw-r--r-- 1 me us    5 2020-07-05 12:34 a b\r\n"
    b"-rw-r--r-- 1 me us    5 2020-07-05 23:59 c\r\n"
)


def listed(path: str, *, lines: bytes = LINES) -> list[Step]:
    return [EPSV, on(f"LIST {path}".strip(), "150 go", data(lines), "226 done")]


def times(steps: Sequence[Step], path: str = "", again: Sequence[Step] = ()) -> list[str]:
    with session(*steps, *again, features=WITH_MDTM) as s:
        entries = s.ftp.scandir(path)
        if again:
            entries = s.ftp.scandir(path)
    return [f"{entry.modified:%d %H:%M}" for entry in entries if entry.modified is not None]


UNCHANGED = ["05 10:00", "05 00:00", "05 12:34", "05 23:59"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("20200705103412", ["05 08:00", "05 00:00", "05 10:34", "05 21:59"]),
        ("20200705173400", ["05 15:00", "05 00:00", "05 17:34", "06 04:59"]),
        ("20200705070459.25", ["05 04:30", "05 00:00", "05 07:04", "05 18:29"]),
        ("20200705123400", UNCHANGED),
        ("20200705122000", UNCHANGED),
        ("20200701123400", UNCHANGED),
        ("yesterday", UNCHANGED),
    ],
)
def test_the_time_of_one_file_tells_the_zone_of_all(told: str, expected: list[str]) -> None:
    assert times([*listed(""), on("MDTM a b", f"213 {told}")]) == expected


@pytest.mark.parametrize("reply", ["550 no such file", "500 what?", "213 "])
def test_where_it_is_not_told_the_times_stay(reply: str) -> None:
    assert times([*listed(""), on("MDTM a b", reply)], again=listed("")) == UNCHANGED


@pytest.mark.parametrize(("path", "name"), [("pub", "pub/a b"), ("pub/", "pub/a b"), ("/", "/a b")])
def test_it_is_asked_once_with_the_path_of_the_file(path: str, name: str) -> None:
    steps = [*listed(path), on(f"MDTM {name}", "213 20200705103400")]

    assert times(steps, path, again=listed(path)) == ["05 08:00", "05 00:00", "05 10:34", "05 21:59"]


def test_nothing_is_asked_where_no_file_has_a_time_of_day() -> None:
    assert times(listed("", lines=b"\r\n".join([*LINES.split(b"\r\n")[:2], b""]))) == UNCHANGED[:2]


def test_nothing_is_asked_of_a_server_that_does_not_announce_mdtm() -> None:
    with session(*listed("")) as s:
        assert s.ftp.scandir()[2].modified == datetime(2020, 7, 5, 12, 34, tzinfo=UTC)


def test_a_time_at_the_end_of_all_calendars_stays() -> None:
    lines = LINES + b"-rw-r--r-- 1 me us 5 9999-12-31 23:59 z\r\n-rw-r--r-- 1 me us 5 Feb 30 12:00 never\r\n"

    assert times([*listed("", lines=lines), on("MDTM a b", "213 20200705173400")])[-1] == "31 23:59"
