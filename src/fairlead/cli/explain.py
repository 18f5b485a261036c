"""``fairlead explain``: what a capture, or a saved ladder, shows of sessions, and what failed in them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead.cli.declaring import declare
from fairlead.cli.ladder import FORMATS, ladder_file
from fairlead.reach.products import TITLES

if TYPE_CHECKING:
    from fairlead.capture.explain import Explained, Explainer
    from fairlead.capture.files import Frame
    from fairlead.ladder.model import Ladder
    from fairlead.reach.advice import Advice

_EXAMPLES = """\
examples:
  tcpdump -i any -w ftp.pcap tcp or icmp or icmp6      record; then, also elsewhere:
  fairlead explain ftp.pcap                            what failed and why, and the ladder of each session
  fairlead explain --failures --for vsftpd ftp.pcap    failing sessions only, with the settings of vsftpd
  fairlead explain client.pcap server.pcap             the same sessions, recorded at both ends
  fairlead explain --ladder=session.svg ftp.pcap       a picture of each session
  fairlead explain session.jsonl                       a ladder that was saved
  sudo fairlead explain -i eth0                        as it happens, until Ctrl-C

Passwords are masked. Under TLS the dialogue cannot be read; data connections are paired with it by hosts and times.
exit status: 0 nothing failed, 1 something did, 2 this is no capture
"""
_SAVED_LADDER = b"{"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "explain", _EXAMPLES)
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="pcap, pcapng (also compressed by gzip), or .jsonl; captures of one session at both ends are compared",
    )
    parser.add_argument("-i", "--interface", metavar="IFACE", help="capture here until Ctrl-C; any for all interfaces")
    parser.add_argument("--failures", action="store_true", help="show only sessions in which something failed")
    parser.add_argument("--json", action="store_true", help="print one object instead of the report")
    parser.add_argument(
        "--ladder",
        type=ladder_file,
        metavar="FILE",
        help=f"put the ladders into files instead of drawing them here ({', '.join(FORMATS)})",
    )
    parser.add_argument(
        "--for",
        dest="products",
        action="append",
        default=[],
        choices=list(TITLES),
        metavar="PRODUCT",
        help=f"show the settings for this product, may be repeated: {', '.join(TITLES)}",
    )
    parser.add_argument(
        "--control-port",
        type=_port,
        action="append",
        default=[],
        metavar="PORT",
        help="a port of servers beside 21; others are found by their greeting, but not under TLS from the beginning",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        message = f"{text!r} is no port from 1 to 65535"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Explain the files, or what passes; the exit status says whether something failed.

    Raises CaptureError, and ArgumentError where neither is named, or both are.
    """
    from fairlead.errors import ArgumentError

    if bool(args.files) == bool(args.interface):
        raise ArgumentError("name the files to explain, or an interface by -i; see fairlead explain --help")
    if args.interface:
        return _print(args, _live(args))
    if len(args.files) > 1:
        return _print(args, _both(args))
    (name,) = args.files
    with _opened(name) as file:
        return _saved(args, file) if _is_ladder(name, file) else _print(args, _recorded(args, file))


@contextmanager
def _opened(name: str) -> Iterator[BufferedReader]:
    from fairlead.errors import CaptureError

    try:
        with Path(name).open("rb") as file:
            yield file
    except OSError as error:
        if error.filename != name:
            raise
        raise CaptureError(f"cannot read {name}: {error.strerror}") from error


def _is_ladder(name: str, file: BufferedReader) -> bool:
    return name.endswith(".jsonl") or file.peek(1)[:1] == _SAVED_LADDER


def _recorded(args: argparse.Namespace, file: BufferedReader) -> Iterator[Explained]:
    from fairlead.capture.explain import explained
    from fairlead.capture.files import CaptureFile
    from fairlead.cli.failures import say

    capture = CaptureFile(file, file.name)
    yield from explained(capture, _explainer(args))
    if capture.damage:
        say(capture.damage)


def _both(args: argparse.Namespace) -> Iterator[Explained]:
    """The sessions of several captures, one after the other, held against each other."""
    from fairlead.capture.both_ends import compared

    captures = []
    for name in args.files:
        with _opened(name) as file:
            captures.append(list(_recorded(args, file)))
    for capture in compared(captures):
        yield from capture


def _live(args: argparse.Namespace) -> Iterator[Explained]:
    from fairlead.capture import live
    from fairlead.cli.failures import say

    explainer = _explainer(args)
    frames = live.frames(args.interface)
    say(f"capturing at {args.interface}; Ctrl-C ends it")
    return _passing(frames, explainer)


def _passing(frames: Iterator[Frame | None], explainer: Explainer) -> Iterator[Explained]:
    """Sessions as they end, and what is left of them when the user ends it."""
    import signal
    import time

    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        for frame in frames:
            yield from explainer.tick(time.time()) if frame is None else explainer.feed(frame)
            if asked:
                break
    finally:
        signal.signal(signal.SIGINT, before)
    yield from explainer.finish()


def _explainer(args: argparse.Namespace) -> Explainer:
    from fairlead.capture.explain import Explainer
    from fairlead.capture.tracker import CONTROL_PORTS

    return Explainer(control_ports=CONTROL_PORTS | set(args.control_port))


