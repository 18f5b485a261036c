"""From clear to TLS: AUTH, PBSZ and PROT (RFC 4217), and what a handshake waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fairlead.client._wire import ProtectedStream, Wire
from fairlead.client.settings import TlsSetting
from fairlead.client.trace import TlsNotOffered, show_reply
from fairlead.errors import ArgumentError, ConnectError, TlsError
from fairlead.proto.features import parse_features

if TYPE_CHECKING:
    from fairlead.client._control import Control

ADVICE: Mapping[int, str] = {
    521: "the server wants data connections under TLS: do not turn TLS off",
    522: "the server did not accept TLS on the data connection: it may want the session of the control connection",
    534: "the server's policy asks for TLS, or for a stronger protection",
}
"""What the codes of RFC 4217 mean for a transfer or a login."""
_NOT_IMPLEMENTED = {500, 502, 504}
"""Replies of a server that has no TLS, whatever FEAT says."""
_FEATURES = 211


def wanted(scheme: str, setting: TlsSetting) -> TlsSetting:
    """What a URL's scheme and the setting beside it come to. Raises ArgumentError where they contradict each other."""
    if scheme == "ftp":
        return setting
    if setting == "off" or (scheme == "ftpes" and setting == "implicit"):
        message = f"{scheme}:// and TLS set to {setting!r} contradict each other; leave one of them out"
        raise ArgumentError(message)
    return "implicit" if scheme == "ftps" else "require"


async def shake_hands(wire: Wire, stream: ProtectedStream, *, timeout: float) -> bool:
    """Finish the handshake of ``stream``; False when ``timeout`` seconds passed first. Raises TlsError, OSError."""
    deadline = wire.now() + timeout
    while not stream.handshake():
        writers = (stream,) if stream.unsent else ()
        if not await wire.wait_any(readers=(stream,), writers=writers, timeout=deadline - wire.now()):
            return False
    return True


async def ask_for_tls(control: Control, *, required: bool) -> bool:
    """AUTH TLS, before anything is said that others should not hear (RFC 4217 section 4); whether TLS is due now.

    Without ``required``, False when the server does not offer it: FEAT does not name it, or where FEAT tells nothing,
    AUTH is unknown. A server that offers TLS and then refuses it is not trusted with the password in clear, unless it
    says that it has none: Pure-FTPd without a certificate names AUTH all the same.

    Raises ConnectError.
    """
    offered = required
    if not required:
        reply = await control.command("FEAT")
        if reply.code == _FEATURES:
            offered = "AUTH" in parse_features(reply)
            if not offered:
                control.tell(TlsNotOffered())
                return False
    reply = await control.command("AUTH", "TLS")
    if reply.completed:
        return True
    if not required and (reply.code in _NOT_IMPLEMENTED or (not offered and reply.permanent)):
        control.tell(TlsNotOffered())
        return False
    said = f"AUTH TLS was answered with {show_reply(reply)}"
    message = f"the server refuses TLS and nothing goes in clear ({said}); ask its operator, or set tls to off"
    raise ConnectError(message)


async def protect_data(control: Control) -> None:
    """PBSZ 0 and PROT P (RFC 4217 section 9): data connections are under TLS from now on. Raises TlsError."""
    await control.command("PBSZ", "0")
    reply = await control.command("PROT", "P")
    if not reply.completed:
        message = (
            f"the server does not protect data connections (PROT P was answered with {show_reply(reply)}), "
            "and nothing goes in clear"
        )
        raise TlsError(message)
    control.data_protection = control.protection
