"""The certificate that is made when none is given."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairlead.config.self_signed import self_signed, state_directory
from fairlead.errors import ConfigError
from tests.certificates import make


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"STATE_DIRECTORY": "/var/lib/fairlead", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/var/lib/fairlead"),
        ({"STATE_DIRECTORY": "/a:/b"}, "/a"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/fairlead"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/fairlead"),
        ({"HOME": "/h"}, "/h/.local/state/fairlead"),
    ],
)
def test_what_is_kept_has_its_place(environment: dict[str, str], directory: str) -> None:
    assert state_directory(environment) == Path(directory)


def test_who_has_no_home_in_the_environment_has_one_all_the_same() -> None:
    assert state_directory({}).is_absolute()


def test_it_is_made_for_this_machine_and_the_names_given(tmp_path: Path) -> None:
    made = Path(self_signed(tmp_path / "state", ["ftp.example.com", "203.0.113.7"]))

    certificate = x509.load_pem_x509_certificate(made.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "ftp.example.com"} <= set(names.get_values_for_type(x509.DNSName))
    assert {str(address) for address in names.get_values_for_type(x509.IPAddress)} == {
        "127.0.0.1",
        "::1",
        "203.0.113.7",
    }
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=3000)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = Path(self_signed(tmp_path / "state"))

    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert list(made.parent.iterdir()) == [made]


def test_it_serves_tls(tmp_path: Path) -> None:
    made = self_signed(tmp_path)

    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made)
    ssl.create_default_context(cafile=made)


def test_it_is_kept(tmp_path: Path) -> None:
    first = Path(self_signed(tmp_path)).read_bytes()

    assert Path(self_signed(tmp_path, ["another.example.com"])).read_bytes() == first


def test_one_that_has_expired_is_made_anew(tmp_path: Path) -> None:
    pair = make(tmp_path, "old", until=datetime.now(UTC) - timedelta(days=1))
    kept = tmp_path / "self-signed.pem"
    kept.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())

    made = Path(self_signed(tmp_path))

    assert made == kept
    assert x509.load_pem_x509_certificate(made.read_bytes()).not_valid_after_utc > datetime.now(UTC)


def test_a_file_that_is_no_certificate_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "self-signed.pem").write_text("somebody else's")

    assert Path(self_signed(tmp_path)).read_text() == "somebody else's"


def test_where_it_cannot_be_kept_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"cannot keep a self-signed certificate in .*: Not a directory; set XDG"):
        self_signed(tmp_path / "file")


def test_its_key_is_its_own(tmp_path: Path) -> None:
    keys = {
        serialization.load_pem_private_key(Path(self_signed(tmp_path / name)).read_bytes(), None)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for name in ("one", "two")
    }

    assert len(keys) == 2
