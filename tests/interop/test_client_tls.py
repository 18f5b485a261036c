"""Both faces under TLS against servers that nobody here wrote, in both versions."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.client.trace import Record, TlsBegan
from fairlead.errors import CertificateError, ReplyError, SessionLost, TlsError
from tests.certificates import Pair, make
from tests.peers.fairlead import fairlead
from tests.peers.process import free_port
from tests.peers.servers import SERVERS, Server, Tls, clear

Connect = Callable[..., Any]
OCTETS = os.urandom(1_234_567)
MODES = ("epsv", "pasv", "eprt", "port")
KINDS = [(name, version) for name in (*SERVERS, "fairlead") for version in ("1.2", "1.3")]
STRICT = ("--require-tls", "--tls-resumption", "require")


def shown(pair: Pair) -> tuple[str, ...]:
    """The options that give our own server its certificate."""
    return "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", "127.0.0.1", "::1")


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture(scope="module")
def server(kind: tuple[str, str], pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    name, version = kind
    tls = Tls(pair, version)
    if name == "fairlead":
        with fairlead(*STRICT, *shown(pair), env=tls.environment(tmp_path_factory.mktemp("openssl"))) as own:
            yield own.at("127.0.0.1")
    else:
        with SERVERS[name]("127.0.0.1", tls) as running:
            yield running


@pytest.fixture
def resumes(kind: tuple[str, str]) -> bool:
    """Whether the server hands out what can be resumed: Pure-FTPd has no tickets, and TLS 1.3 nothing else."""
    return kind != ("pureftpd", "1.3")


@pytest.fixture
def log_in(connect: Connect, server: Server, pair: Pair) -> Connect:
    """Makes a client of either face that trusts the server."""
    clear(server.root)
    return lambda **settings: connect(
        server.url, **{"user": server.user, "password": server.password, "ca": pair.certificate, **settings}
    )


@pytest.mark.req("C-4217-TLS-1", "C-4217-TLS-3", "C-4217-TLS-4", "C-4217-TLS-5", "C-4217-TLS-6")
@pytest.mark.parametrize("mode", MODES)
def test_transfers_in_every_mode_resume_the_session(
    log_in: Connect, kind: tuple[str, str], resumes: bool, mode: str, tmp_path: Path
) -> None:
    local = tmp_path / "local"
    local.write_bytes(OCTETS)
    records: list[Record] = []
    with log_in(mode=mode, tls="require", trace=records.append) as ftp:
        for turn in range(3):
            stored = ftp.upload(local, f"{turn}.bin")
            fetched = ftp.download(f"{turn}.bin", tmp_path / "back")
            assert (tmp_path / "back").read_bytes() == OCTETS
            assert stored.tls_resumed is fetched.tls_resumed is resumes
        ftp.upload(io.BytesIO(b""), "empty")
        assert {entry.name: entry.size for entry in ftp.scandir()} == {
            "empty": 0, **{f"{turn}.bin": len(OCTETS) for turn in range(3)}
        }  # fmt: skip
        target = io.BytesIO()
        assert ftp.download("empty", target).size == 0
    begun = [record for record in records if isinstance(record, TlsBegan)]
    assert {record.security.version for record in begun} == {f"TLSv{kind[1]}"}
    assert [record.connection for record in begun] == ["control"] + ["data"] * 9


@pytest.mark.req("C-959-ABOR-1", "C-4217-TLS-4")
def test_session_goes_on_after_an_abort(log_in: Connect, server: Server, resumes: bool) -> None:
    with (server.root / "big").open("wb") as file:
        file.truncate(1 << 30)
    os.chown(server.root / "big", server.root.stat().st_uid, server.root.stat().st_gid)

    def stop(_done: int, _total: int | None) -> None:
        raise InterruptedError

    with log_in() as ftp:
        for _ in range(3):
            with pytest.raises(InterruptedError):
                ftp.download("big", io.BytesIO(), on_progress=stop)
            assert ftp.pwd() == "/"
        assert ftp.upload(io.BytesIO(OCTETS), "after").tls_resumed is resumes
        assert (server.root / "after").read_bytes() == OCTETS


@pytest.mark.req("C-4217-TLS-3")
def test_nothing_is_said_to_whom_nobody_vouches_for(log_in: Connect) -> None:
    with pytest.raises(CertificateError), log_in(ca=None):
        pass


@pytest.mark.req("C-4217-TLS-4")
def test_server_that_wants_tls_says_so(log_in: Connect) -> None:
    with pytest.raises((ReplyError, SessionLost), match=r"(?i)encrypt|tls|ssl"), log_in(tls="off") as ftp:
        ftp.scandir()


@pytest.mark.req("U-DF-9", "C-4217-TLS-4")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_implicit_tls(connect: Connect, pair: Pair, host: str) -> None:
    port, place = free_port(host), f"[{host}]" if ":" in host else host
    with fairlead(*STRICT, *shown(pair), "--implicit-tls", f"{place}:{port}", hosts=(host,)) as own:
        login = {"user": own.at(host).user, "password": own.at(host).password, "ca": pair.certificate}
        with connect(f"ftps://{place}:{port}", **login) as ftp:
            assert ftp.upload(io.BytesIO(OCTETS), "f").tls_resumed
        assert (own.root / "f").read_bytes() == OCTETS
        with pytest.raises(TlsError, match="not TLS"), connect(own.at(host).url.replace("ftp:", "ftps:"), **login):
            pass
