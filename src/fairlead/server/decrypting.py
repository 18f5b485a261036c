"""The octets of a file that come under TLS as they are: from the wire into the file by two buffers, used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.server.protected import CHUNK
from fairlead.server.pump import SocketPump, lost
from fairlead.tls import RECORD

if TYPE_CHECKING:
    from fairlead.server.protected import Protected
    from fairlead.storage.base import Upload


class Decrypt(SocketPump):
    """As :class:`fairlead.server.pump.Receive` where nothing is decoded: no octets object is made for what comes."""

    __slots__ = ("_cipher", "_plain", "_protected", "_upload")
    reads = True

    def __init__(self, connection: Protected, upload: Upload, moved: int) -> None:
        super().__init__(connection)
        self.moved = moved
        self._protected = connection
        self._upload = upload
        self._cipher = memoryview(bytearray(CHUNK))
        self._plain = memoryview(bytearray(CHUNK + RECORD))

    def run(self, patience: float) -> bool:
        """Receive up to the end of the data."""
        self._be_patient(patience)
        protected, plain, write = self._protected, self._plain, self._upload.write
        while True:
            try:
                size = protected.recv_into(plain, self._cipher)
            except BlockingIOError:
                return False
            except OSError as error:
                raise lost(error) from error
            if not size:
                return True
            self.moved += size
            write(plain[:size])
