"""A certificate as clients see it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairlead.doctor.certificate import Shown, read_certificate
from fairlead.server.settings import Certificate
from tests.certificates import make

SOME = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_issued_certificate_is_trusted_by_who_has_the_authority(tmp_path: Path) -> None:
    authority = make(tmp_path, "authority", authority=True)
    pair = make(tmp_path, "server", "FTP.example.com", "192.0.2.7", issuer=authority)
    certificate = Certificate(str(pair.certificate), str(pair.key))
    shown = read_certificate(certificate, str(authority.certificate))
    assert shown.names == ("ftp.example.com", "192.0.2.7")
    assert shown.begins < datetime.now(UTC) < shown.ends
    assert shown.distrust == ""
    assert read_certificate(certificate).distrust == "unable to get local issuer certificate"


def test_key_and_certificate_may_be_in_one_file(tmp_path: Path) -> None:
    pair = make(tmp_path, "server")
    pair.certificate.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    shown = read_certificate(Certificate(str(pair.certificate)))
    assert shown.names == ("server",)
    assert shown.distrust.replace("-", " ") == "self signed certificate"


@pytest.mark.parametrize(
    ("host", "serves"),
    [
        ("ftp.example.com", True),
        ("FTP.Example.com.", True),
        ("a.example.org", True),
        ("192.0.2.7", True),
        ("example.org", False),
        ("a.b.example.org", False),
        ("192.0.2.8", False),
        ("localhost", False),
    ],
)
def test_names_are_compared_as_clients_do(host: str, serves: bool) -> None:
    shown = Shown(file="x", names=("ftp.example.com", "*.example.org", "192.0.2.7"), begins=SOME, ends=SOME)
    assert shown.serves(host) is serves
