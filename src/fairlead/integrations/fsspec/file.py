"""An open file of the file system."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fsspec.spec import AbstractBufferedFile

from fairlead.client.sync import Client

if TYPE_CHECKING:
    from fairlead.integrations.fsspec import FairleadFileSystem


class FairleadFile(AbstractBufferedFile):  # type: ignore[misc]
    """An open file, with a session of its own; an exception in the ``with`` block breaks off one that is written."""

    fs: FairleadFileSystem

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ftp: Client | None = None
        self._file: Any = None
        super().__init__(*args, **kwargs)
        self._stored_as = self.path if self.autocommit else f"{self.path}.{os.urandom(4).hex()}.part"

    def _fetch_range(self, start: int, end: int) -> bytes:
        """The octets from ``start`` to ``end``; where that follows on what came last, the transfer goes on."""
        self._begin(self.path, "rb", offset=start)
        self._file.seek(start)
        octets: bytes = self._file.read(end - start)
        return octets

    def _initiate_upload(self) -> None:
        self._begin(self._stored_as, self.mode)

    def _upload_chunk(self, final: bool = False) -> bool:
        try:
            self._file.write(self.buffer.getvalue())
            if final:
                self._file.close()
        except BaseException:
            self._break_off()
            raise
        if final:
            self._leave()
        return True

    def commit(self) -> None:
        """Let what was written in a transaction take its name."""
        self.fs.mv(self._stored_as, self.path)

    def discard(self) -> None:
        """Remove what was written in a transaction."""
        self.fs.rm_file(self._stored_as)

    def close(self) -> None:
        """Finish it."""
        try:
            super().close()
        finally:
            if self.mode == "rb" and self._file is not None:
                self._file.close()
                self._leave()

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:  # fmt: skip
        if kind is not None and self.mode != "rb":
            self._break_off()
            self.forced = True  # nothing is left to be sent
        self.close()

    def _begin(self, path: str, mode: str, **options: Any) -> None:
        if self._file is None:
            self._ftp = self.fs.sessions.take()
            try:
                self._file = self._ftp.open(path, mode, **options)
            except BaseException:
                self._leave()
                raise

    def _break_off(self) -> None:
        if self._ftp is not None:
            self._ftp.close()
        self._leave()

    def _leave(self) -> None:
        """Let others have the session."""
        ftp, self._ftp, self._file = self._ftp, None, None
        if ftp is not None:
            self.fs.sessions.give_back(ftp)
