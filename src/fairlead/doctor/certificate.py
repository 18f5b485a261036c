"""A server's certificate as its clients will see it: whose it is, how long it lasts, whether they can trust it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.server.announce import is_address
from fairlead.server.settings import Certificate

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A certificate of a server's."""

    file: str
    names: tuple[str, ...]
    """Host names, in lower case, and addresses."""
    begins: datetime
    ends: datetime
    distrust: str = ""
    """Why a client with this machine's authorities does not trust it, whatever it calls it; empty where it does."""

    def serves(self, host: str) -> bool:
        """Whether it is for ``host``, an address or a host name."""
        name = host.lower().rstrip(".")
        parent = name.partition(".")[2]
        return name in self.names or bool(parent and not is_address(name) and f"*.{parent}" in self.names)


def read_certificate(certificate: Certificate, authorities: str | None = None) -> Shown:
    """What ``certificate`` shows to clients that trust the file ``authorities``, by default those of this machine.

    Raises OSError and ValueError, as reading it for serving does.
    """
    from cryptography import x509  # noqa: PLC0415 - only who has a certificate waits for the library

    leaf = x509.load_pem_x509_certificate(Path(certificate.file).read_bytes())
    return Shown(
        file=certificate.file,
        names=tuple(_names(leaf)),
        begins=leaf.not_valid_before_utc,
        ends=leaf.not_valid_after_utc,
        distrust=_distrust(certificate, authorities),
    )


def _distrust(certificate: Certificate, authorities: str | None) -> str:
    """What a client finds wrong in a handshake, of which nothing leaves this process."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate.file, certificate.key or None)
    calling = ssl.create_default_context(cafile=authorities)
    calling.check_hostname = False
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = calling.wrap_bio(to_client, to_server)
    for end in (client, server, client):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            return str(error.verify_message)
    return ""


def _names(certificate: x509.Certificate) -> Iterable[str]:
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - as above

    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [str(each.value).lower() for each in common]
    hosts = alternatives.get_values_for_type(x509.DNSName)
    return [*map(str.lower, hosts), *map(str, alternatives.get_values_for_type(x509.IPAddress))]
