"""``fairlead mkdir``: make directories."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import add_json_option, ftp_url

if TYPE_CHECKING:
    from fairlead.client.sync import Client

_EXAMPLES = """\
examples:
  fairlead mkdir ftp://me@ftp.example.com/inbox/2024
  fairlead mkdir -p ftp://me@ftp.example.com/a/b/c
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "mkdir", _EXAMPLES)
    parser.add_argument("urls", nargs="+", type=ftp_url, metavar="URL", help="the directory, as ftp://[user@]host/path")
    parser.add_argument(
        "-p", "--parents", action="store_true", help="make those around it too, and be content where there is one"
    )
    add_json_option(parser)
    talk(parser, _make)


def _make(args: argparse.Namespace) -> int:
    """Make each directory in turn."""
    from fairlead.cli.naming import sessions, told
    from fairlead.errors import ConfigError

    for url in args.urls:
        if not url.path:
            message = f"{url} names no directory; add its path"
            raise ConfigError(message)
    with told(args) as done:
        for client, urls in sessions(args, args.urls):
            for url in urls:
                paths = _with_parents(url.path) if args.parents else [url.path]
                done += [{"path": path} for path in paths if _made(client, path, there_is_fine=args.parents)]
    return 0


def _with_parents(path: str) -> list[str]:
    slashes = [at for at, character in enumerate(path) if character == "/" and at]
    return [*(path[:at] for at in slashes), path]


def _made(client: Client, path: str, *, there_is_fine: bool) -> bool:
    """Whether the directory had to be made. A server's code for one that is there tells nothing, but CWD does."""
    from fairlead.errors import PermanentError

    if not there_is_fine:
        client.mkdir(path)
        return True
    here = client.pwd()
    try:
        client.cwd(path)
    except PermanentError:
        client.mkdir(path)
        return True
    client.cwd(here)
    return False
