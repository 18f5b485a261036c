"""A certificate that the server signs itself, made once and kept, so that clients can come to know it."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.errors import ConfigError

if TYPE_CHECKING:
    from cryptography import x509

FILE = "self-signed.pem"
VALID = timedelta(days=3650)
"""It is trusted for itself and by nobody else's word, so nothing is gained by changing it often."""
_COMMON_NAME_LIMIT = 64


def state_directory(environment: Mapping[str, str]) -> Path:
    """Where what must outlive the process is kept: what systemd gives (StateDirectory=), else the user's own place."""
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    base = environment.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        home = environment.get("HOME", "") or os.path.expanduser("~")
        base = f"{home}/.local/state"
    return Path(base) / "fairlead"


def self_signed(directory: Path, names: Iterable[str] = ()) -> str:
    """The path of a file with certificate and key in ``directory``; made the first time, and after it has expired.

    It is for this machine's own name and loopback addresses, and for ``names``, which are host names or addresses.
    Raises ConfigError.
    """
    path = directory / FILE
    try:
        if not _serves(path):
            _write(path, _made([socket.gethostname(), "localhost", "127.0.0.1", "::1", *names]))
    except OSError as error:
        raise ConfigError(
            f"cannot keep a self-signed certificate in {directory}: {error.strerror}; set XDG_STATE_HOME to a directory"
            " that can be written"
        ) from error
    return str(path)


def _serves(path: Path) -> bool:
    """Whether the file is there and its certificate has not expired; one that cannot be read is for TLS to refuse."""
    from cryptography import x509  # noqa: PLC0415 - only who asks for such a certificate waits for the library

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return certificate.not_valid_after_utc > datetime.now(UTC)


def _made(names: Iterable[str]) -> bytes:
    """Certificate and key in PEM form: ECDSA with P-256, the quickest that every client takes."""
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415

    unique = list(dict.fromkeys(names))
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, unique[0][:_COMMON_NAME_LIMIT])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clients' clocks may be behind
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, unique))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes) -> None:
    """Put the file there whole and for the owner's eyes only, whoever else does the same just now."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(part, path)