def _print(args: argparse.Namespace, sessions: Iterable[Explained]) -> int:
    """Print each session as it comes; returns the exit status."""
    count = failed = 0
    if args.json:
        print('{"sessions": [', flush=True)
    for session in sessions:
        failed += bool(session.findings)
        if args.failures and not session.findings:
            continue
        count += 1
        if args.json:
            print(f"{',' if count > 1 else ''}{json.dumps(_document(session), ensure_ascii=False)}", flush=True)
        else:
            _show(args, session, first=count == 1)
        if args.ladder is not None:
            _write(args.ladder, session.ladder, count)
    if args.json:
        print("]}")
    elif not count:
        print("In none of the sessions anything failed." if args.failures else "There is no session of FTP in it.")
    return 1 if failed else 0


def _show(args: argparse.Namespace, session: Explained, *, first: bool) -> None:
    """A sentence for each failure, what to do, what cannot be seen, and the ladder."""
    from fairlead.capture.phrases import show
    from fairlead.cli.ladder import draw
    from fairlead.reach.explanations import EXPLANATIONS

    if not first:
        _line("")
    began = datetime.fromtimestamp(session.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    _line(f"{show(session.client)} to {show(session.server)}, {began}, captured at: {session.where}")
    told: set[str] = set()
    for finding in session.findings:
        _line(f"✕ {finding.sentence}")
        meaning = "" if finding.cause in told else f": {EXPLANATIONS[finding.cause].sentence}"
        _line(f"  {finding.cause}{meaning}")
        told.add(finding.cause)
    if not session.findings:
        number = session.transfers
        _line(f"Nothing failed; {number} data connection{' was' if number == 1 else 's were'} made.")
    for sentence in session.unseen:
        _line(f"· {sentence}")
    for each in session.advice:
        _advice(each, args.products)
    if args.ladder is None:
        _line("")
        draw(replace(session.ladder, title=""), sys.stdout)


def _advice(advice: Advice, products: list[str]) -> None:
    _line(f"→ {advice.owner}: {advice.text}")
    for name, text in advice.settings.items():
        if name in products:
            _line(f"    {TITLES[name]}")
            for line in text.splitlines():
                _line(f"      {line}")


def _line(text: str) -> None:
    """Print ``text``, which may hold what a stranger said, on any terminal."""
    from fairlead.client.trace import printable

    encoding = sys.stdout.encoding or "ascii"
    print(printable(text).encode(encoding, "replace").decode(encoding))


def _document(session: Explained) -> dict[str, Any]:
    """A session as ``--json`` prints it."""
    from fairlead.capture.phrases import show
    from fairlead.ladder import jsonl
    from fairlead.reach.explanations import EXPLANATIONS

    return {
        "client": show(session.client),
        "server": show(session.server),
        "began": datetime.fromtimestamp(session.began, UTC).isoformat(),
        "captured_at": session.where.value,
        "data_connections": session.transfers,
        "findings": [
            {
                "cause": finding.cause.value,
                "mode": finding.mode,
                "at": round(finding.at - session.began, 6),
                "text": finding.sentence,
                "meaning": EXPLANATIONS[finding.cause].sentence,
                "owner": EXPLANATIONS[finding.cause].owner.value,
            }
            for finding in session.findings
        ],
        "unseen": list(session.unseen),
        "advice": [
            {"owner": each.owner.value, "text": each.text, "settings": dict(each.settings)} for each in session.advice
        ],
        "ladder": [json.loads(line) for line in jsonl.dump(session.ladder).splitlines()],
    }


def _write(path: Path, ladder: Ladder, number: int) -> None:
    """Write ``ladder`` into ``path``; those after the first into files beside it, with their number."""
    from fairlead.cli.ladder import show

    show(ladder, path if number == 1 else path.with_stem(f"{path.stem}-{number}"))


def _saved(args: argparse.Namespace, file: BufferedReader) -> int:
    """Explain a ladder that was saved as JSON Lines."""
    from fairlead.cli.ladder import draw
    from fairlead.errors import CaptureError, ProtocolError
    from fairlead.ladder import jsonl

    try:
        ladder = jsonl.load(file.read().decode())
    except (ProtocolError, UnicodeDecodeError) as error:
        raise CaptureError(f"{file.name} is neither a capture nor a saved ladder: {error}") from error
    failures = list(_failures(ladder))
    if args.json:
        lines = [json.loads(line) for line in jsonl.dump(ladder).splitlines()]
        print(json.dumps({"sessions": [{"findings": failures, "ladder": lines}]}, ensure_ascii=False, indent=2))
    else:
        for failure in failures:
            _line(f"✕ {failure['text']}")
            _line(f"  {failure['cause']}: {failure['meaning']}" if failure["meaning"] else f"  {failure['cause']}")
        if not failures:
            _line("Nothing failed.")
        if args.ladder is None:
            _line("")
            draw(ladder, sys.stdout)
    if args.ladder is not None:
        _write(args.ladder, ladder, 1)
    return 1 if failures else 0


def _failures(ladder: Ladder) -> Iterator[dict[str, Any]]:
    """The steps of ``ladder`` that have a cause."""
    from fairlead.ladder.words import label, lines
    from fairlead.reach.cause import Cause
    from fairlead.reach.explanations import EXPLANATIONS

    known = {cause.value: EXPLANATIONS[cause].sentence for cause in Cause}
    for line in lines(ladder):
        if line.step.cause:
            text = f"{label(line.step)} at {line.step.at:.3f} s{f': {line.remark}' if line.remark else ''}"
            yield {
                "cause": line.step.cause,
                "at": line.step.at,
                "text": text,
                "meaning": known.get(line.step.cause, ""),
            }
