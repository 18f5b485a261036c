"""``fairlead ls``: list a directory."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import pattern_url
from fairlead.proto.entry import Entry, Kind

if TYPE_CHECKING:
    from fairlead.client.sync import Client
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead ls ftp://ftp.example.com/pub/
  fairlead ls -R ftp://ftp.example.com/pub/
  fairlead ls 'ftp://ftp.example.com/pub/**/*.iso'
  fairlead ls --json ftp://me@ftp.example.com/ | jq '.[].name'
"""
_SIDES = "<<<><"
"""How the columns of a table are set, but for the name, which is last."""
_MINUTES = len("YYYY-MM-DD HH:MM")
_KINDS = {Kind.FILE: "-", Kind.DIRECTORY: "d", Kind.LINK: "l", Kind.OTHER: "?"}
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Control characters; no name holds LF, which ends the lines of listings."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "ls", _EXAMPLES)
    parser.add_argument(
        "url",
        type=pattern_url,
        metavar="URL",
        help="the directory, as ftp://[user@]host/path/; *, ? and [a-z] match names",
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument(
        "-R", "--recursive", action="store_true", help="list the directories below as well, and follow no links"
    )
    talk(parser, _list)


def _list(args: argparse.Namespace) -> int:
    """Print what the directory holds; of a file, the file itself."""
    from fairlead.cli.connection import connected
    from fairlead.client._glob import is_pattern

    url: FtpUrl = args.url
    if is_pattern(url.path):
        return _list_matching(args, url)
    with connected(args, url, url.segments if url.directory else url.segments[:-1]) as client:
        if args.recursive and (url.directory or client.is_dir(url.segments[-1])):
            return _list_tree(args, client, "" if url.directory else url.segments[-1])
        if url.type == "D":
            names = sorted(client.names())
            _print(args, lambda: names, names)
        else:
            entries = client.scandir() if url.directory else _entries(client, url.segments[-1])
            entries.sort(key=lambda entry: entry.name)
            _print(args, lambda: [_record(entry) for entry in entries], table(entries))
    return 0


def _list_matching(args: argparse.Namespace, url: FtpUrl) -> int:
    """Print what the pattern ``url`` matches, directories as such."""
    from fairlead.cli.connection import connected
    from fairlead.cli.naming import matching
    from fairlead.errors import ConfigError

    if args.recursive:
        message = f"{url} is a pattern, which --recursive does not go with; write ** for any number of directories"
        raise ConfigError(message)
    with connected(args, url, ()) as client:
        entries = matching(client, url)
    _print(args, lambda: [_record(entry) for entry in entries], table(entries))
    return 0


def _list_tree(args: argparse.Namespace, client: Client, top: str) -> int:
    """Print each directory from ``top`` downwards as ``ls -R`` does; FAILED where one of them cannot be listed."""
    from fairlead.cli.failures import DONE, FAILED, say, sentence

    troubles: list[str] = []
    records: list[dict[str, Any]] = []
    between: list[str] = []
    for path, directories, others in client.walk(top, on_error=lambda error: troubles.append(sentence(error))):
        entries = sorted((*directories, *others), key=lambda entry: entry.name)
        directories.sort(key=lambda entry: entry.name)
        records += [_record(entry._replace(name=f"{path}/{entry.name}".lstrip("/"))) for entry in entries]
        if not args.json:
            _print(args, tuple, [*between, f"{path or '.'}:", *table(entries)])
            between = [""]
    if args.json:
        _print(args, lambda: records, ())
    for trouble in troubles:
        say(trouble)
    return FAILED if troubles else DONE


def _print(args: argparse.Namespace, records: Callable[[], Sequence[object]], lines: Iterable[str]) -> None:
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # names that are not UTF-8, as they are
    if args.json:
        import json

        print(json.dumps(records(), indent=2))
        return
    sys.stdout.write(_UNPRINTABLE.sub("?", "".join(f"{line}\n" for line in lines)))


def _entries(client: Client, name: str) -> list[Entry]:
    """What ``name`` holds, or ``name`` itself when it is no directory."""
    from fairlead.errors import PermanentError

    try:
        client.cwd(name)
    except PermanentError as no_directory:
        if client.features is not None and "MLST" in client.features:
            entry = client.stat(name)
            return [entry._replace(name=entry.name.rpartition("/")[2])]
        entries = client.scandir(name)
        if not entries:
            raise no_directory from None
        return entries
    return client.scandir()


def table(entries: Iterable[Entry]) -> list[str]:
    """Lines as ``ls -l`` prints them; what no entry tells has no column. Times are in UTC."""
    rows = [_row(entry) for entry in entries]
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    columns = [f"{{{number}:{_SIDES[number]}{width}}}" for number, width in enumerate(widths[:-1]) if width]
    form = " ".join([*columns, f"{{{len(widths) - 1}}}"])
    return [form.format(*row) for row in rows]


def _row(entry: Entry) -> tuple[str, str, str, str, str, str]:
    name = f"{entry.name} -> {entry.target}" if entry.target is not None else entry.name
    modified = entry.modified.isoformat(" ", "minutes")[:_MINUTES] if entry.modified is not None else ""
    size = str(entry.size) if entry.size is not None else ""
    permissions = _KINDS[entry.kind] + (entry.permissions or "")
    return permissions, entry.owner or "", entry.group or "", size, modified, name


def _record(entry: Entry) -> dict[str, Any]:
    """The entry for ``--json``: every fact, times in ISO 8601."""
    facts = {name: fact for name, fact in entry._asdict().items() if name not in {"raw", "confidence"}}
    return {name: fact.isoformat() if hasattr(fact, "isoformat") else fact for name, fact in facts.items()}
