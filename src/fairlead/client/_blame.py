"""What a person is told when no way led to a data connection: each way with its cause, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.client._ways import Failure, Way, Ways
from fairlead.client.settings import ModeSetting
from fairlead.errors import DataConnectionError
from fairlead.reach.cause import Cause

_ADVICE = {
    Cause.PASSIVE_DROPPED: "a firewall drops the call: the server's side must let its passive ports in",
    Cause.PASSIVE_REJECTED: "nobody listens there: the server's passive ports are not forwarded, or closed",
    Cause.PASSIVE_EXHAUSTED: "the server has no passive port free, try again later",
    Cause.ACTIVE_DROPPED: "the server cannot call you: your side must let calls in, or use a passive mode",
    Cause.ACTIVE_REJECTED: "your side refuses the server's call: let it in, or use a passive mode",
    Cause.ACTIVE_PRIVATE_ADDRESS: "your address means nothing beyond your router, only a passive mode can work",
    Cause.FAMILY_UNSUPPORTED: "server and client share no address family for data",
    Cause.DATA_TLS_NOT_RESUMED: "the server may want the TLS session of the control connection resumed",
    Cause.REFUSED_BY_POLICY: "the server's policy forbids it",
}
_ANOTHER = "try another mode"


def no_data_connection(
    failures: Sequence[Failure], ways: Ways, *, server: str, mode: ModeSetting
) -> DataConnectionError:
    """The error of a transfer whose ways failed as told.

    None did where all had failed for good before, or where the server heard nothing. ``server`` is what a person calls
    it by.
    """
    if not failures and ways.candidates():
        return DataConnectionError(
            Cause.CONTROL_LOST,
            "no data connection: the server does not answer since a transfer was broken off, so that no mode could be "
            "tried; connect again",
        )
    failures = failures or ways.failures
    if not failures:
        modes = " and ".join(ways.unusable)
        return DataConnectionError(
            Cause.FAMILY_UNSUPPORTED,
            f"no data connection: {modes} can only carry IPv4 addresses and this session runs over IPv6; "
            "use EPSV or EPRT",
        )
    telling = [failure for failure in failures if failure.cause is not Cause.NOT_SUPPORTED] or failures
    cause = telling[0].cause
    advice = [text for text in (_ADVICE.get(cause), None if mode == "auto" else _ANOTHER) if text]
    advice.append(f"fairlead doctor {server} finds out more")
    return DataConnectionError(cause, f"no data connection ({'; '.join(_by_way(failures))}); {'; '.join(advice)}")


def _by_way(failures: Sequence[Failure]) -> list[str]:
    """What came of each way: the first failure with the cause of the last one, and how many there were."""
    told: dict[Way, list[Failure]] = {}
    for failure in failures:
        told.setdefault(failure.way, []).append(failure)
    lines = []
    for way, group in told.items():
        first = next(failure for failure in group if failure.cause is group[-1].cause)
        more = f" and {len(group) - 1} further calls failed" if len(group) > 1 else ""
        lines.append(f"{way}: {first.reason}{more}, {first.cause}")
    return lines
