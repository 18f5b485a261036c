from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.unix import parse_unix
from fairlead.proto.listing.layout import ARROW, SIZE_WIDTH, Slot
from fairlead.proto.listing.unix import MONTHS, RECENT, UnixFormatter

NOW = datetime(2024, 3, 10, 12, 0, tzinfo=UTC).timestamp()
OWNERS = {0: "root", 1000: "me", 1001: "two words", 1002: " "}
FILE = stat.S_IFREG | 0o644
DIRECTORY = stat.S_IFDIR | 0o755
LINK = stat.S_IFLNK | 0o777


def status(
    mode: int = FILE, *, size: int = 0, modified: float = NOW, links: int = 1, uid: int = 0, gid: int = 0
) -> os.stat_result:
    return os.stat_result((mode, 7, 1, links, uid, gid, size, 0, int(modified), 0))


def formatter(*, now: float = NOW, utc: bool = True) -> UnixFormatter:
    return UnixFormatter(now=now, owner=lambda uid: OWNERS.get(uid, ""), group=lambda gid: OWNERS.get(gid, ""), utc=utc)


def line(name: str = "name", target: str | None = None, *, of: os.stat_result | None = None, utc: bool = True) -> str:
    data = formatter(utc=utc).lines([(name, of or status(), target)])
    return data.decode("utf-8", "surrogateescape").removesuffix("\r\n")


@contextmanager
def zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


@pytest.mark.parametrize("utc", [True, False])
def test_the_layout_says_the_same(utc: bool) -> None:
    of = status(uid=1001, size=123)
    layout = formatter(utc=utc).layout()
    filled = {Slot.SIZE_COLUMN: "123".rjust(SIZE_WIDTH), Slot.DATE: line(of=of)[-17:-5], Slot.NAME: "name"}

    shown = "".join(filled.get(piece, f"{ARROW}x") if isinstance(piece, Slot) else piece for piece in layout.pieces(of))

    assert shown == line(of=of, target="x") + "\r\n"
    assert (layout.masks, layout.follows, layout.utc) == (True, False, utc)
    assert int(NOW) // 60 in layout.recent
    assert int(NOW - RECENT) // 60 not in layout.recent


