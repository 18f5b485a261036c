"""How data connections end."""

from __future__ import annotations

from fairlead.server.data import RawConnection
from fairlead.server.ending import discard_incoming


class Endless(RawConnection):
    """Something has come whenever it is asked."""

    asked = 0

    def recv(self, size: int, _flags: int = 0, /) -> bytes:
        self.asked += 1
        assert self.asked < 10_000
        return bytes(size)


def test_peer_that_sends_without_end_keeps_nobody_waiting() -> None:
    with Endless() as connection:
        assert not discard_incoming(connection)
