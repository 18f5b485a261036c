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

FOLDER = Path("docs/reach")
LADDERS = Path(__file__).with_name("ladders")
WIDTH = 96

INDEX_HEAD = """\
# Why a data connection fails

Each failure has one name, the same in the server's replies, logs and metrics, in the client's errors, and in what
`fairlead doctor` and `fairlead explain` find. `fairlead doctor ftp://HOST/` tells which ones you meet.

"""
_INDEX_COLUMNS = ("| cause | what happens | who can change it first |", "|---|---|---|")
INDEX_TAIL = """
## What the doctor does

1. It looks up the name and connects over each family of addresses; reads the greeting, FEAT and SYST; asks for TLS and
   verifies the certificate; logs in; asks STAT, which on many servers tells the address that they see you by.
2. It tries EPSV, PASV, EPRT and PORT, in clear and under TLS, each in a session of its own, side by side; one after
   the other where the server has no room for so many. A listing is enough to know.
3. It waits by the round trip that it measured: for a call so long that three SYNs may be lost, never for a server's
   half minute. The whole takes a few seconds, and never more than 15.
4. Where a passive port does not answer, it calls the server's own address in place of the announced one, a dozen further
   ports, and, on Linux, asks the routers on the way how far the call gets. Where the server's call does not come, it
   calls its own listener to make sure of it.
5. A URL that names a file has that file fetched, slowly at first, in one mode: so it meets firewalls that cut long
   transfers or forget an idle control connection.

A password goes neither over a connection whose certificate is not accepted nor in clear where the server offers TLS,
unless you say so (`--insecure`, `--clear-password`). So with a user's name, and TLS offered, the modes in clear are not
tried; without one, as anonymous, they are.

## What `--json` prints

| key | value |
|---|---|
| `target`, `verdict`, `seconds` | host and port, one sentence, how long it took |
| `control` | of the first family that served: `family`, `rtt_ms`, `greeting`, `system`, `tls` (`version`, `cipher`, `certificate_sha256`, `certificate_accepted`, `problem`; null where none is offered), `features`, `resumption`, `cause`, `said`, `client_seen_as` |
| `families` | for each family `family`, `address`, `cause`, `said` |
| `probes` | for each attempt `mode`, `family`, `protection` (`clear`, `private`), `ok`, `cause`, `evidence`, `seconds` |
| `works` | the modes that work, best first |
| `advice` | `owner` (`you`, `your network`, `server's network`, `server`), `text`, `settings` by product |

Exit status: 0 where every mode that the server offers works, 1 where some do, 5 where none does, 3 where there is no
connection, 4 where the login is refused.
"""
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
    made = {FOLDER / "README.md": index()}
    for cause in Cause:
        path = FOLDER / f"{cause}.md"
        kept = (root / path).read_text() if (root / path).exists() else blank(cause)
        made[path] = page(cause, kept)
    return made


def index() -> str:
    """The list of all causes."""
    rows = [f"| [{cause}]({cause}.md) | {each.sentence} | {_WHO[each.owner]} |" for cause, each in EXPLANATIONS.items()]
    return INDEX_HEAD + "\n".join([*_INDEX_COLUMNS, *rows]) + "\n" + INDEX_TAIL


def blank(cause: Cause) -> str:
    """A page on which nothing is written by hand yet."""
    marks = "".join(
        f"<!-- generated: {name} -->\n<!-- /generated -->\n\n" for name in ("summary", "ladder", "settings")
    )
    return f"# {cause}\n\n{marks}".rstrip("\n") + "\n"


def page(cause: Cause, kept: str) -> str:
    """``kept`` with its generated parts made anew."""
    parts = {"summary": _summary, "ladder": _ladder, "settings": _settings}

    def anew(match: re.Match[str]) -> str:
        body = "\n".join(parts[match[1]](cause))
        return f"<!-- generated: {match[1]} -->\n{body}\n<!-- /generated -->\n".replace("\n\n<!-- /", "\n<!-- /")

    return _MARKED.sub(anew, kept)


def _summary(cause: Cause) -> Iterator[str]:
    explained = EXPLANATIONS[cause]
    yield f"**{explained.sentence}**"
    yield ""
    yield f"{explained.hint} First concerned: {explained.owner}."


def _ladder(cause: Cause) -> Iterator[str]:
    recorded = LADDERS / f"{cause}.jsonl"
    if recorded.exists():
        yield "A session that met it, recorded behind a real firewall or router:"
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
