"""``docs/reach``: a page for each cause, its generated parts made of explanations, advice and recorded ladders.

What stands between the marks is generated, the rest of a page is written by hand and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fairlead.ladder import jsonl, text
from fairlead.reach.advice import Advice, Finding, Surroundings, advise
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import PASSIVE
from fairlead.reach.explanations import EXPLANATIONS, Owner
from fairlead.reach.products import TITLES
from tests.reference.causes import SESSIONS

FOLDER = Path("docs/reach")
INDEX = FOLDER / "README.md"
LADDERS = Path(__file__).with_name("ladders")
WIDTH = 96

_INDEX_COLUMNS = ("| cause | what happens | who can change it first |", "|---|---|---|")
_MARKED = re.compile(r"<!-- generated: (\w+) -->\n.*?<!-- /generated -->\n", re.DOTALL)
_WHO = {
    Owner.YOU: "You, at the client",
    Owner.YOUR_NETWORK: "Your network",
    Owner.SERVERS_NETWORK: "The server's network",
    Owner.SERVER: "The server",
}
_AROUND = Surroundings(
    server={4: "203.0.113.7"},
    client={4: "192.0.2.10"},
    ports=(50000,),
    offers_tls=True,
)
"""The example that the settings are written for."""
_BEHIND_ROUTERS = Surroundings(
    server={4: "203.0.113.7"},
    client={4: "192.168.1.10"},
    inside="10.0.0.5",
    announced="10.0.0.5",
    outside="192.0.2.1",
    ports=(50000,),
    offers_tls=True,
)
_TRANSLATED = {Cause.PASSIVE_PRIVATE_ADDRESS, Cause.ACTIVE_PRIVATE_ADDRESS, Cause.HELPER_BLIND}
_MODES: Mapping[Cause, tuple[str, ...]] = {
    Cause.PASSIVE_PRIVATE_ADDRESS: ("PASV",),
    Cause.HELPER_BLIND: ("EPSV", "EPRT"),
    Cause.REFUSED_BY_POLICY: ("EPRT", "EPSV"),
}


def pages(root: Path) -> Mapping[Path, str]:
    """Every page with its generated parts anew; ``root`` is the directory of the project."""
    made = {INDEX: page(Cause.OK, (root / INDEX).read_text())}
    for cause in Cause:
        path = FOLDER / f"{cause}.md"
        kept = (root / path).read_text() if (root / path).exists() else blank(cause)
        made[path] = page(cause, kept)
    return made


def record() -> None:
    """Record anew what needs no laboratory; a session that cannot be recorded here stays as it was."""
    for cause, each in SESSIONS.items():
        if (ladder := each.session()) is not None:
            (LADDERS / f"{cause}.jsonl").write_text(jsonl.dump(ladder))


def blank(cause: Cause) -> str:
    """A page on which nothing is written by hand yet."""
    marks = "".join(
        f"<!-- generated: {name} -->\n<!-- /generated -->\n\n" for name in ("summary", "ladder", "settings")
    )
    return f"# {cause}\n\n{marks}".rstrip("\n") + "\n"


def page(cause: Cause, kept: str) -> str:
    """``kept`` with its generated parts made anew."""
    parts = {"causes": _causes, "summary": _summary, "ladder": _ladder, "settings": _settings}

    def anew(match: re.Match[str]) -> str:
        body = "\n".join(parts[match[1]](cause))
        return f"<!-- generated: {match[1]} -->\n{body}\n<!-- /generated -->\n".replace("\n\n<!-- /", "\n<!-- /")

    return _MARKED.sub(anew, kept)


def _causes(_: Cause) -> Iterator[str]:
    yield from _INDEX_COLUMNS
    for cause, each in EXPLANATIONS.items():
        yield f"| [{cause}]({cause}.md) | {each.sentence} | {_WHO[each.owner]} |"


def _summary(cause: Cause) -> Iterator[str]:
    explained = EXPLANATIONS[cause]
    yield f"**{explained.sentence}**"
    yield ""
    yield f"{explained.hint} First concerned: {explained.owner}."


def _ladder(cause: Cause) -> Iterator[str]:
    recorded = LADDERS / f"{cause}.jsonl"
    if recorded.exists():
        where = SESSIONS[cause].where if cause in SESSIONS else "behind a real firewall or router"
        yield f"A session that met it, recorded {where}:"
        yield ""
        yield "```text"
        yield text.draw(jsonl.load(recorded.read_text()), width=WIDTH).rstrip("\n")
        yield "```"


def _settings(cause: Cause) -> Iterator[str]:
    modes = _MODES.get(cause) or _modes_of(cause)
    findings = [Finding(cause=cause, mode=mode, private=cause is Cause.HELPER_BLIND) for mode in modes]
    around = _BEHIND_ROUTERS if cause in _TRANSLATED else _AROUND
    advised = [each for each in advise(findings, around) if each.settings]
    if not advised:
        return
    yield "## Settings"
    yield ""
    where = "the server has 203.0.113.7 and passive ports 50000-50099, the client 192.0.2.10"
    if around is _BEHIND_ROUTERS:
        where = (
            "the server is 10.0.0.5 behind a router that the world knows as 203.0.113.7, its passive ports are"
            " 50000-50099; the client is 192.168.1.10 behind a router known as 192.0.2.1"
        )
    yield f"For an example in which {where}. `fairlead doctor` writes them with the addresses and ports that it found."
    for each in advised:
        yield from _advice(each)


def _modes_of(cause: Cause) -> tuple[str, ...]:
    if cause.startswith("active"):
        return ("EPRT",)
    passive = cause.startswith(("passive", "data"))
    return (min(PASSIVE),) if passive else ("",)


def _advice(each: Advice) -> Iterator[str]:
    yield ""
    yield f"### {_WHO[each.owner]}"
    yield ""
    yield each.text
    short = {name: lines for name, lines in each.settings.items() if "\n" not in lines}
    if short:
        yield ""
        yield "| product | setting |"
        yield "|---|---|"
        for name, lines in short.items():
            escaped = lines.replace("|", "\\|")
            yield f"| {TITLES[name]} | `{escaped}` |"
    for name, lines in each.settings.items():
        if name not in short:
            yield ""
            yield f"{TITLES[name]}:"
            yield ""
            yield "```"
            yield lines
            yield "```"
