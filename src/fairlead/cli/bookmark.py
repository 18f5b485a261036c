"""``fairlead bookmark``: names of one's own for servers."""

from __future__ import annotations

import argparse
import json
import os

from fairlead.cli.declaring import declare
from fairlead.cli.options import add_session_options

_EXAMPLES = """\
examples:
  fairlead bookmark add work ftp://alice@ftp.example.com/pub/ --tls require
  fairlead ls @work/docs/
  fairlead bookmark add work ftp://alice@ftp.example.com/pub/ --save-password

@NAME stands wherever a URL does, @NAME/PATH for what is below it; a local file that is called so is written ./@NAME.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its own verbs."""
    parser = declare(subparsers, "bookmark", _EXAMPLES)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="keep a URL, and the options given with it, under a name")
    show = verbs.add_parser("show", help="print what a name stands for")
    remove = verbs.add_parser("remove", help="forget a name")
    for verb, run in ((add, run_add), (show, run_show), (remove, run_remove)):
        name = verb.add_argument("name", metavar="NAME", help="letters, digits, - and _")
        name.completer = _known  # type: ignore[attr-defined]  # read by argcomplete
        verb.set_defaults(run=run)
    add.add_argument("url", metavar="URL", help="what it stands for, as ftp://[user@]host/path/")
    add.add_argument(
        "--save-password",
        action="store_true",
        help="put the password, which is asked for or taken from FAIRLEAD_PASSWORD, into the keyring of the desktop",
    )
    add_session_options(add)
    every = verbs.add_parser("list", help="print the names, one on each line")
    every.set_defaults(run=run_list)
    for verb in (every, show):
        verb.add_argument("--json", action="store_true", help="print JSON")
    for verb in (every, show, remove):
        verb.add_argument("--debug", action="store_true", help="show where an error comes from")


def run_add(args: argparse.Namespace) -> int:
    """Keep the bookmark; one of the same name is replaced. Raises ConfigError, ArgumentError, OSError."""
    from fairlead.cli import bookmarks

    name = bookmarks.check_name(args.name)
    table = bookmarks.table_of(args.url, args)
    tables = bookmarks.read()
    if args.save_password:
        _save_password(args.url)
    bookmarks.write({**tables, name: table})
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the URL and the options. Raises ConfigError."""
    from fairlead.cli import bookmarks
    from fairlead.config.document import table_as_toml

    table = bookmarks.named(args.name)
    print(json.dumps(table, indent=2) if args.json else table_as_toml(f"[{args.name}]", table), end="")
    if args.json:
        print()
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print every bookmark. Raises ConfigError."""
    from fairlead.cli import bookmarks

    tables = bookmarks.read()
    if args.json:
        print(json.dumps(tables, indent=2))
        return 0
    width = max(map(len, tables), default=0)
    for name, table in sorted(tables.items()):
        print(f"{name:{width}}  {table['url']}")
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """Forget the bookmark; a password in the keyring stays. Raises ConfigError, OSError."""
    from fairlead.cli import bookmarks

    bookmarks.named(args.name)
    bookmarks.write({name: table for name, table in bookmarks.read().items() if name != args.name})
    return 0


def _known(**_: object) -> list[str]:
    from fairlead.cli.completion import bookmarks

    return bookmarks()


def _save_password(text: str) -> None:
    from fairlead.cli.credentials import PASSWORD_VARIABLE, ask
    from fairlead.cli.keyrings import save
    from fairlead.errors import ConfigError
    from fairlead.proto.url import parse_url

    url = parse_url(text)
    if url.user is None:
        message = f"{url} names no user, so that no password can be saved; write ftp://USER@{url.host}/"
        raise ConfigError(message)
    save(url, url.user, os.environ.get(PASSWORD_VARIABLE) or ask(url.user, url.host))
