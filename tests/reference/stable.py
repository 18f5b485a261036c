"""A recorded ladder with the addresses, ports and times that every recording of the same session has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step

ONE_WAY = 0.005
"""Seconds from one step to the next."""
WAIT = 2.0
"""Seconds from which on a step is taken to have waited for something; it is told in whole seconds."""
SMALL_TALK = {"FEAT", "OPTS", "TYPE", "SIZE", "MDTM"}
"""Commands that have nothing to do with data connections."""
FIRST_CLIENT_PORT, FIRST_SERVER_PORT = 49160, 50000
_ORDER = (Kind.SYN, Kind.SYN_ACK, Kind.TLS, Kind.DATA, Kind.FIN, Kind.RST)
"""In which order the steps of a transfer are drawn; replies may overtake data."""
_CLOSING = ("226", "4", "5")
"""How replies begin that close a transfer."""
_SIX = re.compile(r"(?:\d{1,3},){5}\d{1,3}")


@dataclass
class Names:
    """What stands for the addresses and ports of a recording. ``control`` is the server's real control port."""

    hosts: Mapping[str, str]
    control: int
    ports: dict[int, int] = field(default_factory=dict)
    _next: dict[bool, int] = field(default_factory=lambda: {True: FIRST_CLIENT_PORT, False: FIRST_SERVER_PORT})

    def end(self, end: End) -> End:
        """The same end elsewhere."""
        if end.port and end.port not in self.ports:
            self.ports[end.port] = self._port(end)
        return End(end.party, self.hosts.get(end.address, end.address), self.ports.get(end.port, end.port))

    def text(self, said: str) -> str:
        """What was said, of the other addresses and ports."""
        said = _SIX.sub(self._six, said)
        for host, other in self.hosts.items():
            said = said.replace(host, other)
        return re.sub(r"(?<!\d)\d{4,5}(?!\d)", lambda found: str(self.ports.get(int(found[0]), found[0])), said)

    def _port(self, end: End) -> int:
        if end.party != "client" and end.port in {self.control, self.control - 1}:
            return 21 - (self.control - end.port)
        number = self._next[end.party == "client"]
        self._next[end.party == "client"] = number + 1
        return number

    def _six(self, found: re.Match[str]) -> str:
        *host, high, low = found[0].split(",")
        port = int(high) << 8 | int(low)
        address = ".".join(host)
        port = self.ports.setdefault(port, self._next[True])  # one that nobody called is the client's
        return f"{self.hosts.get(address, address).replace('.', ',')},{port >> 8},{port & 0xFF}"


def stable(ladder: Ladder, names: Names) -> Ladder:
    """``ladder`` without small talk, in one order, its times a regular beat."""
    kept = list(_in_order(_without_small_talk(ladder.steps)))
    relabelled = [
        replace(
            step,
            source=names.end(step.source),
            target=None if step.target is None else names.end(step.target),
            note="" if step.kind is Kind.DATA else step.note,
        )
        for step in kept
    ]
    worded = [replace(step, text=names.text(step.text), note=names.text(step.note)) for step in relabelled]
    return Ladder(
        parties=tuple(Party(party.name, names.hosts.get(party.address, party.address)) for party in ladder.parties),
        steps=tuple(_timed(worded)),
        title=ladder.title,
    )


def _without_small_talk(steps: tuple[Step, ...]) -> list[Step]:
    kept, quiet = [], False
    for step in steps:
        if step.kind is Kind.COMMAND:
            quiet = step.text.partition(" ")[0] in SMALL_TALK
        if not (quiet and step.kind in {Kind.COMMAND, Kind.REPLY}):
            kept.append(step)
        quiet = quiet and step.kind is not Kind.REPLY  # a second reply is another matter
    return kept


def _in_order(steps: list[Step]) -> list[Step]:
    """The steps of a data connection before the reply that closes its transfer, after the one that opens it."""
    ordered: list[Step] = []
    for step in sorted(steps, key=lambda step: step.at):
        place = len(ordered)
        if step.connection != CONTROL and step.kind in _ORDER:
            while place and ordered[place - 1].kind is Kind.REPLY and ordered[place - 1].text.startswith(_CLOSING):
                place -= 1
        elif step.kind is Kind.REPLY and step.text.startswith("150"):
            while place and ordered[place - 1].connection != CONTROL and ordered[place - 1].kind in _ORDER:
                place -= 1
        ordered.insert(place, step)
    return ordered


def _timed(steps: list[Step]) -> list[Step]:
    timed: list[Step] = []
    now, before = 0.0, None
    for step in steps:
        if before is not None:
            waited = step.at - before.at
            now += ONE_WAY if waited < WAIT else round(waited)
        timed.append(replace(step, at=round(now, 3)))
        before = step
    return timed
