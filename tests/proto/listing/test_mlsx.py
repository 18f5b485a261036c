from __future__ import annotations

import os
import stat
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.facts import FACTS
from fairlead.proto.listing.dialects.mlsx import parse_mlsd
from fairlead.proto.listing.layout import Slot
from fairlead.proto.listing.mlsx import MlsxFormatter
from fairlead.proto.times import format_time

WHEN = 1_700_000_000
FILE = stat.S_IFREG | 0o644
DIRECTORY = stat.S_IFDIR | 0o755
LINK = stat.S_IFLNK | 0o777
OWNERS = {0: "root", 1: "50%;off me"}


def status(
    mode: int = FILE, *, size: int = 5, modified: int = WHEN, inode: int = 0xAB, device: int = 0x2F, uid: int = 0
) -> os.stat_result:
    return os.stat_result((mode, inode, device, 1, uid, uid, size, 0, modified, 0))


def formatter(*facts: str) -> MlsxFormatter:
    return MlsxFormatter(
        facts=facts or FACTS,
        perm=lambda of: "el" if stat.S_ISDIR(of.st_mode) else "r" if of.st_mode & 0o400 else "",
        owner=lambda uid: OWNERS.get(uid, ""),
        group=lambda gid: OWNERS.get(gid, ""),
    )


def test_links_show_as_what_they_lead_to_where_that_can_be_followed() -> None:
    known = {"good": status(DIRECTORY)}
    following = MlsxFormatter(
        facts={"type"}, perm=lambda _: "", owner=lambda _: "", group=lambda _: "", follow=known.get
    )

    data = following.lines([("good", status(LINK), "x"), ("bad", status(LINK), "y"), ("good", status(), None)])

    assert data == b"type=dir; good\r\ntype=OS.unix=slink:y; bad\r\ntype=file; good\r\n"


@given(st.frozensets(st.sampled_from(FACTS)), st.booleans())
def test_the_layout_says_the_same(facts: frozenset[str], directory: bool) -> None:
    of = status(DIRECTORY if directory else FILE, uid=1)
    layout = formatter(*facts, "").layout()
    filled = {Slot.SIZE: "5", Slot.MODIFIED: "20231114221320", Slot.INODE: "ab", Slot.NAME: "a"}

    line = "".join(filled[piece] if isinstance(piece, Slot) else piece for piece in layout.pieces(of))

    assert line.encode() == formatter(*facts, "").lines([("a", of, None)])
    assert (layout.masks, layout.follows) == (False, True)


