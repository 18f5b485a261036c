"""How long to wait for what: from the measured round trip, so that no fixed minute is waited for."""

from __future__ import annotations

from dataclasses import dataclass

SYN_LOST = 3.2
"""Seconds in which a SYN has been sent three times (at 0, 1 and 3 s): so often it is not lost by chance."""
SECOND_CALL = 1.1
"""Seconds after which an unanswered call is made again beside the first, with SYNs of its own."""
LOGIN = 9.0
"""Seconds for a login: accounts may be asked for elsewhere."""
WHOLE = 11.0
"""Seconds for everything; what has not come by then is judged as it stands."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait, for a path whose round trip takes ``round_trip`` seconds."""

    round_trip: float

    @property
    def call(self) -> float:
        """Until a call counts as not answered: three SYNs of it may be lost."""
        return SYN_LOST + min(1.8, 4 * self.round_trip)

    @property
    def glance(self) -> float:
        """In which a call is answered unless something was lost."""
        return min(1.5, max(0.25, 4 * self.round_trip))

    @property
    def caller(self) -> float:
        """Until the server's call counts as not arrived; the command that asks for it may be lost once, too."""
        return self.call + 0.6

    @property
    def reply(self) -> float:
        """From a command to its reply: segments may be lost and sent again."""
        return min(6.0, 4.0 + 10 * self.round_trip)

    @property
    def stall(self) -> float:
        """In which something must come over a data connection that stands."""
        return self.reply
