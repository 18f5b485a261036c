"""A certificate that the server signs itself, made once and kept, so that clients can come to know it."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fairlead.errors import ConfigError
from fairlead.self_signed import made

FILE = "self-signed.pem"


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
            _write(path, made([socket.gethostname(), "localhost", "127.0.0.1", "::1", *names]))
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


def _write(path: Path, content: bytes) -> None:
    """Put the file there whole and for the owner's eyes only, whoever else does the same just now."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(part, path)
