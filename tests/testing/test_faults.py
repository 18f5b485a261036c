"""Each fault does what its declaration says, and nothing else; seen by the client of the standard library."""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from typing import Any

import pytest

from fairlead.proto.address import parse_epsv_reply
from fairlead.testing import FAULTS, Fault, MisbehavingServer, misbehave
from fairlead.testing.faults.control import LateGreeting, LongLine, ServiceEnds
from fairlead.testing.faults.data import EarlyReply, ForeignAddress, SlowBytes
from fairlead.testing.faults.tls import INJECTED
from fairlead.testing.misbehaving import FILES

QUICK = 0.3
"""Seconds after which nothing more is expected to come."""
TRICKLE = 256
"""Octets at once that are not the beginning of many."""
FILE = FILES["/file.bin"]


@contextmanager
def logged_in(*faults: Fault | str, **options: Any) -> Iterator[tuple[ftplib.FTP, MisbehavingServer]]:
    with misbehave(*faults, **options) as server, closing(ftplib.FTP()) as ftp:  # which says no QUIT
        ftp.connect(server.host, server.port, timeout=10)
        ftp.login(server.user, server.password)
        yield ftp, server


def fetched(ftp: ftplib.FTP, command: str = "RETR file.bin") -> bytes:
    pieces: list[bytes] = []
    ftp.retrbinary(command, pieces.append)
    return b"".join(pieces)


@contextmanager
def raw(*faults: Fault | str, **options: Any) -> Iterator[socket.socket]:
    with misbehave(*faults, **options) as server, socket.create_connection((server.host, server.port), 10) as control:
        yield control


def came(control: socket.socket, size: int = 1 << 16) -> bytes:
    """What comes within a moment."""
    control.settimeout(QUICK)
    got, deadline = b"", time.monotonic() + QUICK
    with suppress(TimeoutError):
        while len(got) < size and (piece := control.recv(1 << 16)):
            got += piece
            if time.monotonic() > deadline and len(piece) < TRICKLE:
                break
    return got


def test_without_faults_it_keeps_to_the_rules() -> None:
    with logged_in() as (ftp, server):
        assert fetched(ftp) == FILE
        assert dict(ftp.mlsd())["docs"]["type"] == "dir"
        assert ftp.nlst("docs") == ["b.txt"]
        assert ftp.size("a.txt") == 7
        assert ftp.cwd("docs").startswith("250")
        assert (ftp.pwd(), ftp.cwd("..")[:3]) == ("/docs", "250")
        ftp.storbinary("STOR new.bin", BytesIO(b"new"))
        assert server.files["/new.bin"] == b"new"
        pieces: list[bytes] = []
        ftp.retrbinary("RETR file.bin", pieces.append, rest=len(FILE) - 3)
        assert b"".join(pieces) == FILE[-3:]
        ftp.set_pasv(False)
        assert fetched(ftp) == FILE


def test_every_fault_is_declared_whole() -> None:
    for name, kind in FAULTS.items():
        assert kind.name == name
        assert kind.breaks
        assert (kind.__doc__ or "").startswith(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), name
        assert kind() == kind(), f"{name} needs an argument"


def test_unknown_fault() -> None:
    with pytest.raises(KeyError), misbehave("polite"):
        pass


def test_late_greeting() -> None:
    with raw(LateGreeting(0.05)) as control:
        lines = control.makefile("rb")
        assert [lines.readline()[:4] for _ in range(2)] == [b"120 ", b"220 "]


@pytest.mark.parametrize(("name", "said"), [("no-greeting", b""), ("endless-120", b"120 Service ready in a moment.")])
def test_greeting_that_never_comes(name: str, said: bytes) -> None:
    with raw(name) as control:
        assert set(came(control).splitlines()) == ({said} if said else set())


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("no-reply", b""),
        ("trickled-reply", b"230 ."),
        ("endless-reply", b"230-Welcome.\r\n and another line"),
        ("long-line", b"230 xxx"),
        ("no-ftp", b"\x00\x1b]0;owned"),
        ("reply-flood", b"331 Password, please.\r\n200 Done.\r\n200 Done."),
        ("telnet-flood", b"\xff\xfa\x18xxx"),
        ("service-ends", b"421 "),
    ],
)
def test_answer_to_one_command(name: str, begins: bytes) -> None:
    fault: Any = FAULTS[name]
    with raw(fault(verb="NOOP")) as control:
        control.sendall(b"NOOP\r\n")
        got = came(control, 1 << 20).removeprefix(b"220 Ready.\r\n")
        assert got.startswith(begins)
        assert name in {"no-ftp", "service-ends", "no-reply", "trickled-reply"} or len(got) >= 1 << 19


