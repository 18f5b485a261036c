"""Listings in whatever way the server gives them."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import pytest

from fairlead.client import _listing
from fairlead.client._face import session_of
from fairlead.client._wires.blocking import step
from fairlead.errors import LimitError, PermanentError, ProtocolError, TransferError
from fairlead.proto.entry import Kind
from tests.client.script import WITH_MLST, Action, Step, data, door, later, on, session

EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
MLSD = (
    b"type=cdir;modify=20200101000000; /pub\r\n"
    b"type=pdir; ..\r\n"
    b"Size=5;TYPE=file;x.y=z;modify=20200102030405.5; a;b=c  d\r\n"
    b"modify=20200101000000;type=dir;perm=el; sub\r\n"
    b"type=OS.unix=slink:/target;size=3; link\r\n"
    b"type=file;size=1; \xff\xfe\r\n"
)
UNIX = (
    b"total 8\r\n"
    b"drwxr-xr-x   2 0        0            4096 Jan 05  2020 sub dir\r\n"
    b"-rw-r--r--   1 me       us              5 Jan 02  2020 file\r\n"
    b"lrwxrwxrwx   1 me       us              6 Jan 02  2020 link -> target\r\n"
    b"something else\r\n"
)
DOS = b"01-05-20  01:45PM       <DIR>          sub\r\n01-02-20  03:04AM                    5 file\r\n"
OS400 = (
    b"SMITH            8192 01/05/20 12:34:56 *DIR       sub/\r\n"
    b"SMITH               5 01/05/20 12:34:56 *STMF      file\r\n"
)
EPLF = b"+i8388621.29609,m824255902,/,\tsub\r\n+s5,r,\tfile\r\n"


@pytest.mark.req("C-3659-MLS-1", "C-3659-MLS-3", "C-2640-CMD-2")
def test_machine_listing_where_the_server_has_it() -> None:
    with session(EPSV, on("MLSD /pub", "150 go", data(MLSD), "226 done"), features=WITH_MLST) as s:
        entries = s.ftp.scandir("/pub")
    assert [(entry.name, entry.kind, entry.size) for entry in entries] == [
        ("a;b=c  d", Kind.FILE, 5),
        ("sub", Kind.DIRECTORY, None),
        ("link", Kind.LINK, 3),
        ("\udcff\udcfe", Kind.FILE, 1),
    ]
    assert entries[0].modified == datetime(2020, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)


def test_machine_listing_as_it_came() -> None:
    with session(EPSV, on("MLSD /pub", "150 go", data(MLSD), "226 done"), features=WITH_MLST) as s:
        assert s.ftp.machine_listing("/pub") == MLSD


def test_there_is_no_machine_listing_where_the_server_has_none() -> None:
    with session() as s:
        assert s.ftp.machine_listing("/pub") is None


@pytest.mark.parametrize("collects", [True, False])
def test_nobody_looks_for_circles_while_a_listing_is_read(collects: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile: list[bool] = []

    def read(*_: object, **__: object) -> None:
        meanwhile.append(gc.isenabled())
        raise RuntimeError

    monkeypatch.setattr("fairlead.proto.listing.read_listing", read)
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        with pytest.raises(RuntimeError):
            _listing.read_machine_listing(MLSD)
        assert (meanwhile, gc.isenabled()) == ([False], collects)
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.req("C-3659-MLS-3")
@pytest.mark.parametrize("listing", [UNIX, UNIX.replace(b"\r\n", b"\n"), DOS, EPLF, OS400])
def test_list_is_read_in_any_dialect_where_there_is_no_machine_listing(listing: bytes) -> None:
    with session(EPSV, on("LIST", "150 go", data(listing), "226 done")) as s:
        entries = s.ftp.scandir()
    kinds = {entry.name: entry.kind for entry in entries}
    assert kinds["file"] is Kind.FILE
    assert Kind.DIRECTORY in kinds.values()


def test_names() -> None:
    with session(EPSV, on("NLST pub", "150 go", data(b"a\r\nb c\r\n\xff\r\n"), "226 done")) as s:
        assert s.ftp.names("pub") == ["a", "b c", "\udcff"]


@pytest.mark.parametrize("refusal", ["550 No files found.", "450 No files found", "550 The directory is empty"])
def test_empty_directory_that_is_told_as_a_failure(refusal: str) -> None:
    with session(EPSV, on("NLST", refusal)) as s:
        assert s.ftp.names() == []


def test_missing_directory_is_a_failure() -> None:
    with session(EPSV, on("NLST x", "550 No such file or directory")) as s, pytest.raises(PermanentError):
        s.ftp.names("x")


@pytest.mark.req("C-1123-UI-1")
@pytest.mark.parametrize("path", ["-x", "a b", "*", "~", "[a]"])
def test_path_that_list_could_misread_is_entered_and_left_again(path: str) -> None:
    steps = (
        on("PWD", '257 "/here"'),
        on(f"CWD {path}", "250 ok"),
        EPSV,
        on("LIST", "150 go", data(UNIX), "226 done"),
        on("CWD /here", "250 ok"),
    )
    with session(*steps) as s:
        assert len(s.ftp.scandir(path)) == 3


def test_working_directory_is_restored_when_the_listing_fails() -> None:
    steps = (
        on("PWD", '257 "/here"'),
        on("CWD a b", "250 ok"),
        EPSV,
        on("LIST", "150 go", data(b"oct"), "451 disk trouble"),
        on("CWD /here", "250 ok"),
    )
    with session(*steps) as s, pytest.raises(TransferError):
        s.ftp.scandir("a b")


def test_machine_listing_that_ends_within_a_line_is_not_whole() -> None:
    steps = (
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on("MLSD", "150 go", data(b"type=file; a\r\ntype=fi"), "226 ok"),
    )
    with session(*steps, features=WITH_MLST) as s, pytest.raises(TransferError, match="within a line, after 21 bytes"):
        s.ftp.scandir()


def test_endless_listing_is_cut_off() -> None:
    from fairlead.client.settings import Settings

    with session(
        EPSV,
        on("LIST", "150 go", data(UNIX * 10, end=False)),
        on("ABOR", "426 aborted", "226 done"),
        on("NOOP", "200 ok"),
        on("PWD", '257 "/"'),
    ) as s:
        s.ftp._session.settings = Settings(listing_limit=100)
        with pytest.raises(LimitError):
            s.ftp.scandir()
        assert s.ftp.pwd() == "/"


def test_debug_shows_each_line_of_a_listing_once_and_whole() -> None:
    pieces = on("LIST", "150 go", data(b"fir", end=False), later(1, data(b"st\r\nsecond \x1b[2J\r\n"), "226 done"))
    with session(EPSV, pieces) as s:
        s.ftp.scandir()
    assert [line for line in s.lines if line.startswith(("fir", "st\n", "sec"))] == ["first", "second ?[2J"]


@pytest.mark.req("C-3659-MLS-2")
def test_facts_of_one_file() -> None:
    reply = "250-Listing a\r\n type=file;size=7; /pub/a b\r\n250 End"
    with session(on("MLST a b", reply)) as s:
        entry = s.ftp.stat("a b")
    assert (entry.name, entry.size, entry.kind) == ("/pub/a b", 7, Kind.FILE)


@pytest.mark.req("C-3659-MLS-2")
@pytest.mark.parametrize("reply", ["250 nothing", "250-a\r\nb\r\n250 c"])
def test_reply_without_facts(reply: str) -> None:
    with session(on("MLST a", reply)) as s, pytest.raises(ProtocolError):
        s.ftp.stat("a")


def test_facts_of_what_is_not_there() -> None:
    with session(on("MLST a", "550 none")) as s, pytest.raises(PermanentError, match="MLST a"):
        s.ftp.stat("a")


def test_list_where_the_server_promised_mlsd_but_does_not_know_it() -> None:
    steps = (
        EPSV,
        on("MLSD", "502 not here"),
        on("EPSV", door(5002), "229 ok (|||5002|)"),
        on("LIST", "150 go", data(UNIX), "226 done"),
        on("EPSV", door(5003), "229 ok (|||5003|)"),
        on("LIST", "150 go", data(UNIX), "226 done"),
    )
    with session(*steps, features=WITH_MLST) as s:
        for _ in range(2):
            assert len(s.ftp.scandir()) == 3


def test_refused_machine_listing_is_no_reason_for_another() -> None:
    with session(EPSV, on("MLSD x", "550 none"), features=WITH_MLST) as s, pytest.raises(PermanentError):
        s.ftp.scandir("x")


def test_interrupted_listing_of_another_directory_ends_the_session() -> None:
    class Stop(BaseException):
        pass

    def stop(record: object) -> None:
        if str(record).startswith("total"):
            raise Stop

    steps = (on("PWD", '257 "/here"'), on("CWD a b", "250 ok"), EPSV, on("LIST", "150 go", data(UNIX)))
    with session(*steps) as s:
        s.ftp._session.control._trace = stop
        with pytest.raises(Stop):
            s.ftp.scandir("a b")
        assert not s.ftp.connected


def held(directory: str, *listed: Step) -> list[str]:
    """The names that :func:`contents` has of ``directory``, when the server, without MLSD, is asked for ``listed``."""
    here = [on("PWD", '257 "/"'), on(f"CWD {directory}", "250 ok")] if directory else []
    back = [on("CWD /", "250 ok")] if directory else []
    with session(*here, *listed, *back) as s:
        return [entry.name for entry in step(_listing.contents(session_of(s.ftp), directory))]


HIDDEN = b"drwxr-xr-x   2 0        0            4096 Jan 05  2020 .\r\n" + UNIX.replace(b" file", b" .file")


@pytest.mark.parametrize("directory", ["", "pub"])
def test_directory_is_entered_and_listed_with_what_is_hidden(directory: str) -> None:
    assert held(directory, EPSV, on("LIST -a", "150 go", data(HIDDEN), "226 done")) == ["sub dir", ".file", "link"]


@pytest.mark.parametrize(
    "answer",
    [("150 go", data(b""), "226 done"), ("550 no such file",), ("501 what?",), ("150 go", data(UNIX), "226 done")],
)
def test_server_that_does_not_know_the_option_is_asked_without_it(answer: tuple[Action, ...]) -> None:
    again = on("EPSV", door(5002), "229 ok (|||5002|)"), on("LIST", "150 go", data(UNIX), "226 done")
    assert held("pub", EPSV, on("LIST -a", *answer), *again) == ["sub dir", "file", "link"]


def test_directory_that_is_not_there_is_none_that_is_empty() -> None:
    steps = on("PWD", '257 "/"'), on("CWD none", "550 no")
    with session(*steps) as s, pytest.raises(PermanentError):
        step(_listing.contents(session_of(s.ftp), "none"))


def test_directory_that_could_not_be_opened_is_none_that_is_empty() -> None:
    said = "226 Transfer done (but failed to open directory)."
    reason = "could not open the directory: 226 Transfer done"
    with session(EPSV, on("LIST", "150 go", data(b""), said)) as s, pytest.raises(TransferError, match=reason):
        s.ftp.scandir()
