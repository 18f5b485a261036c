"""What happened, why it failed, and help."""

from __future__ import annotations

import argparse
import shutil
import sys
from textwrap import fill
from typing import TYPE_CHECKING

from fairlead.cli.shell import verbs
from fairlead.cli.shell.verbs import Verb, find, verb
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
        _describe(find(name))
        return
    for group, declared in verbs.groups():
        print(f"{group}:")
        print(_filled("  ".join(verb.name for verb in declared), indent="  "))
    print("! COMMAND runs a command of this system; # begins a comment; - before a command lets it fail.")
    print("help VERB says more about one, quit leaves.")


def _describe(declared: Verb) -> None:
    print(f"{declared.usage}\n")
    for paragraph in declared.description.split("\n\n"):
        print(f"{_filled(' '.join(paragraph.split()))}\n")
    if declared.aliases:
        print(f"also: {', '.join(declared.aliases)}")


def _filled(text: str, indent: str = "") -> str:
    """``text`` in lines of the terminal's width."""
    width = shutil.get_terminal_size().columns
    return fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
