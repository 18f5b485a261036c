"""``fairlead sh``: the interactive client, and scripts for it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import server_url

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell

_EXAMPLES = """\
examples:
  fairlead sh ftp://me@ftp.example.com/pub/
  fairlead sh -c 'cd pub' -c 'mget *.txt' ftp.example.com
  fairlead sh --file nightly.ftp ftp://me@ftp.example.com
  generate-commands | fairlead sh ftp://me@ftp.example.com

help lists what can be typed. A script stops at the first command that fails, with its exit status; a command behind a
- may fail.
"""
_STEPS = 20_000
"""What ``ladder`` can look back on, so that a session of weeks needs no more memory than one of an hour."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "sh", _EXAMPLES)
    parser.add_argument(
        "url", nargs="?", type=server_url, metavar="URL", help="where to begin, as ftp://[user@]host/path/ or host"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--file", metavar="FILE", help="run the commands in FILE, one a line; - is standard input")
    source.add_argument(
        "-c", "--command", dest="commands", action="append", metavar="COMMAND", help="run COMMAND; may be repeated"
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="run a script to its end; the exit status is that of the first failure",
    )
    talk(parser, _run)


def _run(args: argparse.Namespace) -> int:
    """Read commands from the terminal, a file or standard input, and run them."""
    from fairlead.cli.shell import verbs
    from fairlead.cli.shell.state import Shell
    from fairlead.client.ladder import Recorder

    verbs.load()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names that are not UTF-8, as they are
    recorder = args.recorder if hasattr(args, "recorder") else Recorder(limit=_STEPS)
    typed = not args.commands and args.file is None and sys.stdin.isatty() and sys.stdout.isatty()
    shell = Shell(argparse.Namespace(**vars(args)), recorder, input if typed else None)
    try:
        return _converse(shell) if typed else _run_script(shell, args)
    finally:
        shell.close_all()


def _run_script(shell: Shell, args: argparse.Namespace) -> int:
    from fairlead.cli.shell.dispatch import lines_of, run_script

    lines = args.commands or (_standard_input() if args.file in {None, "-"} else lines_of(args.file))
    if args.url is not None:
        shell.open(shell.args, args.url)
    return run_script(shell, lines, keep_going=args.keep_going)


def _standard_input() -> Iterator[str]:
    """Each line when it comes, so that another program can hold a conversation."""
    yield from iter(sys.stdin.readline, "")


def _converse(shell: Shell) -> int:
    from fairlead.cli.shell.dispatch import run_line, said
    from fairlead.cli.shell.prompt import Prompt

    prompt = Prompt(shell)
    if shell.args.url is not None:
        with said(shell):
            shell.open(shell.args, shell.args.url)
    while not shell.over:
        try:
            line = prompt.read()
        except EOFError:
            break
        except KeyboardInterrupt:
            continue
        run_line(shell, line)
    return 0
