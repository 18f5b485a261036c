"""Start each server, with TLS and without, and write down its answers to the script."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from fairlead import __version__
from tests.certificates import Pair, make
from tests.peers.fairlead import fairlead
from tests.peers.programs import program
from tests.peers.servers import SERVERS, Server, Tls
from tests.reference.replay import Answer, replay_all

HOST = "127.0.0.1"
OWN = "fairlead"
NAMES = {
    OWN: "Fairlead",
    "vsftpd": "vsftpd",
    "proftpd": "ProFTPD",
    "pureftpd": "Pure-FTPd",
    "pyftpdlib": "pyftpdlib",
}
"""The servers in the order of the table's columns."""
RECORD = Path(__file__).with_name("answers.json")


class Record(TypedDict):
    """What one server said: its version, and for each group a list of pairs of codes and note."""

    version: str
    answers: list[list[list[str]]]


@contextmanager
def both(name: str, pair: Pair) -> Iterator[tuple[Server, Server]]:
    """The server of a name without TLS, and one of its kind that requires it."""
    with ExitStack() as stack:
        if name == OWN:
            options = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--require-tls")
            plain, protected = (stack.enter_context(fairlead(*each, hosts=(HOST,))) for each in ((), options))
            yield plain.at(HOST), protected.at(HOST)
        else:
            start = SERVERS[name]
            yield stack.enter_context(start(HOST)), stack.enter_context(start(HOST, Tls(pair, "1.2")))


def ask(name: str) -> list[list[Answer]]:
    """What the server of a name answers today."""
    with tempfile.TemporaryDirectory() as folder, both(name, make(Path(folder), "server", HOST)) as servers:
        return replay_all(*servers)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _version(name: str) -> str:
    match name:
        case "vsftpd":
            return _said("sh", "-c", f"{program('vsftpd')} -v 0>&1").split()[-1]
        case "proftpd":
            return _said(program("proftpd"), "-v").split()[-1]
        case "pureftpd":
            return _said(program("pure-ftpd"), "--help").split()[1].removeprefix("v")
        case "pyftpdlib":
            return version("pyftpdlib")
        case _:
            return __version__


def record_all(names: list[str]) -> None:
    """Ask the servers of these names and keep what they say; what others said before stays."""
    kept = read() if RECORD.exists() else {}
    for name in names:
        kept[name] = {"version": _version(name), "answers": [[list(each) for each in group] for group in ask(name)]}
    RECORD.write_text(_written({name: kept[name] for name in NAMES if name in kept}))


def _written(records: dict[str, Record]) -> str:
    """JSON with a line for each answer, so that a change shows as one."""
    text = json.dumps(records, ensure_ascii=False, indent=1)
    pieces = text.split("\n    [\n     ")
    return (
        "\n    [".join(
            [pieces[0], *(piece.replace(",\n     ", ", ", 1).replace("\n    ]", "]", 1) for piece in pieces[1:])]
        )
        + "\n"
    )


def read() -> dict[str, Record]:
    """What the servers said when they were last asked."""
    records: dict[str, Record] = json.loads(RECORD.read_text())
    return records
