"""``docs/reference/commands.md``: the server's commands, as they are declared."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from fairlead.accounts.base import Right
from fairlead.proto.features import parse_features
from fairlead.server import commands
from fairlead.server.registry import COMMANDS, NOT_IMPLEMENTED, OPTIONS, SITE, Spec, Urgency
from tests.certificates import make
from tests.peers.fairlead import fairlead
from tests.reference.ask import HOST
from tests.reference.replay import Connection

PAGE = Path("docs/reference/commands.md")

HEAD = """\
# Commands of the server

This page is generated: `make docs` writes it from the declarations in `src/fairlead/server/commands`. Change those, not
the page.

*Login*: answered 530 before it. *Right*: what the account must be allowed to do with the path; commands that find out
from their argument show none. *During a transfer*: where nothing is said, the command waits for its end. *FEAT*: what
the list of extensions shows, on a server with a certificate.
"""
URGENCIES = {Urgency.NONE: "", Urgency.ANSWERED: "answered at once", Urgency.STOPS: "stops it"}


def features() -> dict[str, str]:
    """The features of ``fairlead serve`` with a certificate: label to parameters."""
    with tempfile.TemporaryDirectory() as folder:
        pair = make(Path(folder), "server", HOST)
        options = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
        with fairlead(*options, hosts=(HOST,)) as own:
            connection = Connection(own.at(HOST))
            try:
                reply = connection.ask("FEAT")
            finally:
                connection.close()
    assert reply is not None
    return parse_features(reply)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _summary(subject: object) -> str:
    return (subject.__doc__ or "").strip().partition("\n")[0].replace("``", "`").replace("|", "\\|")


def _right(spec: Spec) -> str:
    return ", ".join(str(right.name).lower() for right in Right if right in spec.right and right is not Right.NONE)


def _row(spec: Spec, listed: Mapping[str, str]) -> str:
    feature = f"{spec.verb} {listed[spec.verb]}".strip() if spec.verb in listed else ""
    summary = f"As {spec.alias_of}." if spec.alias_of else _summary(spec.handler)
    login = "yes" if spec.login else "no"
    usage = f"{spec.verb} {spec.syntax}".strip()
    cells = (_code(usage), summary, login, _right(spec), URGENCIES[spec.urgency], _code(feature))
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def page(listed: Mapping[str, str]) -> str:
    """The page; ``listed`` is what :func:`features` gives."""
    return "\n".join([HEAD, *_lines(listed)]) + "\n"


def _lines(listed: Mapping[str, str]) -> Iterator[str]:
    commands.load()
    yield from ("| command | what it does | login | right | during a transfer | FEAT |", "|---|---|---|---|---|---|")
    for _, spec in sorted(COMMANDS.items()):
        yield _row(spec, listed)
    own = [_code(f"{label} {words}".strip()) for label, words in sorted(listed.items()) if label not in COMMANDS]
    yield from ("", f"FEAT lists besides: {', '.join(own)}.")
    if NOT_IMPLEMENTED:
        verbs = ", ".join(map(_code, sorted(NOT_IMPLEMENTED)))
        yield from ("", f"Known, and answered 502: {verbs}. Any other verb is answered 500.")
    yield from ("", "## SITE", "", "| command | what it does |", "|---|---|")
    for name, site in sorted(SITE.items()):
        yield f"| {_code(f'SITE {name} {site.syntax}'.strip())} | {_summary(site.handler)} |"
    yield from ("", "## OPTS", "", "| command | what it does |", "|---|---|")
    for name, option in sorted(OPTIONS.items()):
        yield f"| {_code(f'OPTS {name}')} | {_summary(option)} |"
