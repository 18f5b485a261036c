"""The data connection and its representation: PORT, PASV, EPRT, EPSV, LPRT, LPSV, PRET, TYPE, STRU, MODE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import ArgumentError, DataConnectionError, FamilyError
from fairlead.proto.address import (
    epsv_reply_text,
    families_text,
    long_families_text,
    lpsv_reply_text,
    parse_eprt,
    parse_epsv_argument,
    parse_lprt,
    parse_port,
    pasv_reply_text,
)
from fairlead.proto.codec import Representation, check_served
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.private import is_loopback, is_private
from fairlead.server.active import ActivePort, source_host, source_port
from fairlead.server.data import CALLING, without_zone
from fairlead.server.offer import offered, third_party_refused, with_tls
from fairlead.server.passive import PassivePort
from fairlead.server.registry import Argument, command, option

if TYPE_CHECKING:
    from fairlead.server.session import Session

PRIVILEGED = 1024
IPV4, IPV6 = 1, 2
LOOPBACK = {IPV4: "127.0.0.1", IPV6: "::1"}
WILDCARD = {IPV4: "0.0.0.0", IPV6: "::"}
AFTER_ALL = Reply(501, "Not allowed after EPSV ALL; use EPSV.")


def family_of(host: str) -> int:
    """The RFC 2428 number of an address's family."""
    return IPV6 if ":" in host else IPV4


# Active: the server calls


@command("PORT", syntax="h1,h2,h3,h4,p1,p2", argument=Argument.REQUIRED, keeps_restart=True)
def port(session: Session, argument: str) -> Reply:
    """Call the client at an IPv4 address and port (RFC 959 section 4.1.2)."""
    if session.epsv_all:
        return AFTER_ALL
    session.use_port(None)
    host, number = parse_port(argument)
    if family_of(session.peer[0]) == IPV6 and session.caller is not None:
        return Reply(501, "PORT serves IPv4 only; use EPRT or EPSV.")
    return _call_at(session, "PORT", host, number)


@command("EPRT", syntax="|family|address|port|", argument=Argument.REQUIRED, keeps_restart=True, feature="EPRT")
def extended_port(session: Session, argument: str) -> Reply:
    """Call the client at an address and port of either family (RFC 2428 section 2)."""
    if session.epsv_all:
        return AFTER_ALL
    session.use_port(None)
    try:
        family, host, number = parse_eprt(argument)
    except FamilyError:
        return _families(session)
    if family not in _families_served(session):
        return _families(session)
    return _call_at(session, "EPRT", host, number)


@command("LPRT", syntax="family,length,h1,...,length,p1,p2", argument=Argument.REQUIRED, keeps_restart=True)
def long_port(session: Session, argument: str) -> Reply:
    """Call the client at an address and port of either family, in the older form (RFC 1639)."""
    if session.epsv_all:
        return AFTER_ALL
    session.use_port(None)
    try:
        family, host, number = parse_lprt(argument)
    except FamilyError:
        return _long_families(session)
    if family not in _families_served(session):
        return _long_families(session)
    return _call_at(session, "LPRT", host, number)


def _call_at(session: Session, mode: str, host: str, number: int) -> Reply:
    third_party = not _same_host(host, session.peer[0])
    _check_called(session, host, number, third_party=third_party)
    zone = session.peer[0].partition("%")[2]
    called = f"{host}%{zone}" if zone and not third_party else host
    session.use_port(ActivePort(mode, called, number, source_host(session, host), source_port(session)))
    return Reply(200, f"I will call {host} port {number}.")


