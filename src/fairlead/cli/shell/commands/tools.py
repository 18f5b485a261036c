"""What happened, why it failed, and help."""

from __future__ import annotations

import argparse
import sys
from textwrap import fill
from typing import TYPE_CHECKING

from fairlead.cli.shell import verbs
from fairlead.cli.shell.verbs import find, verb
from fairlead.errors import ConfigError

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell


@verb("ladder", "[LOCAL]", online=False)
def ladder(shell: Shell, local: str | None = None) -> None:
    """Draw what both connections did so far, here or into a file, whose name says how (.svg, .txt, .pcapng …)."""
    from fairlead.cli.ladder import draw, ladder_file, show

    if local is None:
        draw(shell.recorder.ladder(), sys.stdout)
        return
    try:
        path = ladder_file(local)
    except argparse.ArgumentTypeError as error:
        raise ConfigError(str(error)) from error
    show(shell.recorder.ladder(), path)


@verb("doctor", online=False)
def doctor(shell: Shell) -> int:
    """Try every mode with this server, and say why data connections fail and who should change what."""
    from fairlead.cli import parser_of
    from fairlead.cli.doctor import run

    args = parser_of("doctor").parse_args(["doctor"])
    there = {"url": shell.link.url_of(""), "mode": "auto"}
    return run(argparse.Namespace(**{**vars(args), **shell.link.options(), **there}))


@verb("help", "[VERB]", aliases=("?",), online=False)
def help_(shell: Shell, name: str | None = None) -> None:
    """Show what can be typed, or all that is said about one command."""
    if name is not None:
        declared = find(name)
        also = f"\nalso: {', '.join(declared.aliases)}" if declared.aliases else ""
        print(f"{declared.usage}\n\n{declared.description}{also}")
        return
    for group, declared_there in verbs.groups():
        print(f"{group}:")
        print(
            fill("  ".join(declared.name for declared in declared_there), initial_indent="  ", subsequent_indent="  ")
        )
    print("! COMMAND runs a command of this system; # begins a comment; - before a command lets it fail.")
    print("help VERB says more about one, quit leaves.")
