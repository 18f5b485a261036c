"""Our server under TLS with clients that nobody here wrote."""

from __future__ import annotations

import ftplib
import io
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Pair, make
from tests.interop.matrix import CONTENTS
from tests.peers.clients import Refused, run
from tests.peers.fairlead import Fairlead, fairlead
from tests.peers.process import DEADLINE, free_port
from tests.peers.programs import program
from tests.peers.servers import PASSWORD, USER, clear

HOST = "127.0.0.1"
VERSIONS = ("1.2", "1.3")


@dataclass(frozen=True, slots=True)
class Protected:
    """``fairlead serve`` with a certificate; data connections must resume."""

    server: Fairlead
    pair: Pair
    implicit: int

    @property
    def port(self) -> int:
        return self.server.at(HOST).port

    @property
    def root(self) -> Path:
        return self.server.root


@contextmanager
def serving(place: Path, *arguments: str) -> Iterator[Protected]:
    pair = make(place, "server", "localhost", HOST)
    port = free_port(HOST)
    certificate = ["--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)]
    with fairlead(*certificate, "--implicit-tls", f"{HOST}:{port}", *arguments, hosts=(HOST,)) as server:
        yield Protected(server, pair, port)


@pytest.fixture(scope="module")
def _demanding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protected]:
    with serving(tmp_path_factory.mktemp("certificates"), "--tls-resumption", "require") as server:
        yield server


@pytest.fixture
def own(_demanding: Protected) -> Protected:
    """Our server, its directory empty; data connections must resume."""
    clear(_demanding.root)
    return _demanding


@pytest.fixture
def lenient(tmp_path: Path) -> Iterator[Protected]:
    """One where they need not."""
    with serving(tmp_path) as server:
        yield server


# curl


def curl(own: Protected, name: str, *options: str | Path, version: str = "1.3", implicit: bool = False) -> bytes:
    """Run curl, which resumes sessions by itself."""
    url = f"ftps://{HOST}:{own.implicit}/{name}" if implicit else f"ftp://{HOST}:{own.port}/{name}"
    protection = ["--ssl-reqd", "--cacert", str(own.pair.certificate), f"--tlsv{version}", "--tls-max", version]
    return run([program("curl"), "-sS", "--user", f"{USER}:{PASSWORD}", *protection, *options, url])


# Debian 12's curl forgets the address of an accepted connection under TLS, so it has no active mode there.
CURL_MODES: dict[str, list[str]] = {"epsv": [], "pasv": ["--disable-epsv"]}


@pytest.mark.req("S-4217-DATA-3", "S-4217-DATA-4", "S-4217-DATA-6")
@pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
@pytest.mark.parametrize("mode", CURL_MODES)
@pytest.mark.parametrize("version", VERSIONS)
def test_curl(own: Protected, tmp_path: Path, version: str, mode: str, implicit: bool) -> None:
    how: dict[str, Any] = {"version": version, "implicit": implicit}
    for title, content in CONTENTS.items():
        (tmp_path / "source").write_bytes(content)
        curl(own, title.replace(" ", "%20"), *CURL_MODES[mode], "-T", tmp_path / "source", **how)
        assert (own.root / title).read_bytes() == content
        curl(own, title.replace(" ", "%20"), *CURL_MODES[mode], "-o", tmp_path / "back", **how)
        assert (tmp_path / "back").read_bytes() == content
    assert set(curl(own, "", *CURL_MODES[mode], "--list-only", **how).decode().splitlines()) == set(CONTENTS)


@pytest.mark.req("S-4217-DATA-4")
@pytest.mark.parametrize("version", VERSIONS)
def test_curl_with_many_files_in_one_session(own: Protected, tmp_path: Path, version: str) -> None:
    for number in range(8):
        (tmp_path / f"{number:02}").write_bytes(str(number).encode() * 1000)

    curl(own, "", "-T", f"{tmp_path}/[00-07]", version=version)
    (tmp_path / "back").mkdir()
    curl(own, "[00-07]", "-o", f"{tmp_path}/back/#1", version=version)

    for number in range(8):
        content = str(number).encode() * 1000
        assert (own.root / f"{number:02}").read_bytes() == content
        assert (tmp_path / "back" / f"{number:02}").read_bytes() == content