def test_line_of_a_given_length() -> None:
    with raw(LongLine("NOOP", 100_000)) as control:
        control.sendall(b"NOOP\r\n")
        assert came(control, 1 << 20) == b"220 Ready.\r\n230 " + b"x" * 100_000 + b"\r\n"


def test_fields_beyond_all_measure() -> None:
    with logged_in("long-fields") as (ftp, _):
        assert [len(ftp.sendcmd(f"{verb} a.txt")) for verb in ("SIZE", "MDTM")] == [5004, 5004]
        assert len(ftp.nlst()[-1]) == 5000


def test_421_in_the_middle_of_a_transfer() -> None:
    pieces: list[bytes] = []
    with logged_in(ServiceEnds(at=5)) as (ftp, _), pytest.raises(ftplib.error_temp, match="421"):
        ftp.retrbinary("RETR file.bin", pieces.append)
    assert b"".join(pieces) == FILE[:5]


@pytest.mark.parametrize(
    ("fault", "said"), [(ForeignAddress("192.0.2.7"), r"\(192,0,2,7,\d+,\d+\)"), ("port-zero", r"\(127,0,0,1,0,0\)")]
)
def test_what_227_announces(fault: Fault | str, said: str) -> None:
    with logged_in(fault) as (ftp, _):
        assert re.search(said, ftp.sendcmd("PASV"))


def test_nobody_listens() -> None:
    with logged_in("closed-port") as (ftp, server):
        port = parse_epsv_reply(ftp.sendcmd("EPSV"))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, port), 5)


def test_stalled_data() -> None:
    with logged_in("stalled-data") as (ftp, _):
        ftp.sock.settimeout(QUICK)  # type: ignore[union-attr]
        ftp.timeout = QUICK
        with pytest.raises(TimeoutError):
            fetched(ftp)


def test_slow_bytes_come_all_the_same() -> None:
    with logged_in(SlowBytes(0.001)) as (ftp, _):
        assert fetched(ftp, "RETR a.txt") == FILES["/a.txt"]


def test_early_final_reply() -> None:
    with logged_in(EarlyReply(0.05)) as (ftp, server):
        port = parse_epsv_reply(ftp.sendcmd("EPSV"))
        with socket.create_connection((server.host, port), 5) as data:
            assert ftp.sendcmd("RETR a.txt").startswith("150")
            assert ftp.voidresp().startswith("226")
            assert data.recv(100) == FILES["/a.txt"]


@pytest.mark.parametrize(("name", "said"), [("lost-226", set()), ("endless-150", {b"150 Still at it."})])
def test_final_reply_that_never_comes(name: str, said: set[bytes]) -> None:
    with logged_in(name) as (ftp, server):
        port = parse_epsv_reply(ftp.sendcmd("EPSV"))
        with socket.create_connection((server.host, port), 5) as data:
            assert ftp.sendcmd("RETR a.txt").startswith("150")
            assert data.makefile("rb").read() == FILES["/a.txt"]
        assert ftp.sock is not None
        assert set(came(ftp.sock).splitlines()) == said


@pytest.mark.parametrize(("name", "end"), [("reset-at", ConnectionResetError), ("truncated-data", None)])
def test_data_cut_short_and_told_to_be_whole(name: str, end: type[Exception] | None) -> None:
    pieces: list[bytes] = []
    with logged_in(name) as (ftp, _):
        if end is None:
            assert ftp.retrbinary("RETR file.bin", pieces.append).startswith("226")
        else:
            with pytest.raises(end):
                ftp.retrbinary("RETR file.bin", pieces.append)
            assert ftp.voidresp().startswith("226")
    assert b"".join(pieces) in {FILE[:1000], b""}


def test_half_listing_is_no_line() -> None:
    with logged_in("half-listing") as (ftp, _):
        assert not fetched(ftp, "MLSD").endswith(b"\r\n")
        assert fetched(ftp) == FILE


