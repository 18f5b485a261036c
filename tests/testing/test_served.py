"""The fixture ``ftp_server``, and the servers behind it."""

from __future__ import annotations

import ftplib
import ssl
from io import BytesIO
from pathlib import Path

import pytest

from fairlead import Client
from fairlead.errors import CertificateError, ConfigError, LoginError, PermanentError
from fairlead.events import LoginSucceeded, TransferFinished
from fairlead.testing import FtpServer, serve


def test_it_is_ready_and_has_a_user_who_may_write(ftp_server: FtpServer) -> None:
    (ftp_server.root / "a.txt").write_text("hello")
    with Client(ftp_server.url) as ftp:
        assert [entry.name for entry in ftp.scandir()] == ["a.txt"]
        ftp.upload(BytesIO(b"octets"), "b.txt")
    assert (ftp_server.root / "b.txt").read_bytes() == b"octets"


def test_others_find_it_by_its_parts(ftp_server: FtpServer) -> None:
    with ftplib.FTP() as ftp:
        ftp.connect(ftp_server.host, ftp_server.port, timeout=10)
        assert ftp.login(ftp_server.user, ftp_server.password).startswith("230")


def test_what_happened_is_recorded(ftp_server: FtpServer) -> None:
    with Client(ftp_server.url) as ftp:
        ftp.upload(BytesIO(b"octets"), "b.txt")
    finished = ftp_server.await_event(TransferFinished, verb="STOR")
    assert (finished.path, finished.size) == ("/b.txt", 6)
    assert [type(event) for event in ftp_server.events].index(LoginSucceeded) >= 0


@pytest.mark.ftp_server(users={"ann": "a:b@c/d"}, write=False)
class TestMarked:
    def test_the_mark_of_a_class_decides(self, ftp_server: FtpServer) -> None:
        with Client(ftp_server.url) as ftp, pytest.raises(PermanentError):
            ftp.upload(BytesIO(b""), "b.txt")

    @pytest.mark.ftp_server(users={})
    def test_the_mark_of_a_test_goes_before_it(self, ftp_server: FtpServer) -> None:
        assert (ftp_server.user, ftp_server.password) == ("anonymous", "")
        with Client(ftp_server.url) as ftp:
            assert ftp.names() == []


def test_two_servers_know_nothing_of_each_other(tmp_path: Path, ftp_server: FtpServer) -> None:
    with serve(tmp_path, users={"ann": "pw"}) as other:
        assert other.port != ftp_server.port
        with pytest.raises(LoginError):
            Client(other.url, user=ftp_server.user, password=ftp_server.password).__enter__()


@pytest.mark.parametrize("tls", ["require", "implicit"])
def test_tls_on_demand_is_trusted_by_its_own_file(tmp_path: Path, tls: str) -> None:
    with serve(tmp_path, tls=tls) as server:  # type: ignore[arg-type]  # one of the words
        (tmp_path / "a.txt").write_text("hello")
        with Client(server.url, ca=server.ca, tls="auto") as ftp:
            got = BytesIO()
            ftp.download("a.txt", got)
        assert got.getvalue() == b"hello"
        with pytest.raises(CertificateError):
            Client(server.url).__enter__()


def test_tls_serves_the_client_of_the_standard_library(tmp_path: Path) -> None:
    with serve(tmp_path, tls="offer") as server, ftplib.FTP_TLS(context=ssl.create_default_context()) as ftp:
        ftp.context.load_verify_locations(server.ca)
        ftp.connect(server.host, server.port, timeout=10)
        ftp.login(server.user, server.password)
        ftp.prot_p()
        ftp.storbinary("STOR a.bin", BytesIO(b"x" * 100_000))
    assert (tmp_path / "a.bin").stat().st_size == 100_000


def test_settings_of_a_server_that_contradict_each_other_are_told_in_the_test(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), serve(tmp_path, listen=(("192.0.2.1", 1),)):
        pass