class TestFormatting:
    @pytest.mark.req("S-DF-LIST-1")
    @pytest.mark.parametrize(
        ("of", "expected"),
        [
            (status(size=4096), "-rw-r--r--   1 root     root             4096 Mar 10 12:00 name"),
            (status(DIRECTORY, links=12, uid=1000), "drwxr-xr-x  12 me       root                0 Mar 10 12:00 name"),
            (status(stat.S_IFIFO | 0o600), "prw-------   1 root     root                0 Mar 10 12:00 name"),
            (status(stat.S_IFREG | 0o7777), "-rwsrwsrwt   1 root     root                0 Mar 10 12:00 name"),
            (status(size=1 << 50), "-rw-r--r--   1 root     root     1125899906842624 Mar 10 12:00 name"),
        ],
    )
    def test_the_columns_are_those_of_ls(self, of: os.stat_result, expected: str) -> None:
        assert line(of=of) == expected

    @pytest.mark.req("S-DF-LIST-1", "S-DF-LIST-10")
    @pytest.mark.parametrize(
        ("uid", "shown"), [(0, "root"), (1000, "me"), (1001, "two_words"), (1002, "1002"), (12345, "12345")]
    )
    def test_an_owner_is_one_word_and_a_number_where_there_is_no_name(self, uid: int, shown: str) -> None:
        assert line(of=status(uid=uid, gid=uid)).split()[2:4] == [shown, shown]

    @pytest.mark.req("S-DF-LIST-2")
    @pytest.mark.parametrize(
        ("modified", "shown"),
        [
            (NOW, "Mar 10 12:00"),
            (NOW - 3600, "Mar 10 11:00"),
            (datetime(2024, 1, 5, 1, 2, 59, tzinfo=UTC).timestamp(), "Jan  5 01:02"),
            (NOW - RECENT + 60, "Sep 12 12:01"),
            (NOW - RECENT, "Sep 12  2023"),
            (NOW + 59, "Mar 10 12:00"),
            (NOW + 120, "Mar 10  2024"),
            (NOW + 86400, "Mar 11  2024"),
            (0, "Jan  1  1970"),
            (-1, "Dec 31  1969"),
        ],
    )
    def test_a_date_shows_its_time_for_half_a_year_and_its_year_before_and_after(
        self, modified: float, shown: str
    ) -> None:
        assert line(of=status(modified=modified)).removesuffix(" name").endswith(f" {shown}")

    @pytest.mark.req("S-DF-LIST-2")
    def test_months_are_english(self) -> None:
        shown = [
            line(of=status(modified=datetime(2020, month, 1, tzinfo=UTC).timestamp())).split()[5]
            for month in range(1, 13)
        ]

        assert shown == list(MONTHS)

    @pytest.mark.parametrize("modified", [1 << 62, -(1 << 62)])
    def test_a_date_beyond_all_calendars_spoils_no_listing(self, modified: int) -> None:
        assert line(of=status(modified=modified)).endswith(" Dec 31  9999 name")

    @pytest.mark.req("S-DF-LIST-3")
    def test_dates_are_utc_or_local_as_is_wished(self) -> None:
        with zone("XYZ-02:30"):
            assert line().split()[7] == "12:00"
            assert line(utc=False).split()[7] == "14:30"

    @pytest.mark.req("S-DF-LIST-4")
    def test_a_link_shows_its_target(self) -> None:
        assert line("a", "b c", of=status(LINK, size=3)).endswith(" 12:00 a -> b c")

    @pytest.mark.req("S-DF-LIST-4", "S-2640-UTF-2")
    @pytest.mark.parametrize("name", ["a b", " a", "a ", "é", "日本", '"', "a -> b"])
    def test_names_are_not_changed(self, name: str) -> None:
        assert line(name).endswith(f" 12:00 {name}")

    @pytest.mark.req("S-2640-UTF-2")
    def test_names_that_are_not_utf_8_go_out_as_their_octets(self) -> None:
        assert formatter().lines([("\udce9\udcff", status(), None)]).endswith(b" 12:00 \xe9\xff\r\n")

    @pytest.mark.req("S-DF-LIST-12", "S-SEC-8")
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("a\nb", "a?b"),
            ("a\r\nb", "a??b"),
            ("\x1b[2J", "?[2J"),
            ("\x7f", "?"),
            ("\t", "?"),
            ("a\r", "a?"),
            ("\n", "?"),
        ],
    )
    def test_control_characters_show_as_question_marks_and_make_no_lines(self, name: str, shown: str) -> None:
        lines = formatter().lines([("x", status(), None), (name, status(), None), ("é", status(LINK), name)])

        assert [text[text.index(b"12:00 ") + 6 :].decode() for text in lines.split(b"\r\n")[:-1]] == [
            "x",
            shown,
            f"é -> {shown}",
        ]

    @pytest.mark.req("S-DF-LIST-12", "S-DF-LIST-5")
    def test_each_line_ends_with_cr_lf_and_there_is_no_other(self) -> None:
        data = formatter().lines([(name, status(), None) for name in "abc"])

        assert [text[-1:] for text in data.split(b"\r\n")] == [b"a", b"b", b"c", b""]
        assert formatter().lines([]) == b""

    def test_more_owners_and_dates_than_are_remembered_are_shown_rightly(self) -> None:
        many = formatter()
        items = [(str(at), status(links=at, modified=NOW - at * 60), None) for at in range(9000)]

        assert many.lines(items) == b"".join(formatter().lines([item]) for item in items)
        assert many.lines(items) == many.lines(items)