def test_endless_listing_ends_with_the_client() -> None:
    with logged_in("endless-listing") as (ftp, server):
        port = parse_epsv_reply(ftp.sendcmd("EPSV"))
        with socket.create_connection((server.host, port), 5) as data:
            ftp.sendcmd("NLST")
            assert len(came(data, 3_000_000)) >= 3_000_000


@pytest.mark.parametrize("verb", ["LIST", "MLSD", "NLST"])
def test_hostile_names(verb: str) -> None:
    names: Any = FAULTS["hostile-names"]
    with logged_in("hostile-names") as (ftp, _):
        listing = fetched(ftp, verb).decode().split("\r\n")
        assert all(any(line.endswith(name) for line in listing) for name in names().names)
        assert fetched(ftp, "RETR ../escaped") == b"this is '/escaped'\n"


def test_link_then_a_directory_of_its_name() -> None:
    with logged_in("link-first") as (ftp, _):
        listing = fetched(ftp, "LIST").decode().splitlines()
        assert [line[0] for line in listing if " way" in line] == ["l", "d"]
        assert ftp.nlst("way") == ["fairlead-planted"]


def test_listing_loop() -> None:
    with logged_in("listing-loop") as (ftp, _):
        for _ in range(20):
            assert dict(ftp.mlsd())["again"]["type"] == "dir"
            ftp.cwd("again")


def under_tls(server: MisbehavingServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.ca)
    # Python before 3.11.4 takes a connection that was cut for one that was closed.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def test_reply_behind_the_234() -> None:
    with raw("injected-reply", tls="offer") as control:
        control.sendall(b"AUTH TLS\r\n")
        assert came(control).decode().splitlines()[1:] == ["234 Go on under TLS.", INJECTED]


@pytest.mark.parametrize(
    ("name", "verb", "code"), [("tls-refused", "AUTH TLS", "534"), ("data-not-protected", "PROT P", "536")]
)
def test_refusals_of_tls(name: str, verb: str, code: str) -> None:
    with logged_in(name, tls="offer") as (ftp, _):
        assert "AUTH TLS" in ftp.sendcmd("FEAT")
        with pytest.raises(ftplib.error_perm, match=code):
            ftp.sendcmd(verb)


@contextmanager
def secured(name: str) -> Iterator[ftplib.FTP_TLS]:
    with misbehave(name, tls="offer") as server, ftplib.FTP_TLS(context=under_tls(server)) as ftp:
        ftp.connect(server.host, server.port, timeout=10)
        ftp.login(server.user, server.password)
        ftp.prot_p()
        yield ftp


def test_data_in_clear_after_prot_p() -> None:
    with secured("clear-data") as ftp, pytest.raises(ssl.SSLError):
        fetched(ftp)


def test_data_without_close_notify() -> None:
    with secured("cut-tls") as ftp:
        with ftp.transfercmd("RETR a.txt") as data:
            assert data.recv(100) == FILES["/a.txt"]
            with pytest.raises(ssl.SSLError, match="EOF"):
                _read_strictly(data)
        assert ftp.voidresp().startswith("226")


def _read_strictly(data: Any) -> None:
    data.suppress_ragged_eofs = False
    data.recv(1)


@pytest.mark.parametrize(("faults", "resumed"), [(("forgotten-ticket",), False), ((), True)])
def test_resumption(faults: tuple[str, ...], resumed: bool) -> None:
    with misbehave(*faults, tls="offer") as server:
        context = under_tls(server)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        session, _ = _connected(server, context, None)
        assert _connected(server, context, session)[1] is resumed


def _connected(
    server: MisbehavingServer, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool | None]:
    with socket.create_connection((server.host, server.port), 10) as control:
        lines = control.makefile("rb")
        lines.readline()
        control.sendall(b"AUTH TLS\r\n")
        assert lines.readline().startswith(b"234")
        with context.wrap_socket(control, server_hostname=server.host, session=session) as protected:
            return protected.session, protected.session_reused


def test_several_faults_at_once(misbehaving_ftp_server: Callable[..., MisbehavingServer]) -> None:
    server = misbehaving_ftp_server("hostile-names", "truncated-data")
    with ftplib.FTP() as ftp:
        ftp.connect(server.host, server.port, timeout=10)
        ftp.login(server.user, server.password)
        assert len(fetched(ftp)) == 1000
    assert server.heard[:2] == ["USER me", "PASS secret"]
    assert server.sessions == 1
