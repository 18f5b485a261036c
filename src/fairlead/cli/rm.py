"""``fairlead rm``: remove files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import add_json_option, pattern_url

if TYPE_CHECKING:
    from fairlead.client.sync import Client
    from fairlead.proto.entry import Kind
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead rm ftp://me@ftp.example.com/inbox/old.pdf
  fairlead rm 'ftp://me@ftp.example.com/logs/*.gz'
  fairlead rm -r ftp://me@ftp.example.com/attic/
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "rm", _EXAMPLES)
    parser.add_argument(
        "urls",
        nargs="+",
        type=pattern_url,
        metavar="URL",
        help="the file, as ftp://[user@]host/path; *, ? and [a-z] match names, %%2A is a star that is one",
    )
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="remove directories with all they hold, and follow no links"
    )
    add_json_option(parser)
    talk(parser, _remove)


def _remove(args: argparse.Namespace) -> int:
    """Remove each file in turn; the first that cannot be removed ends it."""
    from fairlead.cli.naming import sessions, told
    from fairlead.errors import ConfigError

    for url in args.urls:
        if not url.path or (url.directory and not args.recursive):
            message = f"{url} names a directory; name a file, or add --recursive to remove all that it holds"
            raise ConfigError(message if url.path else f"{url} names no file; add its path")
    with told(args) as done:

        def tell(path: str, kind: Kind) -> None:
            done.append({"path": path, "kind": kind})

        for client, urls in sessions(args, args.urls):
            for url in urls:
                _remove_named(client, url, recursive=args.recursive, tell=tell)
    return 0


def _remove_named(client: Client, url: FtpUrl, *, recursive: bool, tell: Callable[[str, Kind], None]) -> None:
    """Remove what ``url`` names, and tell each path and kind once it is gone."""
    from fairlead.cli.naming import matching
    from fairlead.errors import ConfigError
    from fairlead.proto.entry import Kind
    from fairlead.proto.path import is_pattern

    if not is_pattern(url.path) and not recursive:
        client.remove(url.path)
        tell(url.path, Kind.FILE)
        return
    entries = matching(client, url) if is_pattern(url.path) else [client.stat(url.path)]
    for entry in entries:
        path = entry.name if is_pattern(url.path) else url.path
        if entry.kind is not Kind.DIRECTORY:
            client.remove(path)
            tell(path, entry.kind)
        elif recursive:
            client.rmtree(path, on_removed=tell)
        else:
            message = f"{path} is a directory; --recursive removes it with all that it holds"
            raise ConfigError(message)
