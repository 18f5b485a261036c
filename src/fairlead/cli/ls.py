"""``fairlead ls``: list a directory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import pattern_url
from fairlead.cli.table import masked, quick_table, table

if TYPE_CHECKING:
    from fairlead.client.sync import Client
    from fairlead.proto.entry import Entry
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead ls ftp://ftp.example.com/pub/
  fairlead ls -R ftp://ftp.example.com/pub/
  fairlead ls 'ftp://ftp.example.com/pub/**/*.iso'
  fairlead ls --json ftp://me@ftp.example.com/ | jq '.[].name'
"""
_UTF_8 = ("utf-8", "utf8")


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
    from fairlead.proto.path import is_pattern

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
            octets = client.machine_listing() if url.directory else None
            if octets is None or not _print_quickly(args, octets):
                entries = _entries(client, url, octets)
                entries.sort(key=lambda entry: entry.name)
                _print(args, lambda: [_record(entry) for entry in entries], table(entries))
    return 0


def _print_quickly(args: argparse.Namespace, octets: bytes) -> bool:
    """Print the table of a machine listing without reading its entries one by one, if that can be done."""
    made = None if args.json or sys.stdout.encoding.lower() not in _UTF_8 else quick_table(octets)
    if made is None:
        return False
    sys.stdout.flush()
    while made:  # by more than one call where Python runs unbuffered
        made = made[sys.stdout.buffer.write(made) :]
    return True


def _entries(client: Client, url: FtpUrl, octets: bytes | None) -> list[Entry]:
    """The entries of the machine listing ``octets`` where there is one, else of what ``url`` names."""
    if octets is None:
        return client.scandir() if url.directory else _held(client, url.segments[-1])
    from fairlead.client._listing import read_machine_listing

    return read_machine_listing(octets).entries


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
    sys.stdout.write(masked("".join(f"{line}\n" for line in lines)))


def _held(client: Client, name: str) -> list[Entry]:
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


def _record(entry: Entry) -> dict[str, Any]:
    """The entry for ``--json``: every fact, times in ISO 8601."""
    facts = {name: fact for name, fact in entry._asdict().items() if name not in {"raw", "confidence"}}
    return {name: fact.isoformat() if hasattr(fact, "isoformat") else fact for name, fact in facts.items()}
