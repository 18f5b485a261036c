"""The doctor, run as a program at the client of a laboratory; what it said, and its advice applied to the letter."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.reach.cause import Cause
from lab.addresses import Host
from lab.expected import Cell, Mode
from lab.laboratory import Lab
from lab.listing import KNOWN_FILE, URL
from lab.servers import FAIRLEAD, Served

_ROOT = Path(__file__).parents[1]
LIMIT = 60.0
"""Seconds after which a program that was promised to end counts as one that never does."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What somebody should change; ``settings`` are exact lines by product."""

    owner: str
    text: str
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor said. ``error`` is what it said in place of a diagnosis."""

    causes: dict[Cell, Cause] = field(default_factory=dict)
    advice: tuple[Advice, ...] = ()
    verdict: str = ""
    seconds: float = 0.0
    code: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """Whether a listing arrived, the seconds it took, what the client complained about."""

    ok: bool
    seconds: float
    said: str = ""


def environment(lab: Lab) -> dict[str, str]:
    """Variables for a program that remembers nothing of another one."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("FAIRLEAD_", "XDG_"))}
    return kept | {
        "HOME": str(lab.scratch / "home"),
        "XDG_STATE_HOME": str(lab.scratch / f"state-{time.monotonic_ns()}"),
    }


def trust(server: Served) -> list[str | Path]:
    """The options that make our client trust a server's certificate."""
    return ["--ca", server.certificate] if server.protection.tls else []


def diagnose(lab: Lab, server: Served, *options: str, path: str = "") -> Diagnosis:
    """Run ``fairlead doctor`` at the client."""
    words = [FAIRLEAD, "doctor", "--json", *trust(server), *options, URL + path]
    began = time.monotonic()
    try:
        done = lab.run(Host.CLIENT, words, timeout=LIMIT, env=environment(lab))
    except subprocess.TimeoutExpired:
        return Diagnosis(seconds=LIMIT, code=-1, error=f"no end after {LIMIT:.0f} s")
    seconds = time.monotonic() - began
    try:
        document = json.loads(done.stdout)
    except ValueError:
        return Diagnosis(seconds=seconds, code=done.returncode, error=done.stderr.strip()[-300:])
    return Diagnosis(
        causes={
            Cell(Mode(probe["mode"]), probe["family"], probe["protection"] == "private"): Cause(probe["cause"])
            for probe in document["probes"]
        },
        advice=tuple(Advice(each["owner"], each["text"], each["settings"]) for each in document["advice"]),
        verdict=document.get("verdict", ""),
        seconds=seconds,
        code=done.returncode,
    )


def list_with(lab: Lab, server: Served, *options: str | Path, timeout: float = LIMIT) -> Listed:
    """Run ``fairlead ls`` at the client; the seconds are those of the whole program."""
    words = [FAIRLEAD, "ls", *trust(server), *options, URL]
    began = time.monotonic()
    try:
        done = lab.run(Host.CLIENT, words, timeout=timeout, env=environment(lab))
    except subprocess.TimeoutExpired:
        return Listed(False, timeout, f"no end after {timeout:.0f} s")
    ok = done.returncode == 0 and KNOWN_FILE in done.stdout
    return Listed(ok, time.monotonic() - began, done.stderr.strip()[-300:])


def list_by_modes(lab: Lab, server: Served, wanted: Sequence[Cell]) -> tuple[Listed, dict[Cell, Listed]]:
    """What our client achieves left to itself, and with each of ``wanted`` forced on it; seconds from the login.

    Raises RuntimeError when the program that does it breaks.
    """
    jobs: list[dict[str, object]] = [{"mode": "auto", "family": None, "tls": "auto"}]
    jobs += [
        {"mode": cell.mode.lower(), "family": cell.family, "tls": "require" if cell.private else "off"}
        for cell in wanted
    ]
    ca = str(server.certificate) if server.protection.tls else ""
    words = [sys.executable, "-m", "lab.listing", ca, json.dumps(jobs)]
    path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    done = lab.run(Host.CLIENT, words, timeout=2 * LIMIT, env={**environment(lab), "PYTHONPATH": path})
    if done.returncode:
        raise RuntimeError(done.stderr)
    automatic, *forced = (Listed(*result) for result in json.loads(done.stdout))
    return automatic, dict(zip(wanted, forced, strict=True))


def own_advice(diagnosis: Diagnosis) -> list[list[str]]:
    """What the person at the client is told to do with our client: its options, one list for each advice."""
    told = [
        each.settings["fairlead"] for each in diagnosis.advice if each.owner == "you" and "fairlead" in each.settings
    ]
    return [shlex.split(text, comments=True) for text in told]


def server_advice(diagnosis: Diagnosis, name: str) -> list[str]:
    """What the server is to be started with beside what it has: words for Fairlead, lines of a file for others."""
    told = [each.settings[name] for each in diagnosis.advice if each.owner == "server" and name in each.settings]
    if name == "fairlead":
        return [word for text in told for word in shlex.split(text, comments=True)]
    return [line for text in told for line in text.splitlines()]


def change_networks(lab: Lab, diagnosis: Diagnosis) -> None:
    """Do on both routers what the doctor says; raises subprocess.CalledProcessError when nft does not take it."""
    for owner, host in (("your network", Host.HOME), ("server's network", Host.OFFICE)):
        for each in diagnosis.advice:
            if each.owner == owner and "nftables" in each.settings:
                lab.nft(host, each.settings["nftables"])