class TestParsing:
    @pytest.mark.req("C-3659-MLS-3")
    def test_a_line_of_ls_is_an_entry(self) -> None:
        text = "-rw-r--r--   1 owner    group        1024 Jan  5 12:34 name"

        assert parse_unix(text, now=NOW) == Entry(
            name="name",
            kind=Kind.FILE,
            size=1024,
            modified=datetime(2024, 1, 5, 12, 34, tzinfo=UTC),
            permissions="rw-r--r--",
            owner="owner",
            group="group",
            raw=text,
        )

    def test_a_link_has_a_target(self) -> None:
        text = "lrwxrwxrwx 1 0 100 2 Mar  1  2020 a -> bc"

        assert parse_unix(text, now=NOW) == Entry(
            name="a",
            kind=Kind.LINK,
            size=2,
            modified=datetime(2020, 3, 1, tzinfo=UTC),
            permissions="rwxrwxrwx",
            owner="0",
            group="100",
            target="bc",
            raw=text,
        )

    @pytest.mark.req("C-3659-MLS-3")
    @pytest.mark.parametrize(
        ("text", "owner", "group", "size"),
        [
            ("-rw-r--r-- 1 me us 5 Jan  5  2020 x", "me", "us", 5),
            ("-rw-r--r-- 1 1000 100 5 Jan  5  2020 x", "1000", "100", 5),
            ("-rw-r--r-- 1 me 5 Jan  5  2020 x", "me", None, 5),
            ("-rw-r--r-- me us 5 Jan  5  2020 x", "me", "us", 5),
            ("-rw-r--r-- 1 5 Jan  5  2020 x", None, None, 5),
            ("-rw-r--r-- 5 Jan  5  2020 x", None, None, 5),
            ("-rw-r--r--+ 1 DOM\\Some Body domain_users 5 Jan  5  2020 x", "DOM\\Some Body", "domain_users", 5),
            ("-rw-r--r--. 1 me us 5 Jan  5  2020 x", "me", "us", 5),
            ("-rw-r--r--@ 1 me us 5 Jan  5  2020 x", "me", "us", 5),
            ("brw-rw---- 1 root disk 8, 0 Jan  5  2020 x", "root", "disk", None),
            ("crw-rw---- 1 root tty 4,64 Jan  5  2020 x", "root", "tty", None),
            ("-rw-r--r-- 1 me us 18446744073709551616 Jan  5  2020 x", "me", "us", 1 << 64),
        ],
    )
    def test_columns_may_be_missing_or_wide(
        self, text: str, owner: str | None, group: str | None, size: int | None
    ) -> None:
        entry = parse_unix(text, now=NOW)

        assert entry is not None
        assert (entry.owner, entry.group, entry.size, entry.name) == (owner, group, size, "x")

    @pytest.mark.parametrize(
        ("letter", "kind"),
        [
            ("-", Kind.FILE),
            ("d", Kind.DIRECTORY),
            ("l", Kind.LINK),
            ("b", Kind.OTHER),
            ("s", Kind.OTHER),
            ("D", Kind.DIRECTORY),
        ],
    )
    def test_the_first_letter_is_the_kind(self, letter: str, kind: Kind) -> None:
        entry = parse_unix(f"{letter}rw-r--r-- 1 me us 5 Jan  5  2020 x", now=NOW)

        assert entry is not None
        assert entry.kind is kind

    @pytest.mark.req("C-3659-MLS-3")
    @pytest.mark.parametrize(
        ("date", "expected"),
        [
            ("Jan  5  2020", datetime(2020, 1, 5, tzinfo=UTC)),
            ("Jan 05 2020", datetime(2020, 1, 5, tzinfo=UTC)),
            ("JAN  5  2020", datetime(2020, 1, 5, tzinfo=UTC)),
            ("5 Jan 2020", datetime(2020, 1, 5, tzinfo=UTC)),
            ("5. Jan 2020", datetime(2020, 1, 5, tzinfo=UTC)),
            ("Jan  5  0:07", datetime(2024, 1, 5, 0, 7, tzinfo=UTC)),
            ("5 Jan 12:34", datetime(2024, 1, 5, 12, 34, tzinfo=UTC)),
            ("Jan  5 12:34:56 2020", datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC)),
            ("2020-01-05 12:34", datetime(2020, 1, 5, 12, 34, tzinfo=UTC)),
            ("2020-01-05 12:34:56", datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC)),
            ("2020-01-05 12:34:56.000000000 +0230", datetime(2020, 1, 5, 10, 4, 56, tzinfo=UTC)),
            ("Mar 10 12:00", datetime(2024, 3, 10, 12, 0, tzinfo=UTC)),
            ("Mar 11 11:59", datetime(2024, 3, 11, 11, 59, tzinfo=UTC)),
            ("Mar 11 12:01", datetime(2023, 3, 11, 12, 1, tzinfo=UTC)),
            ("Dec 31 23:59", datetime(2023, 12, 31, 23, 59, tzinfo=UTC)),
            ("Feb 29 00:00", datetime(2024, 2, 29, tzinfo=UTC)),
            ("Feb 30 00:00", None),
            ("Feb 30  2020", None),
            ("Jan  5 24:00", None),
            ("2020-02-30 12:34", None),
            ("2020-01-05 12:34 +9999", None),
        ],
    )
    def test_dates_come_in_several_forms_and_a_missing_year_is_the_latest_possible(
        self, date: str, expected: datetime | None
    ) -> None:
        entry = parse_unix(f"-rw-r--r-- 1 me us 5 {date} x", now=NOW)

        assert entry is not None
        assert (entry.name, entry.modified) == ("x", expected)

    def test_the_29th_of_february_is_in_the_last_leap_year(self) -> None:
        entry = parse_unix("-rw-r--r-- 1 me us 5 Feb 29 12:00 x", now=datetime(2027, 1, 1, tzinfo=UTC).timestamp())

        assert entry is not None
        assert entry.modified == datetime(2024, 2, 29, 12, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        "name", ["x", " x", "x ", "a b", "é", "\udce9", "Jan  5 12:34 x", "5 Jan  5  2020 x", "a -> b"]
    )
    def test_a_name_is_all_that_follows_one_space(self, name: str) -> None:
        entry = parse_unix(f"-rw-r--r-- 1 me us 5 Jan  5  2020 {name}", now=NOW)

        assert entry is not None
        assert (entry.name, entry.target) == (name, None)

    @pytest.mark.parametrize(
        ("shown", "size", "name", "target"),
        [
            ("a -> b", 1, "a", "b"),
            ("a -> b -> cc", 2, "a -> b", "cc"),
            ("a -> b -> cc", 7, "a", "b -> cc"),
            ("a -> b -> cc", 0, "a", "b -> cc"),
            ("a -> é", 2, "a", "é"),
            ("a", 1, "a", None),
        ],
    )
    def test_the_size_of_a_link_tells_which_arrow_is_its_own(
        self, shown: str, size: int, name: str, target: str | None
    ) -> None:
        entry = parse_unix(f"lrwxrwxrwx 1 me us {size} Jan  5  2020 {shown}", now=NOW)

        assert entry is not None
        assert (entry.name, entry.target) == (name, target)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "total 8",
            "-rw-r--r--",
            "-rwxrwxrwx1 me us 5 Jan  5  2020 x",
            "-rw-r--r-- 1 me us 5 Jan  5  2020 ",
            "-rw-r--r-- 1 me us 5 Jan  5  2020",
            "-rw-r--r-- 1 me us Jan  5  2020 x",
            "-rw-r--r-- 1 me us 5 Xyz  5  2020 x",
            "-rw-r--r-- 1 me us 5 x",
            "zzzzzzzzzz 1 me us 5 Jan  5  2020 x",
            "01-05-20  12:34PM       <DIR>          x",
            "ls: cannot access x: No such file or directory",
        ],
    )
    def test_other_lines_are_none(self, text: str) -> None:
        assert parse_unix(text, now=NOW) is None

    @pytest.mark.parametrize("part", [" ", " 1", "1", " 1, ", " 1 Jan", "Jan 1 ", "-"])
    def test_a_line_made_to_be_slow_is_not(self, part: str) -> None:
        assert parse_unix("-rw-r--r-- " + part * 100_000, now=NOW) is None


NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from(["\udce9", " ", ">", "-"]), min_size=1, max_size=6
)
RIGHTS = st.integers(0, 0o777)


@pytest.mark.req("C-3659-MLS-3", "S-DF-LIST-1", "S-DF-LIST-2")
@given(
    name=NAMES,
    mode=RIGHTS,
    kind=st.sampled_from([stat.S_IFREG, stat.S_IFDIR, stat.S_IFIFO]),
    size=st.integers(0, 1 << 63),
    links=st.integers(1, 99999),
    uid=st.sampled_from([0, 1000, 4321]),
    age=st.integers(0, 2 * RECENT),
)
def test_what_a_server_lists_a_client_reads(
    name: str, mode: int, kind: int, size: int, links: int, uid: int, age: int
) -> None:
    modified = int(NOW) - age
    of = status(kind | mode, size=size, modified=modified, links=links, uid=uid)
    entry = parse_unix(line(name, of=of), now=NOW)
    moment = datetime.fromtimestamp(modified, UTC)

    assert entry is not None
    assert (entry.name, entry.size, entry.owner, entry.group) == (name, size, OWNERS.get(uid, str(uid)), "root")
    assert entry.permissions == stat.filemode(of.st_mode)[1:]
    assert entry.modified in {moment.replace(second=0), moment.replace(hour=0, minute=0, second=0)}
    assert age >= RECENT - 60 or entry.modified == moment.replace(second=0)


@pytest.mark.req("S-DF-LIST-4")
@given(NAMES, NAMES)
def test_a_link_that_a_server_lists_a_client_reads(name: str, target: str) -> None:
    size = len(target.encode("utf-8", "surrogateescape"))
    entry = parse_unix(line(name, target, of=status(LINK, size=size)), now=NOW)

    assert entry is not None
    assert (entry.kind, f"{entry.name} -> {entry.target}") == (Kind.LINK, f"{name} -> {target}")


def test_times_of_all_half_years_are_inferred_rightly() -> None:
    for day in range(0, 800, 5):
        now = NOW + day * 86400
        for age in range(0, RECENT, 86400 * 3):
            moment = datetime.fromtimestamp(now - age, UTC).replace(second=0)
            entry = parse_unix(f"-rw-r--r-- 1 me us 5 {MONTHS[moment.month - 1]} {moment:%d %H:%M} x", now=now)

            assert entry is not None
            assert entry.modified == moment


def test_a_year_beyond_half_a_year_ago_is_shown_so_that_none_need_be_guessed() -> None:
    for day in range(400):
        shown = line(of=status(modified=NOW - day * 86400)).split()[7]

        assert bool(re.fullmatch(r"\d{4}", shown)) == (timedelta(days=day) >= timedelta(seconds=RECENT))
