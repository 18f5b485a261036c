"""Trust on first use: the file of certificates that were seen before."""

from __future__ import annotations

import io
import multiprocessing
import os
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest

from fairlead import Client
from fairlead.client.known_hosts import KnownHosts
from fairlead.client.trace import TlsBegan
from fairlead.errors import ArgumentError, CertificateError, ConfigError
from tests.certificates import Pair, make
from tests.client.script import HOST, LOGIN, NO_FEATURES, Stage, Step, data, door, on, stage
from tests.client.secure import begin_tls, protect, server_context

A, B = "a" * 64, "b" * 64
SERVER = "ftp.example.com:21"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "fairlead" / "known_hosts"


def test_first_certificate_is_remembered_and_told_and_then_known(path: Path) -> None:
    told: list[tuple[str, str]] = []
    known = KnownHosts(path, on_new=lambda *what: told.append(what))
    assert known.check(SERVER, A)
    assert not known.check(SERVER, A)
    assert not KnownHosts(path).check("FTP.Example.com:21", A)
    assert told == [(SERVER, A)]
    assert path.read_text() == f"{SERVER} sha256:{A}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_certificate_is_refused_by_file_and_line_and_changes_nothing(path: Path) -> None:
    known = KnownHosts(path)
    known.check("other.example:21", B)
    known.check(SERVER, A)
    before = path.read_bytes()
    with pytest.raises(CertificateError) as caught:
        known.check(SERVER, B)
    for word in (
        SERVER,
        f"{path}, line 2",
        f"sha256:{A}",
        f"sha256:{B}",
        "somebody may be in between",
        "take that line",
    ):
        assert word in str(caught.value)
    assert path.read_bytes() == before


def test_servers_are_told_apart_by_their_ports(path: Path) -> None:
    known = KnownHosts(path)
    assert known.check("[::1]:21", A)
    assert known.check("[::1]:990", B)
    assert not known.check("[::1]:21", A)


def test_what_people_wrote_is_kept_and_heeded(path: Path) -> None:
    path.parent.mkdir(parents=True)
    text = f"# mine\n\n  {SERVER}   sha256:{A.upper()}   # old\n{SERVER} sha256:{B}\r\n"
    text += f"nonsense\n{SERVER} sha256:abc\n#x:21 sha256:{A}"
    path.write_bytes(text.encode() + b"\n\xff\xfe broken")
    known = KnownHosts(path)
    assert not known.check(SERVER, A)
    assert not known.check(SERVER, B)
    assert known.check("x:21", A)
    assert path.read_bytes() == text.encode() + b"\n\xff\xfe broken\n" + f"x:21 sha256:{A}\n".encode()
    with pytest.raises(CertificateError, match="line 4"):
        known.check(SERVER, "c" * 64)


def meet(path: Path, certificate: str) -> str:
    try:
        return str(KnownHosts(path).check(SERVER, certificate))
    except CertificateError:
        return "refused"


def test_programs_that_meet_a_server_at_the_same_time_agree_on_its_certificate(path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        outcomes = pool.starmap(meet, [(path, f"{number:064x}") for number in range(40)])
    assert sorted(outcomes) == ["True"] + ["refused"] * 39
    assert len(path.read_text().splitlines()) == 1


def test_file_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be kept in .*: Not a directory; name another file"):
        KnownHosts(tmp_path / "file" / "known_hosts").check(SERVER, A)
    with pytest.raises(ConfigError, match="Is a directory"):
        KnownHosts(tmp_path).check(SERVER, A)


@pytest.mark.parametrize("other", [{"pin": A}, {"insecure": True}])
def test_trust_is_said_once(path: Path, other: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match="say twice whom to trust"):
        Client("host", known_hosts=path, **other)  # type: ignore[arg-type]


# In a session


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    return tuple(make(tmp_path_factory.mktemp("c"), name, "elsewhere.example") for name in "ab")  # type: ignore[return-value]


def begin(*steps: Step, pair: Pair, path: Path, **settings: Any) -> Stage:
    context = server_context(pair, ssl.TLSVersion.TLSv1_3)
    begun = on("AUTH TLS", "234 go", begin_tls(context))
    return stage(begun, *steps, tls="require", known_hosts=path, **settings)


@pytest.mark.req("C-4217-TLS-3")
def test_session_trusts_what_the_server_showed_first_and_nothing_else(pairs: tuple[Pair, Pair], path: Path) -> None:
    context = server_context(pairs[0], ssl.TLSVersion.TLSv1_3)
    secure = (*LOGIN, on("PBSZ 0", "200 ok"), on("PROT P", "200 ok"), *NO_FEATURES)
    fetch = (
        *(on("TYPE I", "200 ok"), on("SIZE f", "213 6"), on("EPSV", door(5001, protect(context)), "229 ok (|||5001|)")),
        on("RETR f", "150 go", data(b"octets"), "226 done"),
    )
    remembered = []
    for _ in range(2):
        on_stage = begin(*secure, *fetch, pair=pairs[0], path=path)
        with on_stage.ftp as ftp:
            target = io.BytesIO()
            ftp.download("f", target)
        assert target.getvalue() == b"octets"
        remembered += [record for record in on_stage.records if isinstance(record, TlsBegan)][:1]
    assert [record.security.remembered for record in remembered] == [True, False]
    assert str(remembered[0]).endswith(", remembered as the server's")
    assert path.read_text().startswith(f"{HOST}:21 sha256:")

    on_stage = begin(pair=pairs[1], path=path)
    with pytest.raises(CertificateError, match="shows another certificate than before"):
        on_stage.ftp.connect()
    assert "USER me" not in on_stage.play.heard
    assert not on_stage.ftp.connected


@pytest.mark.req("C-4217-TLS-3")
def test_authority_is_asked_as_well_where_one_is_named(pairs: tuple[Pair, Pair], path: Path) -> None:
    on_stage = begin(pair=pairs[0], path=path, ca=pairs[0].certificate)
    with pytest.raises(CertificateError, match="mismatch"):
        on_stage.ftp.connect()
    assert not path.exists()


def test_file_is_not_touched_while_nothing_is_under_tls(path: Path) -> None:
    on_stage = stage(*LOGIN, *NO_FEATURES, tls="off", known_hosts=os.fspath(path))
    with on_stage.ftp:
        pass
    assert not path.exists()
