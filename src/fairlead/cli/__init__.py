"""The command line: one module for each verb, imported when that verb is asked for."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from itertools import takewhile
from typing import Any, NoReturn

from fairlead import __version__

VERBS = {
    "serve": "serve a directory",
    "ls": "list a directory",
    "get": "fetch files",
    "put": "store files",
    "cat": "print files on standard output",
    "mirror": "make a directory here like one on a server, or the other way round",
    "copy": "copy a file from server to server",
    "stat": "show what is known of files",
    "rm": "remove files",
    "mv": "rename and move files and directories",
    "mkdir": "make directories",
    "rmdir": "remove directories",
    "sh": "the interactive client",
    "doctor": "try every mode, and say why data connections fail",
    "firewall": "print the rules that firewalls and routers need",
    "explain": "read a capture or a saved ladder, and say what failed and why",
    "bookmark": "give servers names of one's own",
    "user": "manage the users in a configuration file",
    "config": "make, check and show configurations",
    "completion": "print what lets a shell complete command lines",
}
"""Each verb, whose module bears its name, and what it does."""

_YOUNG = 10_000
"""Objects that are made before any are looked at for circles: a start makes thousands, and nearly all of them stay."""

_EXAMPLES = """\
examples:
  fairlead serve                                  this directory, to this machine, read-only
  fairlead serve /srv/ftp --listen '[::]:2121'    to everyone
  fairlead ls ftp://ftp.example.com/pub/
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence and exit status 2."""

    column = 0
    """How wide the names in its help are at least."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False} | settings)
        self._given: list[str] = []

    def _get_formatter(self) -> argparse.HelpFormatter:
        """As the base class, which asks shutil for the width: much to import, and asked anew for each option."""
        formatter = self.formatter_class(prog=self.prog, width=_width())  # type: ignore[call-arg]
        formatter._action_max_length = self.column  # noqa: SLF001 - it forgets how far verbs stand in
        return formatter

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the base class; an option whose value may be left out has it behind ``=`` only, never as the next word."""
        self._given = list(map(self._with_value, args))
        return super().parse_known_args(self._given, namespace)

    def _with_value(self, argument: str) -> str:
        action = self._option_string_actions.get(argument)
        return f"{argument}=" if action is not None and action.nargs == "?" else argument

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read on; an option that nobody knows may have put words in wrong places."""
        unknown = self._unknown_options()
        self._stop(f"nobody knows {unknown[0]}{self._meant(unknown[0])}" if unknown else message)

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Say that nobody knows these arguments."""
        self._stop(f"nobody knows {' '.join(unknown)}{self._meant(unknown[0])}")

    def _stop(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")

    def _unknown_options(self) -> list[str]:
        if any(isinstance(action, argparse._SubParsersAction) for action in self._actions):  # noqa: SLF001
            return []  # they may be options of a verb below
        options = takewhile(lambda word: word != "--", self._given)
        long = (word.partition("=")[0] for word in options if word.startswith("--"))
        return [word for word in long if word not in self._option_string_actions]

    def _meant(self, option: str) -> str:
        """The option that ``option`` looks like, as a question."""
        known = [name for name in self._option_string_actions if name.startswith("--")]
        return did_you_mean(option, known) if option.startswith("--") else ""


class _Version(argparse.Action):
    """Prints the version; whether there is an accelerator is found out only then."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"nargs": 0})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from fairlead import accelerator

        state, _library = accelerator.find()
        print(f"Fairlead {__version__}\naccelerator: {state.value}")
        parser.exit()


@cache
def _width() -> int:
    """Columns for help: those of the terminal or what COLUMNS says, and a margin of two, as argparse has it."""
    try:
        return (int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size().columns) - 2
    except (ValueError, OSError):
        return 78


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv``, by default the process's own; returns the exit status."""
    if argv is not None:
        return _main(list(argv))
    gc.set_threshold(_YOUNG)
    if "_ARGCOMPLETE" in os.environ:
        from fairlead.cli.completion import answer

        answer()
    arguments = sys.argv[1:]
    _hide_passwords(arguments)
    status = _main(arguments)
    gc.freeze()  # what is left goes with the process, and is not searched for circles once more
    return status


def _main(arguments: list[str]) -> int:
    verb = next((argument for argument in arguments if not argument.startswith("-")), "")
    try:
        parser = parser_of(verb, alone=verb in VERBS and verb == arguments[0])
        parsed, unknown = parser.parse_known_args(arguments)
        if unknown:
            _parser_below(parser, verb).refuse(unknown)
    except SystemExit as stop:  # help was shown, or the arguments are wrong
        return int(stop.code or 0)
    return _run(parsed)


def _hide_passwords(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["sh"] or any(":" in argument for argument in arguments):
        from fairlead.cli.process_list import hide_passwords

        hide_passwords()


def _run(parsed: argparse.Namespace) -> int:
    """Run the verb; whatever it raises becomes an exit status and a sentence."""
    try:
        status: int = parsed.run(parsed)
        print(end="", flush=True)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - of each only a sentence is to be seen
        return _failed(parsed, error)
    return status


def _failed(parsed: argparse.Namespace, error: BaseException) -> int:
    from fairlead.cli.failures import FAILED, guarded, say

    def again(_: argparse.Namespace) -> int:
        raise error

    try:
        return guarded(parsed, again)
    except Exception as unforeseen:
        if parsed.debug:
            raise
        say(f"an error that nobody foresaw, {unforeseen!r}; --debug shows where it came from")
        return FAILED


def parser_of(verb: str, *, alone: bool = False) -> Parser:
    """The parser of the whole, in which only ``verb`` knows its arguments; it may stand ``alone``, with no others."""
    parser = Parser(
        prog="fairlead",
        description="A complete FTP system: server, client, and the tool that shows why a data connection fails.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.column = max(map(len, VERBS)) + 4
    parser.add_argument("--version", action=_Version, help="show the version, and whether the accelerator is used")
    subparsers = parser.add_subparsers(metavar="VERB", required=True, dest="verb", prog="fairlead", parser_class=Parser)
    for name, purpose in VERBS.items():
        if name == verb:
            import_module(f"fairlead.cli.{name}").add_parser(subparsers)
        elif not alone:
            subparsers.add_parser(name, help=purpose)
    if verb and verb not in VERBS:
        parser.error(f"there is no verb {verb!r}{did_you_mean(verb, VERBS)}")
    return parser


def _parser_below(parser: Parser, verb: str) -> Parser:
    """The parser of ``verb`` within that of the whole."""
    groups = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    found: Parser = next(groups).choices[verb]
    return found


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The one of ``known`` that ``word`` looks like, as a question; empty where none does."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1, 0.7)
    return f", did you mean {close[0]}?" if close else ""