@pytest.mark.req("S-4217-CCC-1")
@pytest.mark.parametrize("shutdown", ["active", "passive"])
@pytest.mark.parametrize("version", VERSIONS)
def test_curl_clears_the_control_connection(lenient: Protected, version: str, shutdown: str) -> None:
    """After that it resumes nothing when it waited for the server to end TLS."""
    (lenient.root / "file").write_bytes(b"data")

    assert curl(lenient, "file", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", shutdown, version=version) == b"data"


@pytest.mark.req("S-4217-DATA-4")
def test_curl_without_sessions_is_refused_and_told_why(own: Protected) -> None:
    (own.root / "file").write_bytes(b"data")

    with pytest.raises(Refused):
        curl(own, "file", "--no-sessionid")
    assert own.server.wait_for("transfer-failed", 1)[-1]["cause"] == "data-tls-not-resumed"


# lftp


def lftp(own: Protected, command: str, *settings: str, implicit: bool = False) -> bytes:
    """Run a command of lftp, which resumes sessions by itself."""
    url = f"ftps://{HOST}:{own.implicit}" if implicit else f"ftp://{HOST}:{own.port}"
    script = [
        "set cmd:fail-exit yes; set xfer:clobber yes; set net:max-retries 1; set ftp:ssl-force yes",
        f"set ftp:ssl-protect-data yes; set ssl:ca-file {own.pair.certificate}",
        *settings,
        f"open -u '{USER},{PASSWORD}' {url}",
        command,
    ]
    return run([program("lftp"), "--norc", "-c", "; ".join(script)])


@pytest.mark.req("S-4217-AUTH-1", "S-4217-DATA-3", "S-4217-DATA-4", "S-4217-DATA-6")
@pytest.mark.parametrize(
    "settings",
    [
        "set ftp:prefer-epsv yes",
        "set ftp:passive-mode no",
        "set ftp:ssl-auth SSL",
        "set ftp:ssl-auth TLS-P",
        "set ssl:priority NORMAL:-VERS-TLS1.3",
        "set ftp:use-mode-z yes",
    ],
)
def test_lftp(own: Protected, tmp_path: Path, settings: str) -> None:
    for title, content in CONTENTS.items():
        (tmp_path / "source").write_bytes(content)
        lftp(own, f"put '{tmp_path}/source' -o '{title}'", settings)
        assert (own.root / title).read_bytes() == content
        lftp(own, f"get '{title}' -o '{tmp_path}/back'", settings)
        assert (tmp_path / "back").read_bytes() == content
    assert set(lftp(own, "nlist", settings).decode().splitlines()) == set(CONTENTS)


@pytest.mark.req("S-4217-IMPL-1")
def test_lftp_with_implicit_tls(own: Protected, tmp_path: Path) -> None:
    (own.root / "file").write_bytes(b"data")

    lftp(own, f"get file -o '{tmp_path}/back'; cls", implicit=True)

    assert (tmp_path / "back").read_bytes() == b"data"


@pytest.mark.req("S-4217-CCC-1")
def test_lftp_clears_the_control_connection(lenient: Protected, tmp_path: Path) -> None:
    """After that it resumes nothing."""
    (lenient.root / "file").write_bytes(b"data")

    lftp(lenient, f"get file -o '{tmp_path}/back'; put '{tmp_path}/back' -o other; cls", "set ftp:ssl-use-ccc yes")

    assert (lenient.root / "other").read_bytes() == b"data"


def test_lftp_mirrors(own: Protected, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for number in range(40):
        folder = source / str(number % 4)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(number)).write_bytes(bytes([number]) * 5000)

    lftp(own, f"mirror --reverse --parallel=4 '{source}' /up; mirror --parallel=4 /up '{tmp_path}/down'")

    for number in range(40):
        assert (tmp_path / "down" / str(number % 4) / str(number)).read_bytes() == bytes([number]) * 5000


# Python's ftplib


class Resuming(ftplib.FTP_TLS):
    """As many do it by hand, since ftplib itself resumes nothing."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session), size


def session(kind: type[ftplib.FTP_TLS], own: Protected, version: str) -> ftplib.FTP_TLS:
    context = ssl.create_default_context(cafile=str(own.pair.certificate))
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, f"TLSv{version.replace('.', '_')}")
    ftp = kind(context=context, timeout=DEADLINE)
    ftp.connect(HOST, own.port)
    ftp.login(USER, PASSWORD)
    ftp.prot_p()
    return ftp


@pytest.mark.req("S-4217-DATA-4", "S-4217-DATA-6", "S-4217-CCC-1")
@pytest.mark.parametrize("version", VERSIONS)
def test_ftplib_that_resumes(own: Protected, version: str) -> None:
    with session(Resuming, own, version) as ftp:
        for passive in (True, False):
            ftp.set_pasv(passive)
            for title, content in CONTENTS.items():
                ftp.storbinary(f"STOR {title}", io.BytesIO(content))
                back = io.BytesIO()
                ftp.retrbinary(f"RETR {title}", back.write)
                assert back.getvalue() == content
            assert set(ftp.nlst()) == set(CONTENTS)
        ftp.ccc()
        assert ftp.pwd() == "/"


@pytest.mark.req("S-4217-DATA-4")
@pytest.mark.parametrize("version", VERSIONS)
def test_ftplib_as_it_is_is_refused_where_sessions_must_be_resumed(own: Protected, version: str) -> None:
    (own.root / "file").write_bytes(b"data")
    ftp = session(ftplib.FTP_TLS, own, version)
    back = io.BytesIO()
    with pytest.raises((ftplib.Error, OSError)):
        ftp.retrbinary("RETR file", back.write)
    ftp.close()
    assert back.getvalue() == b""


@pytest.mark.parametrize("version", VERSIONS)
def test_ftplib_as_it_is_is_served_and_noted_by_default(lenient: Protected, version: str) -> None:
    with session(ftplib.FTP_TLS, lenient, version) as ftp:
        ftp.storbinary("STOR file", io.BytesIO(b"data"))
        back = io.BytesIO()
        ftp.retrbinary("RETR file", back.write)
        assert back.getvalue() == b"data"
    assert lenient.server.wait_for("notice", 1)[0]["topic"] == "data-tls-not-resumed"
    assert lenient.server.wait_for("login", 1)[0]["tls"].startswith(f"TLSv{version} ")


# OpenSSL


def s_client(own: Protected, *options: str, implicit: bool = False) -> subprocess.CompletedProcess[str]:
    where = ["-connect", f"{HOST}:{own.implicit if implicit else own.port}"]
    starttls = [] if implicit else ["-starttls", "ftp"]
    trust = ["-CAfile", str(own.pair.certificate), "-verify_return_error"]
    return subprocess.run(
        [program("openssl"), "s_client", *where, *starttls, *trust, *options],
        input="NOOP\r\nQUIT\r\n",
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.req("S-4217-AUTH-1", "S-4217-ALPN-1")
@pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
@pytest.mark.parametrize("options", ["", "-tls1_2", "-tls1_3", "-alpn ftp", "-servername localhost"])
def test_openssl_begins_tls(own: Protected, options: str, implicit: bool) -> None:
    done = s_client(own, *options.split(), "-quiet", "-ign_eof", implicit=implicit)

    assert done.returncode == 0, done.stderr
    assert "200 NOOP" in done.stdout
    assert "221 " in done.stdout


@pytest.mark.req("S-4217-ALPN-1", "S-4217-AUTH-5")
@pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
@pytest.mark.parametrize(
    ("options", "alert"),
    [
        ("-alpn h2,http/1.1", "no application protocol"),
        ("-tls1_1 -cipher ALL@SECLEVEL=0", "protocol version"),
    ],
    ids=["browser", "old"],
)
def test_openssl_is_turned_away(own: Protected, options: str, alert: str, implicit: bool) -> None:
    done = s_client(own, *options.split(), implicit=implicit)

    assert done.returncode != 0
    assert alert in done.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_nothing_resumes_across_control_connections(own: Protected, tmp_path: Path, version: str) -> None:
    ticket = str(tmp_path / "ticket")
    assert s_client(own, version, "-sess_out", ticket, "-quiet", "-ign_eof").returncode == 0

    again = s_client(own, version, "-sess_in", ticket, "-ign_eof")

    assert "New, TLSv" in again.stdout
    assert "Reused" not in again.stdout


def test_renegotiation_is_refused(own: Protected) -> None:
    command = [program("openssl"), "s_client", "-connect", f"{HOST}:{own.port}", "-starttls", "ftp", "-tls1_2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write("R\n")
        client.stdin.flush()
        said = client.stdout.read()

    assert "no renegotiation" in said