class TestFormatting:
    @pytest.mark.req("S-3659-FACT-2", "S-3659-FACT-6", "S-3659-FACT-8", "S-3659-MLSD-1")
    def test_a_line_has_the_facts_a_space_and_the_name(self) -> None:
        data = formatter().lines([("a b", status(), None), ("d", status(DIRECTORY), None)])

        assert data == (
            b"type=file;size=5;modify=20231114221320;perm=r;unique=2fgab;"
            b"UNIX.mode=0644;UNIX.owner=root;UNIX.group=root; a b\r\n"
            b"type=dir;modify=20231114221320;perm=el;unique=2fgab;"
            b"UNIX.mode=0755;UNIX.owner=root;UNIX.group=root; d\r\n"
        )

    @pytest.mark.req("S-3659-OPTS-1")
    @given(st.frozensets(st.sampled_from(FACTS)), st.booleans())
    def test_only_the_selected_facts_are_sent(self, facts: frozenset[str], directory: bool) -> None:
        data = formatter(*facts, "").lines([("name", status(DIRECTORY if directory else FILE), None)])
        sent = [fact.partition("=")[0] for fact in data.decode().partition(" ")[0].split(";")[:-1]]

        assert sent == [fact for fact in FACTS if fact in facts and not (directory and fact == "size")]
        assert data.endswith(b" name\r\n")

    @pytest.mark.req("S-3659-MLST-3", "S-3659-OPTS-2")
    def test_without_facts_a_name_follows_one_space(self) -> None:
        assert formatter("").lines([("a", status(), None)]) == b" a\r\n"
        assert formatter("").line("/a", status()) == " /a"

    @pytest.mark.req("S-3659-FACT-5")
    def test_the_perm_fact_may_be_empty(self) -> None:
        assert formatter("perm").line("a", status(stat.S_IFREG)) == "perm=; a"

    @pytest.mark.req("S-3659-FACT-4")
    def test_one_file_has_one_unique_token_and_two_files_have_two(self) -> None:
        tokens = [
            formatter("unique").line("", status(inode=inode, device=device))
            for inode, device in [(1, 2), (1, 2), (2, 1), (0x12, 1), (1, 0x12)]
        ]

        assert tokens[0] == tokens[1]
        assert len(set(tokens)) == 4

    @pytest.mark.req("S-3659-FACT-6")
    @pytest.mark.parametrize("modified", [0, -1, 59, 86399, 86400, WHEN])
    def test_modify_is_what_mdtm_says(self, modified: int) -> None:
        said = formatter("modify").line("a", status(modified=modified))

        assert said == f"modify={format_time(modified * 10**9)}; a"

    @pytest.mark.parametrize(("modified", "day"), [(1 << 62, "99991231"), (-(1 << 62), "00010101")])
    def test_a_date_beyond_all_calendars_spoils_no_listing(self, modified: int, day: str) -> None:
        assert formatter("modify").line("a", status(modified=modified)).startswith(f"modify={day}")

    @pytest.mark.req("S-3659-FACT-3", "S-3659-FACT-8")
    @pytest.mark.parametrize(
        ("mode", "target", "kind"),
        [
            (LINK, "/x/y", "OS.unix=slink:/x/y"),
            (LINK, "a%sb", "OS.unix=slink:a%sb"),
            (LINK, "", "OS.unix=slink"),
            (LINK, None, "OS.unix=slink"),
            (LINK, "a b", "OS.unix=slink"),
            (LINK, "a;b", "OS.unix=slink"),
            (LINK, "a\nb", "OS.unix=slink"),
            (FILE, "/x/y", "file"),
            (DIRECTORY, "/x/y", "dir"),
            (stat.S_IFIFO, None, "OS.unix=fifo"),
            (stat.S_IFSOCK, None, "OS.unix=sock"),
            (stat.S_IFCHR, None, "OS.unix=chr"),
            (stat.S_IFBLK, None, "OS.unix=blk"),
            (0, None, "OS.unix=unknown"),
        ],
    )
    def test_what_is_neither_file_nor_directory_has_a_type_of_the_system(
        self, mode: int, target: str | None, kind: str
    ) -> None:
        assert formatter("type").line("a", status(mode), target) == f"type={kind}; a"
        assert formatter("type").lines([("a", status(mode), target)]) == f"type={kind}; a\r\n".encode()

    @pytest.mark.req("S-3659-FACT-2", "S-3659-MLST-1")
    def test_one_line_may_be_of_the_directory_itself(self) -> None:
        one = formatter("type", "modify")

        assert one.line("/d", status(DIRECTORY), kind="cdir") == "type=cdir;modify=20231114221320; /d"
        assert one.line("/d", status(DIRECTORY)) == "type=dir;modify=20231114221320; /d"

    @pytest.mark.req("S-3659-FACT-8")
    def test_owners_are_words_without_semicolons_and_numbers_where_there_is_no_name(self) -> None:
        assert formatter("UNIX.owner", "UNIX.group").line("a", status(uid=1)) == (
            "UNIX.owner=50%_off_me;UNIX.group=50%_off_me; a"
        )
        assert formatter("UNIX.owner", "UNIX.group").line("a", status(uid=2)) == "UNIX.owner=2;UNIX.group=2; a"

    @pytest.mark.req("S-3659-TVFS-1", "S-SEC-8")
    @pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\r\nb", "\r", "\n"])
    def test_a_name_that_no_line_can_carry_is_left_out(self, name: str) -> None:
        items = [("a", status(), None), (name, status(), None), ("%s", status(), None)]

        assert formatter("size").lines(items) == b"size=5; a\r\nsize=5; %s\r\n"

    @pytest.mark.req("S-2640-UTF-2")
    def test_names_go_out_as_the_octets_they_are(self) -> None:
        names = ["é", "\udce9\udcff", " a ", "a;b=c", "%"]

        assert formatter("").lines([(name, status(), None) for name in names]).decode("utf-8", "surrogateescape") == (
            "".join(f" {name}\r\n" for name in names)
        )

    def test_more_owners_and_times_than_are_remembered_are_shown_rightly(self) -> None:
        many = formatter()
        items = [(str(at), status(device=at, modified=WHEN - at * 60), None) for at in range(9000)]

        assert many.lines(items) == b"".join(formatter().lines([item]) for item in items)


NAMES = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1, max_size=6
) | st.just("\udce9")


@pytest.mark.req("C-3659-MLS-1", "S-3659-MLSD-1")
@given(
    name=NAMES,
    mode=st.integers(0, 0o7777),
    directory=st.booleans(),
    size=st.integers(0, 1 << 63),
    modified=st.integers(-(10**9), 10**11),
    uid=st.sampled_from([0, 7]),
)
def test_what_a_server_lists_a_client_reads(
    name: str, mode: int, directory: bool, size: int, modified: int, uid: int
) -> None:
    of = status((stat.S_IFDIR if directory else stat.S_IFREG) | mode, size=size, modified=modified, uid=uid)
    line = formatter().lines([(name, of, None)]).decode("utf-8", "surrogateescape").removesuffix("\r\n")

    assert parse_mlsd(line) == Entry(
        name=name,
        kind=Kind.DIRECTORY if directory else Kind.FILE,
        size=None if directory else size,
        modified=datetime.fromtimestamp(modified, UTC),
        permissions=stat.filemode(mode)[1:],
        owner="root" if uid == 0 else "7",
        group="root" if uid == 0 else "7",
        unique="2fgab",
        raw=line,
    )