def _check_called(session: Session, host: str, number: int, *, third_party: bool) -> None:
    """Raise DataConnectionError where the server is not to call ``host``."""
    server = session.server
    policy = Cause.REFUSED_BY_POLICY
    if not server.settings.active:
        raise DataConnectionError(policy, f"Active mode is switched off here; use EPSV or PASV ({policy})")
    if third_party and session.caller is not None:
        if is_private(host) and not is_private(session.peer[0]):
            private = Cause.ACTIVE_PRIVATE_ADDRESS
            raise DataConnectionError(
                private,
                f"You call from {session.peer[0]}, and {host} is a private address that no NAT translated; use EPSV or"
                f" PASV ({private})",
            )
        raise DataConnectionError(policy, f"I call only the address you call from, says RFC 2577 ({policy})")
    if third_party and not server.networks.admits(host):
        raise DataConnectionError(policy, f"I may not call that address ({policy})")
    if number < PRIVILEGED:
        raise DataConnectionError(policy, f"I do not call ports below 1024, says RFC 2577 ({policy})")


def _same_host(host: str, peer: str) -> bool:
    """Whether both are one machine for certain: the same address, or both of this machine's loopback."""
    peer = without_zone(peer)
    if host == peer:
        return True
    return family_of(host) != family_of(peer) and is_loopback(host) and is_loopback(peer)


def _families_served(session: Session) -> tuple[int, ...]:
    """The families a data connection of this session can have.

    That of the control connection; the other too where the peer can still be known for certain (loopback), or where
    data connections of third parties are allowed.
    """
    own = family_of(session.peer[0])
    if session.caller is None or is_loopback(without_zone(session.peer[0])):
        return (IPV4, IPV6)
    return (own,)


def _families(session: Session) -> Reply:
    return Reply(522, families_text(_families_served(session)))


def _long_families(session: Session) -> Reply:
    return Reply(521, long_families_text(_families_served(session)))


# Passive: the server is called


@command("PASV", keeps_restart=True)
def passive(session: Session, _: str) -> Reply:
    """Listen for the client, on IPv4 (RFC 959 section 4.1.2)."""
    if session.epsv_all:
        return AFTER_ALL
    if family_of(session.peer[0]) == IPV6:
        return Reply(501, "PASV serves IPv4 only; use EPSV.")
    return _passive(session, "PASV")


@command("CPSV", keeps_restart=True, feature=offered("CPSV"))
@with_tls
def passive_as_client(session: Session, _: str) -> Reply:
    """As PASV, for another server: on the data connection this end is the client of TLS."""
    if session.epsv_all:
        return AFTER_ALL
    if family_of(session.peer[0]) == IPV6:
        return Reply(501, "CPSV serves IPv4 only; use SSCN ON and EPSV.")
    return third_party_refused(session) or _passive(session, CALLING)


def _passive(session: Session, mode: str) -> Reply:
    listening = _listen(session, mode, session.here, session.caller)
    listening.announced = session.server.announcer.place_for(session.peer[0], session.local[0], listening.port)
    return Reply(227, pasv_reply_text(*listening.announced))


@command("PRET", syntax="command", argument=Argument.REQUIRED, keeps_restart=True)
def prepare_transfer(_session: Session, _: str) -> Reply:
    """Take note of what the next passive transfer will be; nothing depends on it here."""
    return Reply(200, "Noted.")


@command("EPSV", syntax="[1 | 2 | ALL]", argument=Argument.OPTIONAL, keeps_restart=True, feature="EPSV")
def extended_passive(session: Session, argument: str) -> Reply:
    """Listen for the client, on the control connection's family or the one asked for (RFC 2428 section 3)."""
    try:
        asked = parse_epsv_argument(argument) if argument else None
    except FamilyError:
        return _families(session)
    if asked == "ALL":
        session.epsv_all = True
        if session.port is not None and session.port.mode != "EPSV":
            session.use_port(None)
        return Reply(200, "EPSV ALL: only EPSV from now on.")
    local, peer, caller = session.here, session.peer[0], session.caller
    if asked is not None and asked != family_of(peer):
        if asked not in _families_served(session):
            return _families(session)
        local = (LOOPBACK if is_loopback(peer) else WILDCARD)[asked]
        peer = LOOPBACK[asked]
        caller = None if caller is None else peer
    listening = _listen(session, "EPSV", local, caller)
    number = session.server.announcer.port_for(peer, listening.port)
    listening.announced = ("", number)
    return Reply(229, epsv_reply_text(number))


