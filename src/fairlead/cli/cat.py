"""``fairlead cat``: files to standard output."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import pattern_url

if TYPE_CHECKING:
    from fairlead.client.sync import Client
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead cat ftp://ftp.example.com/pub/README
  fairlead cat 'ftp://me@ftp.example.com/logs/*.log' | grep failed
  fairlead cat ftp://ftp.example.com/backup.tar.gz | tar tz
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "cat", _EXAMPLES)
    parser.add_argument(
        "urls",
        nargs="+",
        type=pattern_url,
        metavar="URL",
        help="the file, as ftp://[user@]host/path; *, ? and [a-z] match names",
    )
    talk(parser, _cat)


def _cat(args: argparse.Namespace) -> int:
    """Print each URL's file in turn, octet for octet."""
    from fairlead.cli.connection import connected
    from fairlead.errors import ConfigError
    from fairlead.proto.path import is_pattern

    for url in args.urls:
        if url.directory:
            message = f"{url} names a directory; name a file, or list it with fairlead ls"
            raise ConfigError(message)
    for url in args.urls:
        matched = is_pattern(url.path)
        with connected(args, url, () if matched else url.segments[:-1]) as client:
            for name in _files(client, url) if matched else url.segments[-1:]:
                client.download(name, sys.stdout.buffer, text=url.type == "A")
    return 0


def _files(client: Client, url: FtpUrl) -> list[str]:
    """What the pattern ``url`` matches, but for directories."""
    from fairlead.cli.naming import matching
    from fairlead.proto.entry import Kind

    return [entry.name for entry in matching(client, url) if entry.kind not in {Kind.DIRECTORY, Kind.OTHER}]
