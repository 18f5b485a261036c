"""Certificates for tests, made on the spot: self-signed, or issued by an authority of the test's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files and as objects."""

    certificate: Path
    key: Path
    body: x509.Certificate
    secret: ec.EllipticCurvePrivateKey


def make(
    place: Path,
    name: str,
    *names: str,
    issuer: Pair | None = None,
    authority: bool = False,
    until: datetime | None = None,
    purpose: str = "",
) -> Pair:
    """A certificate of the common name ``name`` with the alternative ``names``: host names, addresses, mail addresses.

    It is valid for 90 days, or up to ``until``; for everything, or with the ``purpose`` "client" for clients only. The
    files are ``NAME.pem`` and ``NAME.key`` in ``place``.
    """
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.body.subject if issuer else subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(until or now + 90 * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_alternative, names))), critical=False)
    if purpose == "client":
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
    body = builder.sign(issuer.secret if issuer else secret, hashes.SHA256())
    certificate, key = place / f"{name}.pem", place / f"{name}.key"
    certificate.write_bytes(body.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return Pair(certificate, key, body, secret)


def _alternative(name: str) -> x509.GeneralName:
    if "@" in name:
        return x509.RFC822Name(name)
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
