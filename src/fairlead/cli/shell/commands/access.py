"""Sessions: begin, end, as whom."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fairlead.cli.shell.verbs import verb
from fairlead.errors import ConfigError

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell


@verb("open", "URL...", aliases=("connect",), online=False)
def open_(shell: Shell, *words: str) -> None:
    """Begin a session with the server of URL, or a bookmark @NAME; any option of the command line may stand before it.

    HOST and HOST PORT are understood as well.
    """
    if len(words) > 1 and words[-1].isdecimal() and "://" not in words[-2]:
        *words, host, port = words  # type: ignore[assignment]
        words = (*words, f"{host}:{port}")
    from fairlead.cli.options import SessionOptions, server_url

    parser = SessionOptions("open")
    parser.add_argument("url", type=server_url, metavar="URL")
    args = parser.parse_args(list(words), argparse.Namespace(**vars(shell.args)))
    shell.open(args, args.url)


@verb("close", aliases=("disconnect",), online=False)
def close(shell: Shell) -> None:
    """End the session; the client goes on."""
    shell.link  # noqa: B018 - there has to be one
    shell.close()


@verb("user", "USER [PASSWORD]", online=False)
def user(shell: Shell, name: str, password: str | None = None) -> None:
    """Log in to the same server as somebody else.

    That takes a new session: TLS and what the server allows may differ from user to user. Without PASSWORD it is asked
    for.
    """
    if shell.last is None:
        raise ConfigError("no server was opened yet; open URL does it")
    shell.open(shell.args, shell.last.replace(user=name, password=password, segments=()))


@verb("account", "[PASSWORD]")
def account(shell: Shell, password: str | None = None) -> None:
    """Give the second password that some servers want for some commands (ACCT); without PASSWORD it is asked for."""
    from fairlead.cli.credentials import ask
    from fairlead.cli.shell.commands.dialogue import answered

    url = shell.link.url
    answered(shell, "ACCT", ask(url.user or "anonymous", url.host) if password is None else password)


@verb("bookmark", "[NAME]", online=False)
def bookmark(shell: Shell, name: str | None = None) -> None:
    """Keep the server, the directory and the options of the session as @NAME; without NAME, list what is kept."""
    from fairlead.cli import bookmarks

    tables = bookmarks.read()
    if name is None:
        for each, table in sorted(tables.items()):
            print(f"{bookmarks.MARK}{each}  {table['url']}")
        return
    link = shell.link
    url = link.here()
    bookmarks.write({**tables, bookmarks.check_name(name): bookmarks.table_of(str(url), link.args)})
    shell.tell(f"{bookmarks.MARK}{name} is {url}")


@verb("quit", aliases=("bye", "exit"), online=False)
def quit_(shell: Shell) -> None:
    """End the session, and leave."""
    shell.over = True
