"""The server itself: commands by hand, and what it tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.cli.shell.verbs import verb
from fairlead.client.trace import printable, show_command, show_reply
from fairlead.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell


def answered(shell: Shell, command: str, argument: str = "") -> None:
    """Send a command and print its reply. Raises TransientError on 4yz, PermanentError on 5yz."""
    reply = shell.client.command(command, argument)
    if not (shell.on["debug"] or shell.on["verbose"]):
        print(show_reply(reply))
    if reply.transient or reply.permanent:
        kind = TransientError if reply.transient else PermanentError
        raise kind(reply, show_command(command, argument))


@verb("quote", "COMMAND [WORD...]", aliases=("literal",), changes=True)
def quote(shell: Shell, command: str, *words: str) -> None:
    """Send a command as it stands, and print the reply; for those that need no data connection."""
    answered(shell, command, " ".join(words))
    if command.upper() in {"CWD", "CDUP", "XCWD", "XCUP"}:
        shell.link.moved()


@verb("site", "COMMAND [WORD...]", changes=True)
def site(shell: Shell, command: str, *words: str) -> None:
    """Send a command that this server has of its own (SITE); site HELP lists them."""
    answered(shell, "SITE", " ".join((command, *words)))


@verb("rhelp", "[COMMAND]", aliases=("remotehelp",))
def rhelp(shell: Shell, command: str = "") -> None:
    """Print which commands the server knows, or what it says of one (HELP)."""
    answered(shell, "HELP", command)


@verb("rstatus", "[REMOTE]", aliases=("remotestatus",))
def rstatus(shell: Shell, remote: str = "") -> None:
    """Print what the server says of the session, or of a file (STAT)."""
    answered(shell, "STAT", remote)


@verb("system")
def system(shell: Shell) -> None:
    """Print what kind of system the server says it is (SYST)."""
    answered(shell, "SYST")


@verb("features")
def features(shell: Shell) -> None:
    """Print which extensions the server has (FEAT)."""
    known = shell.client.features
    if known is None:
        print("the server does not tell")
        return
    for label, words in known.items():
        print(printable(f"{label} {words}".rstrip()))


@verb("idle", "[SECONDS]")
def idle(shell: Shell, seconds: str = "") -> None:
    """Show after how many seconds of silence the server ends the session, or set it (SITE IDLE)."""
    answered(shell, "SITE", f"IDLE {seconds}".rstrip())


@verb("noop")
def noop(shell: Shell) -> None:
    """Ask the server for nothing, which shows that it is there (NOOP)."""
    answered(shell, "NOOP")
