"""What the verbs that name things on servers share: one session for each server, what patterns match, what was done."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fairlead.cli.options import MANY, PARALLEL

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.client._files import Transferred
    from fairlead.client.mirror.run import Mirrored
    from fairlead.client.sync import Client
    from fairlead.proto.entry import Entry
    from fairlead.proto.url import FtpUrl


def same_server(one: FtpUrl, other: FtpUrl) -> bool:
    """Whether both URLs name the same server and the same user there."""
    return _server(one) == _server(other)


def sessions(args: argparse.Namespace, urls: Sequence[FtpUrl]) -> Iterator[tuple[Client, list[FtpUrl]]]:
    """A session in the directory of the login for each server, and the URLs there that follow one another."""
    from fairlead.cli.connection import connected

    for _, group in groupby(urls, key=_server):
        there = list(group)
        with connected(args, there[0], ()) as client:
            yield client, there


def matching(client: Client, url: FtpUrl) -> list[Entry]:
    """What the pattern ``url`` matches. Raises NoSuchName where that is nothing."""
    from fairlead.errors import NoSuchName

    entries = client.glob(url.path)
    if not entries:
        message = f"nothing on the server matches {url.path}; check it with fairlead ls"
        raise NoSuchName(message)
    return entries


def side_by_side(args: argparse.Namespace, targets: Sequence[str]) -> bool:
    """Whether files that become ``targets`` are copied several at once: where that was asked for, or they are many.

    Where two of them may be one, each waits for the one before.
    """
    from fairlead.client.mirror.plan import folded

    unasked = PARALLEL if len(targets) >= MANY and args.active_ports is None else 1
    if len(targets) < 2 or (args.parallel or unasked) == 1:
        return False
    return len(set(map(folded, targets))) == len(targets)


@contextmanager
def told(args: argparse.Namespace) -> Iterator[list[dict[str, Any]]]:
    """A list of what is done, printed under ``--json`` even where not everything could be."""
    done: list[dict[str, Any]] = []
    try:
        yield done
    finally:
        if args.json:
            print(json.dumps(done, indent=2))


def of_file(result: Transferred, file: str | Path, directory: Sequence[str] = ()) -> dict[str, Any]:
    """What is told of one file that went over; ``file`` is its name here, ``directory`` where the session stood."""
    return {
        "path": "/".join((*directory, result.path)),
        "file": str(file),
        "size": result.size,
        "offset": result.offset,
        "seconds": result.seconds,
        "mode": result.mode,
        "verified": result.verified,
    }


def of_tree(result: Mirrored, path: str, folder: str | Path) -> Iterator[dict[str, Any]]:
    """What is told of each file of a directory ``path`` on the server, ``folder`` here, that went over."""
    from fairlead.client.mirror.plan import Action

    failed = {trouble.path for trouble in result.troubles}
    for step in result.plan.steps:
        if step.action is Action.COPY and step.path not in failed:
            yield {
                "path": f"{path.rstrip('/')}/{step.path}" if path else step.path,
                "file": os.path.join(folder, *step.path.split("/")),
                "size": step.item.size,
            }


def _server(url: FtpUrl) -> FtpUrl:
    return url.replace(segments=(), type=None, directory=False)