@command("LPSV", keeps_restart=True)
def long_passive(session: Session, _: str) -> Reply:
    """Listen for the client, on the control connection's family, and say where in the older form (RFC 1639)."""
    if session.epsv_all:
        return AFTER_ALL
    listening = _listen(session, "LPSV", session.here, session.caller)
    listening.announced = session.server.announcer.place_for(session.peer[0], session.local[0], listening.port)
    return Reply(228, lpsv_reply_text(*listening.announced))


def _listen(session: Session, mode: str, host: str, caller: str | None) -> PassivePort:
    if session.port is not None:
        session.use_port(None)
    session.port = listening = PassivePort(mode, session, host, caller)
    session.reply_to.check_at(listening.expires)
    return listening


# Representation

FORMS = frozenset("NTC")


@command("TYPE", syntax="A|E [N|T|C] | I | L size", argument=Argument.REQUIRED, keeps_restart=True)
def representation_type(session: Session, argument: str) -> Reply:
    """Set the representation type (RFC 959 section 4.1.2, RFC 1123 section 4.1.2.1)."""
    first, *rest = _capital(argument).split(" ")
    if len(rest) > 1:
        raise ArgumentError("TYPE takes a letter and at most one parameter")
    parameter = rest[0] if rest else ""
    form, size = "N", 8
    if first in {"A", "E"}:
        form = parameter or form
        if form not in FORMS:
            raise ArgumentError("The format is N, T or C")
    elif first == "L":
        size = _byte_size(parameter)
    elif first != "I" or parameter:
        raise ArgumentError(f"TYPE {argument[:20]} is not known")
    return _changed(
        session, session.representation._replace(type=first, form=form, size=size), f"Type set to {argument}."
    )


def _byte_size(parameter: str) -> int:
    if not parameter.isdecimal() or len(parameter) > 3 or not 1 <= int(parameter) <= 255:
        raise ArgumentError("TYPE L needs a byte size from 1 to 255")
    return int(parameter)


def _capital(argument: str) -> str:
    """Parameters are letters of ASCII; other letters must not become one of them in upper case."""
    if not argument.isascii():
        raise ArgumentError("The parameter is not known")
    return argument.upper()


def _changed(session: Session, representation: Representation, text: str) -> Reply:
    check_served(representation)
    session.representation = representation
    return Reply(200, text)


@command("STRU", syntax="F|R|P", argument=Argument.REQUIRED)
def structure(session: Session, argument: str) -> Reply:
    """Set the file structure (RFC 959 section 4.1.2)."""
    letter = _one_of("FRP", argument, "STRU")
    return _changed(session, session.representation._replace(structure=letter), f"Structure set to {letter}.")


@command("MODE", syntax="S|B|C|Z", argument=Argument.REQUIRED, feature="MODE Z")
def transfer_mode(session: Session, argument: str) -> Reply:
    """Set the transfer mode (RFC 959 section 4.1.2, draft-preston-ftpext-deflate)."""
    letter = _one_of("SBCZ", argument, "MODE")
    return _changed(session, session.representation._replace(mode=letter), f"Mode set to {letter}.")


def _one_of(known: str, argument: str, verb: str) -> str:
    letter = _capital(argument)
    if len(letter) != 1 or letter not in known:
        raise ArgumentError(f"{verb} {argument[:20]} is not known")
    return letter


@option("MODE")
def mode_options(session: Session, argument: str) -> Reply:
    """Choose how hard mode Z compresses: OPTS MODE Z LEVEL n."""
    mode, *words = _capital(argument).split(" ")
    if mode != "Z" or len(words) not in {0, 2}:
        raise ArgumentError("OPTS MODE takes Z, and LEVEL with a number")
    if words:
        keyword, level = words
        if keyword != "LEVEL" or len(level) != 1 or level not in "0123456789":
            raise ArgumentError("MODE Z has a LEVEL from 0 to 9")
        session.deflate_level = int(level)
    return Reply(200, f"MODE Z LEVEL {session.deflate_level}")
