"""``fairlead mv``: rename files and directories, and move them within a server."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import add_json_option, ftp_url, pattern_url

if TYPE_CHECKING:
    from fairlead.client.sync import Client
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead mv ftp://me@ftp.example.com/inbox/a.pdf ftp://me@ftp.example.com/inbox/b.pdf
  fairlead mv 'ftp://me@ftp.example.com/inbox/*.pdf' ftp://me@ftp.example.com/done/
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "mv", _EXAMPLES)
    parser.add_argument(
        "sources",
        nargs="+",
        type=pattern_url,
        metavar="URL",
        help="what to move, as ftp://[user@]host/path; *, ? and [a-z] match names",
    )
    parser.add_argument(
        "target", type=ftp_url, metavar="TARGET", help="its new URL on the same server; a directory ends with /"
    )
    add_json_option(parser)
    talk(parser, _move)


def _move(args: argparse.Namespace) -> int:
    """Rename each in turn; whether what is there already is replaced is the server's choice."""
    from fairlead.cli.naming import sessions, told

    _check(args.sources, args.target)
    with told(args) as done:
        for client, urls in sessions(args, args.sources):
            for url in urls:
                for path in _paths(client, url):
                    target = _target(path, args.target)
                    client.rename(path, target)
                    done.append({"path": path, "target": target})
    return 0


def _check(sources: list[FtpUrl], target: FtpUrl) -> None:
    """Raises ConfigError where one of them can have no new path."""
    from fairlead.cli.naming import same_server
    from fairlead.errors import ConfigError
    from fairlead.proto.path import is_pattern

    if not target.directory and (len(sources) > 1 or is_pattern(sources[0].path)):
        message = f"several files cannot go into one; end {target} with / if it is a directory"
        raise ConfigError(message)
    for source in sources:
        if not same_server(source, target):
            message = f"{source} and {target} are not on the same server as the same user; fairlead copy copies"
            raise ConfigError(message)
        if not source.path:
            message = f"{source} names nothing to move; add its path"
            raise ConfigError(message)


def _paths(client: Client, url: FtpUrl) -> list[str]:
    from fairlead.cli.naming import matching
    from fairlead.proto.path import is_pattern

    return [entry.name for entry in matching(client, url)] if is_pattern(url.path) else [url.path]


def _target(path: str, target: FtpUrl) -> str:
    """The new path of ``path``."""
    if not target.directory:
        return target.path
    name = path.rpartition("/")[2]
    return f"{target.path.rstrip('/')}/{name}" if target.path else name
