"""The first look at a server: what it is, whether it lets us in, and how it sees us."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address

from fairlead.client._control import Control
from fairlead.client._wire import Address, Security, Wire
from fairlead.client.settings import Settings
from fairlead.client.trace import Trace, printable
from fairlead.doctor.entry import Stopped, ask, begin_tls, connect, greet, log_in, said
from fairlead.doctor.plan import Plan
from fairlead.errors import FairleadError
from fairlead.proto.features import parse_features
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Family
from fairlead.reach.private import is_private

_FEATURES = 211
_IPV4 = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.]*[0-9])")
"""Alone, with a port behind it, or mapped into IPv6."""
_IPV6 = re.compile(r"(?<![0-9a-zA-Z:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![0-9a-zA-Z:.])")
_CALLER = re.compile(r"(?:connected (?:from|to) |client|from |your (?:ip|address))(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a first session over one family of addresses found."""

    family: Family
    address: Address
    cause: Cause = Cause.OK
    """What made further sessions pointless."""
    said: str = ""
    """The server's word on that."""
    round_trip: float = 0.0
    greeting: str = ""
    system: str = ""
    features: Mapping[str, str] | None = None
    """None where FEAT is not answered."""
    local: str = ""
    seen: str = ""
    """Our address as STAT shows it; empty where it shows none."""
    inside: str = ""
    """The server's own address behind a router, where STAT or the greeting shows one."""
    offers_tls: bool = False
    security: Security | None = None
    tls_failed: str = ""
    certificate: str = ""
    """Why the certificate is not accepted; empty where it is."""
    clear: Cause | None = None
    """Whether sessions in clear are let in; None where that was not tried, for the password's sake."""
    private: Cause | None = None
    """Whether sessions under TLS are; None where the server offers none."""


