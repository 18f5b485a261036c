"""Code that was written against ftplib: the same bodies against the standard library's and against ours."""

from __future__ import annotations

import ftplib as standard
import io
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.integrations import ftplib as ours
from fairlead.server.settings import Certificate, TlsSettings
from fairlead.testing.peer import Peer, scripted
from tests.certificates import Pair, make
from tests.peers.embedded import PASSWORD, USER, Embedded, embedded

OCTETS = os.urandom(300_000)


@pytest.fixture(params=[standard, ours], ids=["standard", "ours"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The module that a program imports as ``ftplib``."""
    return request.param


@pytest.fixture
def ftp(lib: Any, served: Embedded) -> Iterator[Any]:
    """Logged in."""
    with lib.FTP() as ftp:
        ftp.connect(served.host, served.port, timeout=20)
        ftp.login(USER, PASSWORD)
        yield ftp


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificate"), "server", "localhost", "127.0.0.1")


@pytest.fixture
def secure(tmp_path: Path, pair: Pair) -> Iterator[Embedded]:
    """A server under TLS that takes no data connection without the session of its control connection."""
    root = tmp_path / "secure"
    root.mkdir()
    certificates = [Certificate(str(pair.certificate), str(pair.key))]
    with embedded(root, tls=TlsSettings(certificates, required=True)) as server:
        yield server


def test_session(lib: Any, served: Embedded) -> None:
    ftp = lib.FTP(timeout=20, encoding="utf-8")
    greeting = ftp.connect(served.host, served.port)
    assert greeting.startswith("220 ")
    assert ftp.getwelcome() == ftp.welcome == greeting
    assert (ftp.host, ftp.port, ftp.af) == (served.host, served.port, socket.AF_INET)
    assert ftp.sock.getpeername() == (served.host, served.port)
    assert ftp.login(USER, PASSWORD).startswith("230")
    assert ftp.lastresp == "230"
    assert ftp.pwd() == "/"
    assert ftp.quit().startswith("221")
    assert ftp.sock is None
    ftp.close()


def test_wrong_password(lib: Any, served: Embedded) -> None:
    ftp = lib.FTP()
    ftp.connect(served.host, served.port)
    with pytest.raises(lib.error_perm, match=r"^530 "):
        ftp.login(USER, "wrong")
    ftp.close()


def test_directories_and_names(ftp: Any, lib: Any) -> None:
    assert ftp.mkd('with "quotes"') == '/with "quotes"'
    assert ftp.cwd('with "quotes"').startswith("250")
    assert ftp.pwd() == '/with "quotes"'
    ftp.cwd("..")
    ftp.rename('with "quotes"', "née")
    assert ftp.nlst() == ["née"]
    assert [(name, facts["type"]) for name, facts in ftp.mlsd(facts=["type", "size"])] == [("née", "dir")]
    lines: list[str] = []
    ftp.dir(lines.append)
    assert [line.split()[-1] for line in lines] == ["née"]
    ftp.rmd("née")
    assert ftp.nlst() == []
    with pytest.raises(lib.error_perm, match=r"^550 "):
        ftp.cwd("née")


@pytest.mark.parametrize("passive", [True, False])
def test_octets_both_ways(ftp: Any, served: Embedded, *, passive: bool) -> None:
    ftp.set_pasv(passive)
    sent: list[bytes] = []
    got: list[bytes] = []
    assert ftp.storbinary("STOR f", io.BytesIO(OCTETS), blocksize=10_000, callback=sent.append).startswith("226")
    assert (served.root / "f").read_bytes() == b"".join(sent) == OCTETS
    assert ftp.retrbinary("RETR f", got.append, blocksize=10_000).startswith("226")
    assert b"".join(got) == OCTETS
    assert max(map(len, got)) <= 10_000
    ftp.voidcmd("TYPE I")
    assert ftp.size("f") == len(OCTETS)
    assert ftp.delete("f").startswith("250")


def test_parts_of_files(ftp: Any, served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)
    got: list[bytes] = []
    ftp.retrbinary("RETR f", got.append, rest=200_000)
    assert b"".join(got) == OCTETS[200_000:]
    ftp.storbinary("STOR f", io.BytesIO(b"end"), rest=str(299_997))
    ftp.storbinary("APPE f", io.BytesIO(b", more"))
    assert (served.root / "f").read_bytes() == OCTETS[:-3] + b"end, more"


def test_lines_both_ways(ftp: Any, served: Embedded) -> None:
    lines: list[str] = []
    assert ftp.storlines("STOR f", io.BytesIO("één\ntwo\r\nthree".encode())).startswith("226")
    assert ftp.retrlines("RETR f", lines.append).startswith("226")
    assert lines == ["één", "two", "three"]
    assert (served.root / "f").read_bytes() == "één\ntwo\nthree\n".encode()


def test_data_connection_is_used_like_a_socket(ftp: Any, served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)
    ftp.voidcmd("TYPE I")
    conn, size = ftp.ntransfercmd("RETR f")
    assert size in {None, len(OCTETS)}
    buffer = bytearray(10)
    count = conn.recv_into(buffer)
    rest = b""
    while piece := conn.recv(65536):
        rest += piece
    conn.close()
    assert bytes(buffer[:count]) + rest == OCTETS
    assert ftp.voidresp().startswith("226")
    with ftp.transfercmd("RETR f") as conn, conn.makefile("rb") as file:
        assert file.read(1000) == OCTETS[:1000]
        assert file.read() == OCTETS[1000:]
    ftp.voidresp()
    with ftp.transfercmd("STOR g") as conn:
        assert conn.send(b"one") == 3
        conn.sendall(b", two")
    assert ftp.voidresp().startswith("226")
    assert (served.root / "g").read_bytes() == b"one, two"
    assert ftp.pwd() == "/"


def test_transfer_is_aborted(ftp: Any, served: Embedded, lib: Any) -> None:
    (served.root / "f").write_bytes(OCTETS * 30)
    ftp.voidcmd("TYPE I")
    conn = ftp.transfercmd("RETR f")
    assert conn.recv(10) == OCTETS[:10]
    answer = ftp.abort()
    assert answer[:3] in {"426", "225", "226"}
    conn.close()
    if lib is standard and answer.startswith("426"):
        ftp.voidresp()
    assert ftp.pwd() == "/"


def test_refused_transfers(ftp: Any, lib: Any) -> None:
    with pytest.raises(lib.error_perm, match=r"^55"):
        ftp.retrbinary("RETR none", print)
    with pytest.raises(lib.error_perm, match=r"^55"):
        ftp.storbinary("STOR no/ne", io.BytesIO())
    with pytest.raises(lib.error_perm, match=r"^50"):
        ftp.sendcmd("NONSENSE")
    assert ftp.pwd() == "/"


def test_line_ends_in_commands_are_refused(ftp: Any) -> None:
    with pytest.raises(ValueError, match="illegal newline"):
        ftp.cwd("a\r\nDELE b")


def test_not_connected(lib: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(OSError, match=r"refused"):
        lib.FTP().connect("127.0.0.1", port)
    with pytest.raises(ValueError, match="timeout=0"):
        lib.FTP("127.0.0.1", timeout=0)


def broken(peer: Peer) -> None:
    peer.send("220 ready")
    peer.expect("USER me", "331-well\r\n331 password?")
    peer.expect("PASS x", "230-one\r\n two\r\n230 three")
    peer.expect("STAT", "211-one\r\n two\r\n211 three")
    peer.expect("NOOP", "450 busy")
    peer.expect("MKD x", "399 what?")
    peer.expect("PWD", "421 going down")


def test_odd_replies(lib: Any) -> None:
    with scripted(broken) as server:
        ftp = lib.FTP()
        ftp.connect(server.host, server.port, 20)
        assert ftp.login("me", "x") == "230-one\n two\n230 three"
        assert ftp.sendcmd("STAT") == "211-one\n two\n211 three"
        with pytest.raises(lib.error_temp, match=r"^450 busy"):
            ftp.voidcmd("NOOP")
        with pytest.raises(lib.error_reply, match=r"^399 what"):
            ftp.mkd("x")
        with pytest.raises(lib.error_temp, match=r"^421 going down"):
            ftp.pwd()
        ftp.close()


def gone(peer: Peer) -> None:
    peer.send("220 ready")
    peer.expect("USER me", "230 in")
    peer.expect("PWD")


def test_connection_that_is_gone(lib: Any) -> None:
    with scripted(gone) as server:
        ftp = lib.FTP()
        ftp.connect(server.host, server.port, 20)
        ftp.login("me")
        with pytest.raises(EOFError):
            ftp.pwd()
        with pytest.raises(lib.all_errors):
            ftp.pwd()
        ftp.close()


def test_other_encodings(lib: Any) -> None:
    def script(peer: Peer) -> None:
        peer.control.sendall("220 prêt\r\n".encode("latin-1"))
        assert peer.lines.readline() == "CWD né\r\n".encode("latin-1")
        peer.control.sendall('257 "/né"\r\n'.encode("latin-1"))

    with scripted(script) as server:
        ftp = lib.FTP(encoding="latin-1")
        assert ftp.connect(server.host, server.port, 20) == "220 prêt"
        assert ftp.sendcmd("CWD né") == '257 "/né"'
        ftp.close()


def test_debugging_prints_the_dialogue_without_the_password(
    lib: Any, served: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    with lib.FTP() as ftp:
        ftp.set_debuglevel(1)
        ftp.connect(served.host, served.port)
        ftp.login(USER, PASSWORD)
    said = capsys.readouterr().out
    assert f"*cmd* 'USER {USER}'" in said
    assert PASSWORD not in said
    assert "*resp* '230 " in said


def test_files_go_from_server_to_server(lib: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/f").write_bytes(OCTETS)
    with (
        embedded(tmp_path / "a", allow_fxp=True) as one,
        embedded(tmp_path / "b", allow_fxp=True) as two,
        lib.FTP() as source,
        lib.FTP() as target,
    ):
        for ftp, server in ((source, one), (target, two)):
            ftp.connect(server.host, server.port)
            ftp.login(USER, PASSWORD)
        lib.ftpcp(source, "f", target, "g")
        assert source.pwd() == target.pwd() == "/"
    assert (tmp_path / "b/g").read_bytes() == OCTETS


def test_tls(lib: Any, secure: Embedded) -> None:
    with lib.FTP_TLS() as ftp:
        ftp.connect(secure.host, secure.port, timeout=20)
        with pytest.raises(lib.error_perm, match=r"^5"):
            ftp.login(USER, PASSWORD, secure=False)
        assert ftp.login(USER, PASSWORD).startswith("230")
        with pytest.raises(ValueError, match="Already using TLS"):
            ftp.auth()
        assert ftp.prot_p().startswith("200")
        ftp.storbinary("STOR f", io.BytesIO(OCTETS))
        got: list[bytes] = []
        ftp.retrbinary("RETR f", got.append)
        assert b"".join(got) == OCTETS
        assert ftp.nlst() == ["f"]
        with pytest.raises(lib.error_perm, match=r"^5"):
            ftp.prot_c()


def agreeable(peer: Peer) -> None:
    peer.send("220 ready")
    peer.expect("USER me", "230 in")
    peer.expect("PBSZ 0", "200 ok")
    peer.expect("PROT P", "200 ok")
    peer.expect("QUIT", "221 bye")


def test_data_connections_are_protected_where_the_control_connection_is_not(lib: Any) -> None:
    with scripted(agreeable) as server, lib.FTP_TLS() as ftp:
        ftp.connect(server.host, server.port, 20)
        ftp.login("me", secure=False)
        ftp.prot_p()
        assert lib is standard or ftp._talk.control.data_protection is not None


@pytest.mark.parametrize("trusted", [True, False])
def test_context_says_whom_to_trust(lib: Any, secure: Embedded, pair: Pair, *, trusted: bool) -> None:
    context = ssl.create_default_context(cafile=pair.certificate if trusted else None)
    ftp = lib.FTP_TLS(context=context, timeout=20)
    ftp.connect(secure.host, secure.port)
    if trusted:
        ftp.login(USER, PASSWORD)
        ftp.prot_p()
        assert ftp.nlst() == []
        ftp.quit()
    else:
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate"):
            ftp.login(USER, PASSWORD)
        ftp.close()


def test_ccc(lib: Any, tmp_path: Path, pair: Pair) -> None:
    tls = TlsSettings([Certificate(str(pair.certificate), str(pair.key))])
    with embedded(tmp_path, tls=tls) as server:
        ftp = lib.FTP_TLS(timeout=20)
        ftp.connect(server.host, server.port)
        with pytest.raises(ValueError, match="not using TLS"):
            ftp.ccc()
        ftp.login(USER, PASSWORD)
        assert ftp.ccc().startswith("200")
        ftp.close()


# Ours alone


def test_data_connections_resume_the_session_where_the_server_insists(tmp_path: Path, pair: Pair) -> None:
    tls = TlsSettings([Certificate(str(pair.certificate), str(pair.key))], resumption="require")
    with embedded(tmp_path, tls=tls) as server, ours.FTP_TLS(timeout=20) as ftp:
        ftp.connect(server.host, server.port)
        ftp.login(USER, PASSWORD)
        ftp.prot_p()
        ftp.storbinary("STOR f", io.BytesIO(OCTETS))
        assert ftp.nlst() == ["f"]


def test_exceptions_and_classes_are_those_of_the_standard_library() -> None:
    assert issubclass(ours.FTP, standard.FTP)
    assert issubclass(ours.FTP_TLS, standard.FTP_TLS)
    assert ours.all_errors == standard.all_errors
    for name in standard.__all__:
        assert hasattr(ours, name), name


def test_active_mode_is_tried_where_the_passive_ports_are_closed() -> None:
    def script(peer: Peer) -> None:
        peer.send("220 ready")
        peer.expect("USER me", "230 in")
        peer.expect("EPSV", "502 no EPSV")
        peer.expect("PASV", "502 no PASV")
        line = peer.lines.readline().decode().rstrip()
        assert line.startswith("EPRT |1|127.0.0.1|")
        peer.send("200 ok")
        peer.expect("NLST", "150 here it comes")
        with socket.create_connection(("127.0.0.1", int(line.split("|")[3]))) as data:
            data.sendall(b"one\r\n")
        peer.send("226 done")

    with scripted(script) as server:
        ftp = ours.FTP()
        ftp.connect(server.host, server.port, 20)
        ftp.login("me")
        lines: list[str] = []
        with ftp.transfercmd("NLST") as conn, conn.makefile("r", encoding="utf-8") as file:
            lines += file.read().splitlines()
        assert ftp.voidresp() == "226 done"
        assert lines == ["one"]
        ftp.close()


def test_failure_in_the_midst_of_a_transfer_is_the_final_reply() -> None:
    def script(peer: Peer) -> None:
        peer.send("220 ready")
        peer.expect("USER me", "230 in")
        with peer.passive() as data:
            peer.expect("RETR f", "150 go")
            data.sendall(b"oct")
        peer.send("451 disk trouble")
        with peer.passive() as data:
            peer.expect("STOR f", "150 go")
            peer.send("552 quota")
            while data.recv(65536):
                pass

    with scripted(script) as server:
        ftp = ours.FTP()
        ftp.connect(server.host, server.port, 20)
        ftp.login("me")
        with ftp.transfercmd("RETR f") as conn:
            assert conn.recv(10) == b"oct"
            assert conn.recv(10) == b""
        with pytest.raises(ours.error_temp, match="451 disk trouble"):
            ftp.voidresp()
        with ftp.transfercmd("STOR f") as conn:
            conn.sendall(b"x")
        with pytest.raises(ours.error_perm, match="552 quota"):
            ftp.voidresp()
        ftp.close()


def test_exception_while_storing_leaves_nothing_that_looks_whole(served: Embedded) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise InterruptedError
            return super().read(10)

    with ours.FTP() as ftp:
        ftp.connect(served.host, served.port)
        ftp.login(USER, PASSWORD)
        with pytest.raises(InterruptedError):
            ftp.storbinary("STOR f", Broken(OCTETS))
        assert ftp.nlst() == []


def test_no_command_comes_between_while_a_data_connection_is_open(served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)
    with ours.FTP() as ftp:
        ftp.connect(served.host, served.port)
        ftp.login(USER, PASSWORD)
        with ftp.transfercmd("RETR f"), pytest.raises(RuntimeError, match="RETR f is open"):
            ftp.pwd()
        assert ftp.pwd() == "/"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("426 aborted", "226 ok"), "426 aborted"),
        ((), "200 awake"),
        (("150 3 seconds",), "200 awake"),
        (("502 no",), None),
    ],
)
def test_answers_to_abor(answers: tuple[str, ...], said: str | None) -> None:
    def script(peer: Peer) -> None:
        peer.send("220 ready")
        peer.expect("USER me", "230 in")
        peer.expect("\udcff\udcf4\udcff\udcf2ABOR", *answers)
        peer.expect("NOOP", "200 awake")

    with scripted(script) as server:
        ftp = ours.FTP(timeout=20)
        ftp.connect(server.host, server.port)
        ftp.login("me")
        if said is None:
            with pytest.raises(ours.error_proto, match="502 no"):
                ftp.abort()
        else:
            assert ftp.abort() == said
        ftp.close()


def test_session_is_ended_while_a_data_connection_is_open(served: Embedded) -> None:
    (served.root / "f").write_bytes(OCTETS)
    ftp = ours.FTP(timeout=20)
    ftp.connect(served.host, served.port)
    ftp.login(USER, PASSWORD)
    conn = ftp.transfercmd("RETR f")
    assert ftp.quit().startswith("221")
    assert conn.recv(10) == b""


def test_what_is_not_taken_is_said() -> None:
    with pytest.raises(ValueError, match="source_address are not made here"):
        ours.FTP("127.0.0.1", source_address=("127.0.0.1", 0))
    with pytest.raises(OSError, match="connect first"):
        ours.FTP().pwd()
