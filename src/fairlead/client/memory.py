"""A file that remembers which mode served, by server and local network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from fairlead.record import Record

if TYPE_CHECKING:
    from pathlib import Path

LIFETIME = 30 * 24 * 3600.0
"""Seconds after which what was not confirmed is forgotten."""
LIMIT = 500
"""Entries in the file; the oldest make room."""
_LARGEST = 1 << 20
"""Octets of a file that is still read."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_CONFIRMED_OFTEN_ENOUGH = 24 * 3600.0
"""Seconds for which an entry is not written again."""


class _Entry(Record):
    server: str
    network: str
    mode: str
    at: float
    """Seconds since the epoch at which it last served."""


class ModeMemory:
    """A :class:`fairlead.client._memory.Memory` in the JSON file ``path``, which only its owner may read.

    The file is replaced as a whole, so that who reads it while another writes sees the old one or the new one; of two
    that write at once, one may lose its entry. A file that is damaged counts as empty. ``clock`` tells the seconds
    since the epoch.
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> None:
        self._path = os.fspath(path)
        self._clock = clock

    @property
    def path(self) -> Path:
        """The file."""
        from pathlib import Path  # noqa: PLC0415 - reading does without

        return Path(self._path)

    def recall(self, server: str, network: str) -> str | None:
        """The mode that served with ``server`` from ``network``, None when none is known."""
        return next((entry.mode for entry in self._read() if (entry.server, entry.network) == (server, network)), None)

    def remember(self, server: str, network: str, mode: str) -> bool:
        """Keep ``mode``; whether that is news."""
        entries = self._read()
        now = self._clock()
        known = next((entry for entry in entries if (entry.server, entry.network) == (server, network)), None)
        if known is not None and known.mode == mode and now - known.at < _CONFIRMED_OFTEN_ENOUGH:
            return False
        rest = [entry for entry in entries if entry is not known]
        self._write([*rest, _Entry(server, network, mode, now)])
        return known is None or known.mode != mode

    def forget(self, server: str, network: str) -> None:
        """Drop what is known of ``server`` and ``network``."""
        entries = self._read()
        rest = [entry for entry in entries if (entry.server, entry.network) != (server, network)]
        if len(rest) < len(entries):
            self._write(rest)

    def _read(self) -> list[_Entry]:
        """What is in the file and neither too old nor from the future."""
        try:
            with open(self._path, "rb") as file:
                octets = file.read(_LARGEST + 1)
            import json  # noqa: PLC0415 - many have no such file

            entries = [_Entry(**entry) for entry in json.loads(octets)["modes"]] if len(octets) <= _LARGEST else []
            now = self._clock()
            return [entry for entry in entries if 0 <= now - entry.at < LIFETIME]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return []

    def _write(self, entries: list[_Entry]) -> None:
        import json  # noqa: PLC0415 - as above

        path = self.path
        newest = sorted(entries, key=lambda entry: entry.at)[-LIMIT:]
        text = json.dumps({"modes": [vars(entry) for entry in newest]}, indent=1)
        with suppress(OSError):  # a transfer does not fail because nothing can be written down
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
            try:
                with os.fdopen(os.open(beside, _NEW, 0o600), "w", encoding="utf-8") as file:
                    file.write(text)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
