"""Trust on first use: a file of servers and the certificates that they showed, as ssh's ``known_hosts``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from fairlead.errors import CertificateError, ConfigError

try:
    import fcntl
except ImportError:  # Windows, where of two programs that write at once one may wait in vain for its line
    fcntl = None  # type: ignore[assignment]

_LINE = re.compile(rb"\s*([^\s#]\S*)\s+sha256:([0-9a-fA-F]{64})\s*(?:#.*)?")
_OPEN = os.O_RDWR | os.O_CREAT | os.O_APPEND


class KnownHosts:
    """A :class:`fairlead.client.settings.KnownCertificates` in the file ``path``, which only its owner may read.

    It is text: a line ``HOST:PORT sha256:DIGITS`` for each certificate, of which a server may have several; what
    follows ``#`` and what is no such line is left alone. A new line is written while the file is locked, so that of
    programs that meet a server at the same time all see the same certificate. ``on_new`` is told the server and the
    SHA-256 of each certificate that is remembered.
    """

    def __init__(self, path: str | os.PathLike[str], *, on_new: Callable[[str, str], None] | None = None) -> None:
        self.path = Path(path)
        self._on_new = on_new

    def check(self, server: str, certificate: str) -> bool:
        """See :class:`fairlead.client.settings.KnownCertificates`. Raises ConfigError where the file can't be used."""
        server = server.lower()
        with self._locked() as file:
            known = {digits: number for number, name, digits in _lines(file.read()) if name == server}
            if not known:
                _append(file, f"{server} sha256:{certificate}\n".encode())
        if known and certificate not in known:
            digits, number = list(known.items())[-1]
            message = (
                f"{server} shows another certificate than before: {self.path}, line {number}, has sha256:{digits}, and "
                f"it is sha256:{certificate} now; somebody may be in between, so ask the server's operator, and if it "
                "was replaced, take that line out"
            )
            raise CertificateError(message)
        if not known and self._on_new is not None:
            self._on_new(server, certificate)
        return not known

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        try:
            with suppress(FileExistsError):
                self.path.parent.mkdir(mode=0o700, parents=True)
            with os.fdopen(os.open(self.path, _OPEN, 0o600), "r+b", buffering=0) as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            message = f"known certificates cannot be kept in {self.path}: {error.strerror or error}; name another file"
            raise ConfigError(message) from error


def _lines(octets: bytes) -> Iterator[tuple[int, str, str]]:
    """The number of each line that tells something, the server and the certificate."""
    for number, line in enumerate(octets.splitlines(), 1):
        if match := _LINE.fullmatch(line):
            yield number, match[1].decode("utf-8", "replace").lower(), match[2].decode().lower()


def _append(file: BinaryIO, line: bytes) -> None:
    """Write a line of its own, in one go, even behind one that lost its end."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        line = line if file.read(1) == b"\n" else b"\n" + line
    file.write(line)
    os.fsync(file.fileno())
