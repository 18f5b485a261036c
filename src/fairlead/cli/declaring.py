"""How a verb is declared: its parser, and how what it does is run."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from fairlead.cli import VERBS


def declare(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    verb: str,
    examples: str,
    *,
    description: str | None = None,
) -> argparse.ArgumentParser:
    """The parser of ``verb``, whose purpose stands in the list of all verbs; the rest is shown as it is written."""
    return subparsers.add_parser(
        verb,
        help=VERBS[verb],
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def talk(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int], **defaults: object) -> None:
    """Give a verb the options of a session, and let it run ``action``, drawn where that is asked for.

    What that raises becomes a sentence and an exit status.
    """
    from fairlead.cli.ladder import add_ladder_option, recorded
    from fairlead.cli.options import add_session_options

    add_session_options(parser)
    add_ladder_option(parser)

    def run(args: argparse.Namespace) -> int:
        from fairlead.cli.failures import guarded

        return guarded(args, recorded(action))

    parser.set_defaults(run=run, **defaults)
