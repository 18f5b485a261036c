"""What was found, as the stable JSON of ``fairlead doctor --json``, and the exit code that stands for it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from fairlead.doctor.advice import advice, verdict
from fairlead.doctor.examine import Examination, Probe
from fairlead.doctor.look import Look
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Called, Evidence, Said
from fairlead.reach.verdict import NOT_OFFERED

ALL_WORK, SOME_WORK, UNREACHED, NO_LOGIN, NONE_WORKS = 0, 1, 3, 4, 5
_IN_PROBE = {"mode", "family", "private", "trusted"}


def exit_code(found: Examination) -> int:
    """0 where every mode that is offered works, 1 where some do, 5 where none does, 3 and 4 where no session began."""
    look = found.control
    if look is None or look.cause is not Cause.OK:
        return NO_LOGIN if look is not None and look.cause is Cause.LOGIN_REFUSED else UNREACHED
    if not any(probe.ok for probe in found.probes):
        return NONE_WORKS
    broken = any(look.cause is not Cause.OK for look in found.looks)
    failing = any(not probe.ok and probe.cause not in NOT_OFFERED for probe in found.probes)
    return SOME_WORK if broken or failing else ALL_WORK


_PRODUCTS = (
    ("fairlead", "fairlead"),
    ("vsftpd", "vsftpd"),
    ("proftpd", "proftpd"),
    ("pure-ftpd", "pure-ftpd"),
    ("pyftpdlib", "pyftpdlib"),
    ("microsoft", "iis"),
    ("windows_nt", "iis"),
    ("filezilla", "filezilla-server"),
)
"""What the greeting or SYST of a product holds."""


def server_product(found: Examination) -> str:
    """The server's product by what it says of itself; empty where it does not."""
    look = found.control
    told = "" if look is None else f"{look.greeting} {look.system}".lower()
    return next((product for word, product in _PRODUCTS if word in told), "")


def works(found: Examination) -> list[str]:
    """The modes that work with at least one family and protection, best first."""
    return list(dict.fromkeys(probe.seen.mode for probe in found.probes if probe.ok))


def document(found: Examination) -> dict[str, Any]:
    """The whole as JSON's values; keys may be added in later versions, none is taken away."""
    look = found.control
    return {
        "target": f"{found.plan.host}:{found.plan.port}",
        "verdict": verdict(found),
        "control": None if look is None else _control(look, found),
        "families": [
            {"family": each.family, "address": each.address[0], "cause": each.cause.value, "said": each.said}
            for each in found.looks
        ],
        "probes": [_probe(probe) for probe in found.probes],
        "works": works(found),
        "advice": [
            {"owner": each.owner.value, "text": each.text, "settings": dict(each.settings)} for each in advice(found)
        ],
        "seconds": found.seconds,
    }


def _control(look: Look, found: Examination) -> dict[str, Any]:
    return {
        "family": look.family,
        "rtt_ms": round(look.round_trip * 1000, 3),
        "greeting": look.greeting,
        "system": look.system,
        "tls": _tls(look),
        "features": None if look.features is None else dict(look.features),
        "resumption": resumption(found),
        "cause": look.cause.value,
        "said": look.said,
        "client_seen_as": look.seen or None,
    }


def _tls(look: Look) -> dict[str, Any] | None:
    if not look.offers_tls:
        return None
    security = look.security
    return {
        "version": security.version if security else None,
        "cipher": security.cipher if security else None,
        "certificate_sha256": security.certificate if security else None,
        "certificate_accepted": not look.certificate,
        "problem": look.certificate or look.tls_failed or None,
    }


def resumption(found: Examination) -> bool | None:
    """Whether data connections resumed the control connection's TLS session; None where none came to TLS."""
    told = [probe.seen.resumed for probe in found.probes if probe.seen.resumed is not None]
    return any(told) if told else None


def _probe(probe: Probe) -> dict[str, Any]:
    seen = probe.seen
    return {
        "mode": seen.mode,
        "family": seen.family,
        "protection": "private" if seen.private else "clear",
        "ok": probe.ok,
        "cause": probe.cause.value,
        "evidence": evidence(seen) | ({"said": probe.said} if probe.said else {}),
        "seconds": probe.seconds,
    }


def evidence(seen: Evidence) -> dict[str, Any]:
    """What was observed; what was not is left out."""
    told: dict[str, Any] = {}
    for field in fields(seen):
        value = getattr(seen, field.name)
        if field.name in _IN_PROBE or value == field.default:
            continue
        told[field.name] = _plain(value)
    return told


def _plain(value: object) -> Any:
    if isinstance(value, Said | Cause):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Called):
        return {"host": value.host, "port": value.port, "answer": value.answer.value, "seconds": value.seconds}
    return value
