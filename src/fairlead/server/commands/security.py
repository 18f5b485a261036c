"""Protection of the connections: AUTH, PBSZ, PROT, CCC and the rest of RFC 2228, by TLS (RFC 4217); SSCN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import ArgumentError
from fairlead.proto.reply import Reply
from fairlead.server.offer import offered, third_party_refused, with_tls
from fairlead.server.protection import CLEAR, PRIVATE
from fairlead.server.registry import Argument, command

if TYPE_CHECKING:
    from fairlead.server.session import Session

LEVELS = {"TLS": CLEAR, "TLS-C": CLEAR, "SSL": PRIVATE, "TLS-P": PRIVATE}
"""The mechanisms that AUTH knows, all of them TLS, and the level of data connections that each begins with."""
NO_PROTECTION = Reply(503, "Send AUTH TLS first.")
NOT_ANY_MORE = Reply(503, "The control connection was cleared with CCC; send REIN to begin anew.")
LARGEST = 2**32 - 1
"""The largest buffer size that PBSZ can carry."""


def _capital(argument: str) -> str:
    """Letters other than ASCII's stay as they are: in upper case some of them become one of these."""
    return argument.upper() if argument.isascii() else argument


@command("AUTH", syntax="TLS", argument=Argument.REQUIRED, login=False, feature=offered("AUTH TLS"))
@with_tls
def authenticate(session: Session, mechanism: str) -> Reply:
    """Put TLS on the control connection; everything about the session begins anew (RFC 4217 section 4)."""
    control, protection = session.reply_to, session.protection
    if control.protected:
        return Reply(503, "TLS is there already.")
    if protection.context is not None:
        return NOT_ANY_MORE
    level = LEVELS.get(_capital(mechanism))
    if level is None:
        return Reply(504, f"The mechanism {mechanism[:20]} is not known; send AUTH TLS.")
    session.use_port(None)
    session.reset()
    protection.reset()
    protection.level = level
    control.start_tls()
    return Reply(234, "Begin TLS now.")


@command("ADAT", syntax="data", argument=Argument.REQUIRED, login=False)
@with_tls
def security_data(_: Session, __: str) -> Reply:
    """Carry data of a security mechanism; TLS has none to carry."""
    return Reply(503, "No mechanism waits for data; send AUTH TLS.")


@command("PBSZ", syntax="0", argument=Argument.REQUIRED, login=False, feature=offered("PBSZ"))
@with_tls
def protection_buffer_size(session: Session, argument: str) -> Reply:
    """Agree on the buffer of protected data, which TLS has no use for: it is 0 (RFC 4217 section 9)."""
    if session.protection.tls is None:
        return _unprotected(session)
    if not (argument.isascii() and argument.isdecimal() and len(argument) <= 10 and int(argument) <= LARGEST):
        raise ArgumentError("PBSZ takes a number of octets below 2^32")
    session.protection.buffer_size = True
    return Reply(200, "PBSZ=0")


@command("PROT", syntax="C | P", argument=Argument.REQUIRED, login=False, feature=offered("PROT"))
@with_tls
def protection_level(session: Session, argument: str) -> Reply:
    """Choose how data connections are protected: clear or private (RFC 4217 section 9)."""
    protection = session.protection
    if protection.tls is None:
        return _unprotected(session)
    if not protection.buffer_size:
        return Reply(503, "Send PBSZ 0 first.")
    level = _capital(argument)
    if level in {"S", "E"}:
        return Reply(536, "TLS protects data wholly or not at all: PROT P or PROT C.")
    if level not in {CLEAR, PRIVATE}:
        return Reply(504, f"The level {argument[:20]} is not known: PROT P or PROT C.")
    if level == CLEAR and session.server.settings.tls.required:
        return Reply(534, "Data move under TLS only here.")
    protection.level = level
    if session.port is not None and session.port.kept:
        session.use_port(session.port.base)
    return Reply(200, "Data connections are private." if level == PRIVATE else "Data connections are in clear.")


def _unprotected(session: Session) -> Reply:
    return NO_PROTECTION if session.protection.context is None else NOT_ANY_MORE


@command("CCC", login=False, feature=offered("CCC"))
@with_tls
def clear_command_channel(session: Session, _: str) -> Reply:
    """Go on with the control connection in clear, for the sake of a NAT that must read it (RFC 4217 section 5)."""
    protection = session.protection
    if protection.tls is None:
        return Reply(533, "The control connection is in clear already.")
    if session.server.settings.tls.required:
        return Reply(534, "The control connection stays under TLS here.")
    protection.tls = None
    session.reply_to.end_tls()
    return Reply(200, "In clear from here on.")


def _refuse_payload(session: Session, _: str) -> Reply:
    """Protected commands belong to mechanisms other than TLS; what they carry is never looked at."""
    if session.protection.tls is None:
        return NO_PROTECTION
    return Reply(537, "Under TLS commands are protected as they are.")


for _verb in ("MIC", "CONF", "ENC"):
    command(_verb, syntax="data", argument=Argument.REQUIRED, login=False, secret=True)(with_tls(_refuse_payload))


# Server to server: one of the two must be the client of TLS


@command("SSCN", syntax="[ON | OFF]", argument=Argument.OPTIONAL, feature=offered("SSCN"))
@with_tls
def set_secured_client_negotiation(session: Session, argument: str) -> Reply:
    """Be the client of TLS on data connections, as one of two servers must that move a file between them."""
    protection = session.protection
    asked = _capital(argument)
    if asked not in {"", "ON", "OFF"}:
        raise ArgumentError("SSCN takes ON or OFF")
    if asked == "ON" and (refusal := third_party_refused(session)) is not None:
        return refusal
    if asked:
        protection.calls = asked == "ON"
    return Reply(200, f"SSCN:{'CLIENT' if protection.calls else 'SERVER'} METHOD")
