"""``--ladder``: what the session's connections did, drawn when the verb is done, also when it failed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.client.trace import Record, Trace
    from fairlead.errors import FairleadError
    from fairlead.ladder.model import Ladder

_TEXT_WIDTH = 100
"""Cells of a line in a text file."""


def _text(ladder: Ladder) -> bytes:
    from fairlead.ladder import text

    return text.draw(ladder, width=_TEXT_WIDTH).encode()


def _svg(ladder: Ladder) -> bytes:
    from fairlead.ladder import svg

    return svg.draw(ladder).encode()


def _mermaid(ladder: Ladder) -> bytes:
    from fairlead.ladder import mermaid

    return mermaid.draw(ladder).encode()


def _markdown(ladder: Ladder) -> bytes:
    return b"```mermaid\n" + _mermaid(ladder) + b"```\n"


def _jsonl(ladder: Ladder) -> bytes:
    from fairlead.ladder import jsonl

    return jsonl.dump(ladder).encode()


def _pcapng(ladder: Ladder) -> bytes:
    from fairlead.ladder import pcapng

    return pcapng.dump(ladder)


FORMATS: Mapping[str, Callable[[Ladder], bytes]] = {
    ".svg": _svg,
    ".txt": _text,
    ".jsonl": _jsonl,
    ".pcapng": _pcapng,
    ".mmd": _mermaid,
    ".md": _markdown,
}
"""What a file's name ends in, and how a ladder is written into it."""


def ladder_file(name: str) -> Path | None:
    """The argument of ``--ladder=FILE``; None, for the terminal, where it has none."""
    if not name:
        return None
    from pathlib import Path

    path = Path(name)
    if path.suffix.lower() not in FORMATS:
        message = f"nobody knows what kind of ladder {name!r} is; end it in {', '.join(FORMATS)}"
        raise argparse.ArgumentTypeError(message)
    if not path.parent.is_dir():
        message = f"there is no directory for {name}; make it first"
        raise argparse.ArgumentTypeError(message)
    return path


def add_ladder_option(parser: argparse.ArgumentParser) -> None:
    """``--ladder[=FILE]``, of the verbs that talk to a server."""
    parser.add_argument(
        "--ladder",
        nargs="?",
        type=ladder_file,
        const=None,
        default=argparse.SUPPRESS,
        metavar="=FILE",
        help="draw what both connections did, here or as a picture, text, Mermaid, JSON Lines or capture in "
        f"FILE ({', '.join(FORMATS)})",
    )


def recorded(action: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """``action``, with the ladder drawn after it where one was asked for."""

    def run(args: argparse.Namespace) -> int:
        if not hasattr(args, "ladder"):
            return action(args)
        from fairlead.cli.failures import say, sentence
        from fairlead.client.ladder import Recorder

        args.recorder = recorder = Recorder()
        try:
            code = action(args)
        except BaseException:
            try:
                show(recorder.ladder(), args.ladder)
            except OSError as unwritten:
                say(sentence(unwritten))
            raise
        show(recorder.ladder(), args.ladder)
        return code

    return run


def of_one_session(args: argparse.Namespace) -> argparse.Namespace:
    """``args`` for one of several sessions that the ladder shows at once."""
    if not hasattr(args, "recorder"):
        return args
    return argparse.Namespace(**{**vars(args), "recorder": args.recorder.session()})


def tell_failure(args: argparse.Namespace, error: FairleadError) -> None:
    """Let the ladder show ``error`` where it happened, before the session is closed for it."""
    if hasattr(args, "recorder"):
        args.recorder.failed(error)


def trace_of(args: argparse.Namespace, show_record: Trace) -> Trace | None:
    """Whoever is to hear of the dialogue: ``show_record`` under ``--debug``, and the recorder of the ladder."""
    recorder: Trace | None = getattr(args, "recorder", None)
    if recorder is None or not args.debug:
        return show_record if args.debug else recorder
    record_too = recorder

    def both(record: Record) -> None:
        show_record(record)
        record_too(record)

    return both


def show(ladder: Ladder, path: Path | None) -> None:
    """Write ``ladder`` into ``path``, in the format of its name; draw it on standard error where there is none.

    Raises OSError when the file cannot be written.
    """
    if path is None:
        draw(ladder, sys.stderr)
    else:
        path.write_bytes(FORMATS[path.suffix.lower()](ladder))


def draw(ladder: Ladder, stream: TextIO) -> None:
    """Draw ``ladder`` on ``stream``: as wide as its terminal, in colour unless ``NO_COLOR`` or ``TERM`` says no."""
    import shutil

    from fairlead.ladder import text

    terminal = stream.isatty()
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((_TEXT_WIDTH, 24)).columns if terminal else _TEXT_WIDTH
    drawing = text.draw(ladder, width=width, colour=colour)
    try:
        drawing.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        drawing = text.in_ascii(drawing)
    print(drawing, end="", file=stream, flush=True)
