"""``fairlead rmdir``: remove empty directories."""

from __future__ import annotations

import argparse

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import add_json_option, ftp_url

_EXAMPLES = """\
examples:
  fairlead rmdir ftp://me@ftp.example.com/inbox/2024
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "rmdir", _EXAMPLES)
    parser.add_argument(
        "urls", nargs="+", type=ftp_url, metavar="URL", help="the empty directory, as ftp://[user@]host/path"
    )
    add_json_option(parser)
    talk(parser, _remove)


def _remove(args: argparse.Namespace) -> int:
    """Remove each directory in turn."""
    from fairlead.cli.naming import sessions, told
    from fairlead.errors import ConfigError

    for url in args.urls:
        if not url.path:
            message = f"{url} names no directory; add its path"
            raise ConfigError(message)
    with told(args) as done:
        for client, urls in sessions(args, args.urls):
            for url in urls:
                client.rmdir(url.path)
                done.append({"path": url.path})
    return 0