class Scout:
    """Takes the first look; :attr:`look` grows as it goes on, so that a fault leaves what is known."""

    def __init__(self, wire: Wire, plan: Plan, family: Family, address: Address, trace: Trace | None) -> None:
        self.wire = wire
        self.plan = plan
        self.trace = trace
        self.look = Look(family=family, address=address)

    async def run(self) -> Look:
        """The look."""
        try:
            await self._private_and_clear()
        except Stopped as stop:
            self._note(cause=stop.cause, said=stop.said)
        return self.look

    def overdue(self) -> Look:
        """The look, which took too long to be ended."""
        if self.look.private is None and self.look.clear is None:
            greeted = bool(self.look.greeting)
            self._note(cause=Cause.CONTROL_LOST if greeted else Cause.CONTROL_TIMEOUT, said="the answers took too long")
        return self.look

    async def _private_and_clear(self) -> None:
        plan = self.plan
        implicit = plan.tls == "implicit"
        control = await self._enter(plan.settings if implicit else None)
        try:
            if implicit:
                self._note(offers_tls=True)
            await self._features(control)
            if plan.tls == "require":
                self._note(offers_tls=True)
            if self.look.offers_tls and plan.tls != "off":
                control = await self._under_tls(control)
        except BaseException:
            control.lose("the look is over")
            raise
        try:
            if control.protection is not None:
                await self._log_in_under_tls(control)
            elif plan.tls in {"require", "implicit"}:
                raise Stopped(self.look.private or Cause.TLS_FAILED, self.look.tls_failed)
            else:
                await self._log_in_in_clear(control)
            if control.protection is not None and plan.tls == "auto":
                await self._try_clear()
        finally:
            with suppress(FairleadError):
                control.lose("the look is over")

    async def _enter(self, tls: Settings | None) -> Control:
        control, seconds = await connect(self.wire, self.plan, self.look.address, self.trace)
        self._note(round_trip=seconds, local=control.local[0].partition("%")[0])
        try:
            if tls is not None:
                await self._handshake(control, tls)
            greeting = await greet(control)
        except Stopped as stop:
            control.lose("the look is over")
            if stop.cause is Cause.CERTIFICATE_INVALID and tls is not None and not tls.insecure:
                self._note(certificate=stop.said)
                return await self._enter(tls.unproven())
            raise
        self._note(greeting=f"{greeting.code} {printable(greeting.text.strip())}")
        return control

    async def _handshake(self, control: Control, settings: Settings) -> None:
        await begin_tls(control, self.plan, settings)
        self._note(security=control.stream.security)  # type: ignore[attr-defined]

    async def _features(self, control: Control) -> None:
        reply = await ask(control, "FEAT")
        if reply.code == _FEATURES:
            features = parse_features(reply)
            self._note(features=features, offers_tls=self.look.offers_tls or "AUTH" in features)
        elif not self.look.offers_tls and self.plan.tls == "auto":
            self._note(offers_tls=(await ask(control, "HELP", "AUTH")).completed)

    async def _under_tls(self, control: Control) -> Control:
        """The session under TLS; in clear again where TLS cannot be had, as the look then says."""
        if control.protection is not None:
            return control
        settings = self.plan.settings
        while True:
            reply = await ask(control, "AUTH", "TLS")
            if not reply.completed:
                offers = reply.code not in {500, 502, 504, 530} or self.plan.tls == "require"
                cause = Cause.TLS_FAILED if offers else None
                self._note(offers_tls=offers, private=cause, tls_failed=f"AUTH TLS: {said(reply)}")
                return control
            try:
                await self._handshake(control, settings)
            except Stopped as stop:
                if stop.cause is Cause.CERTIFICATE_INVALID and not settings.insecure:
                    self._note(certificate=stop.said)
                    settings = settings.unproven()
                    control = await self._enter(None)
                    continue
                self._note(private=stop.cause, tls_failed=stop.said)
                return await self._enter(None)
            return control

    async def _log_in_under_tls(self, control: Control) -> None:
        if self.look.certificate and self.plan.secret:
            self._note(private=Cause.CERTIFICATE_INVALID)
            raise Stopped(Cause.CERTIFICATE_INVALID, self.look.certificate)
        await log_in(control, self.plan)
        self._note(private=Cause.OK)
        await self._ask_about_us(control)

    async def _log_in_in_clear(self, control: Control) -> None:
        if not self._may_in_clear:
            raise Stopped(self.look.private or Cause.TLS_FAILED, self.look.tls_failed)
        await log_in(control, self.plan)
        self._note(clear=Cause.OK)
        await self._ask_about_us(control)

    @property
    def _may_in_clear(self) -> bool:
        plan = self.plan
        return not plan.secret or not self.look.offers_tls or plan.tls == "off" or plan.clear_password

    async def _try_clear(self) -> None:
        """Whether a session in clear is let in; the password goes only where it may, the name tells enough."""
        try:
            control = await self._enter(None)
        except Stopped:
            return
        try:
            await log_in(control, self.plan, password=self._may_in_clear)
        except Stopped as stop:  # under TLS the same login was accepted
            refused = stop.cause in {Cause.LOGIN_REFUSED, Cause.TLS_REQUIRED}
            self._note(clear=Cause.TLS_REQUIRED if refused else stop.cause)
        else:
            self._note(clear=Cause.OK if self._may_in_clear else None)
        finally:
            control.lose("the look is over")

    async def _ask_about_us(self, control: Control) -> None:
        system = await ask(control, "SYST")
        if system.completed:
            self._note(system=f"{said(system)}"[4:])
        features = await ask(control, "FEAT")
        if features.code == _FEATURES:
            self._note(features=parse_features(features))
        status = await ask(control, "STAT")
        if status.completed:
            seen = caller_in(status, own=control.local[0], server=control.peer[0])
            inside = server_in(f"{status.text}\n{self.look.greeting}", {control.local[0], control.peer[0], seen})
            self._note(seen=seen, inside=inside)

    def _note(self, **found: object) -> None:
        self.look = replace(self.look, **found)  # type: ignore[arg-type]


def caller_in(status: Reply, *, own: str, server: str) -> str:
    """The client's address in a reply to STAT: our own where it stands there, else one beside words like "from"."""
    named: list[str] = []
    for line in status.lines:
        if own in _addresses(line):
            return own
        match = _CALLER.search(line)
        if match is not None:
            named += [address for address in _addresses(match[1]) if address != server]
    return named[0] if named else ""


def server_in(text: str, others: Collection[str]) -> str:
    """The first private IPv4 address in what a server tells of itself that is none of ``others``."""
    found = [address for address in _addresses(text) if ":" not in address and is_private(address)]
    return next((address for address in found if address not in others), "")


def _addresses(text: str) -> list[str]:
    words = [*_IPV4.findall(text), *_IPV6.findall(text)]
    found = []
    for word in words:
        with suppress(ValueError):
            found.append(str(ip_address(word)))
    return found
