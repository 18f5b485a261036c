"""``fairlead rmdir``: remove empty directories."""

from __future__ import annotations

import argparse

from fairlead.cli.ladder import add_ladder_option
from fairlead.cli.options import add_json_option, add_session_options, ftp_url

_EXAMPLES = """\
examples:
  fairlead rmdir ftp://me@ftp.example.com/inbox/2024
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "rmdir", help="remove directories", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "urls", nargs="+", type=ftp_url, metavar="URL", help="the empty directory, as ftp://[user@]host/path"
    )
    add_json_option(parser)
    add_session_options(parser)
    add_ladder_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Remove each directory in turn."""
    from fairlead.cli.failures import guarded
    from fairlead.cli.ladder import recorded

    return guarded(args, recorded(_remove))


def _remove(args: argparse.Namespace) -> int:
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
