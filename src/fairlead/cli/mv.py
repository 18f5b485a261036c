"""``fairlead mv``: rename files and directories, and move them within a server."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from fairlead.cli.ladder import add_ladder_option
from fairlead.cli.options import add_json_option, add_session_options, ftp_url
from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead mv ftp://me@ftp.example.com/inbox/a.pdf ftp://me@ftp.example.com/inbox/b.pdf
  fairlead mv ftp://me@ftp.example.com/inbox/a.pdf ftp://me@ftp.example.com/done/
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "mv",
        help="rename and move files and directories",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sources", nargs="+", type=ftp_url, metavar="URL", help="what to move, as ftp://[user@]host/path"
    )
    parser.add_argument(
        "target", type=ftp_url, metavar="TARGET", help="its new URL on the same server; a directory ends with /"
    )
    add_json_option(parser)
    add_session_options(parser)
    add_ladder_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Rename each in turn; whether what is there already is replaced is the server's choice."""
    from fairlead.cli.failures import guarded
    from fairlead.cli.ladder import recorded

    return guarded(args, recorded(_move))


def _move(args: argparse.Namespace) -> int:
    from fairlead.cli.naming import sessions, told

    targets = list(_targets(args.sources, args.target))
    with told(args) as done:
        for client, urls in sessions(args, args.sources):
            for url, target in zip(urls, targets, strict=True):
                client.rename(url.path, target)
                done.append({"path": url.path, "target": target})
    return 0


def _targets(sources: list[FtpUrl], target: FtpUrl) -> Iterator[str]:
    """The new path of each. Raises ConfigError where it can have none."""
    from fairlead.cli.naming import same_server
    from fairlead.errors import ConfigError

    if len(sources) > 1 and not target.directory:
        message = f"several files cannot go into one; end {target} with / if it is a directory"
        raise ConfigError(message)
    for source in sources:
        if not same_server(source, target):
            message = f"{source} and {target} are not on the same server as the same user; fairlead copy copies"
            raise ConfigError(message)
        if not source.path:
            message = f"{source} names nothing to move; add its path"
            raise ConfigError(message)
        name = source.path.rpartition("/")[2]
        yield (f"{target.path.rstrip('/')}/{name}" if target.path else name) if target.directory else target.path
