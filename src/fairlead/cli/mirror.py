"""``fairlead mirror``: make a directory here like one on a server, or the other way round."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from fairlead.cli.bookmarks import is_bookmark
from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import PARALLEL, add_parallel_option, ftp_url
from fairlead.cli.patterns import add_pattern_options
from fairlead.proto.url import FtpUrl

if TYPE_CHECKING:
    from fairlead.client.mirror.direction import Options

_EXAMPLES = """\
examples:
  fairlead mirror ftp://ftp.example.com/pub/docs/ docs
  fairlead mirror --delete site ftp://me@www.example.com/htdocs/
  fairlead mirror --dry-run --exclude '*.tmp' --exclude cache/ ftp://me@host/data/ data
  fairlead mirror --include '*.iso' ftp://ftp.example.com/pub/ isos
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(
        subparsers,
        "mirror",
        _EXAMPLES,
        description="Copy what differs in size or time. What the source does not have stays unless --delete is given.\n"
        "Stopped at any moment, the same command goes on from there.",
    )
    parser.add_argument("source", type=_place, metavar="SOURCE", help="a directory here, or ftp://[user@]host/path/")
    parser.add_argument("target", type=_place, metavar="TARGET", help="the other one of the two; made if missing")
    parser.add_argument(
        "--delete",
        action="store_true",
        help="remove what the source does not have, once everything else is done; nothing is removed where the source "
        "could not be listed as a whole",
    )
    parser.add_argument(
        "--newer",
        action="store_true",
        help="replace files by newer ones only, not by older ones or those of another size",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_parallel_option(
        parser, PARALLEL, f"files at a time, each in a session of its own ({PARALLEL} unless told otherwise)"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="hold each copy against the original by HASH, else XSHA256 and its kin, else the size",
    )
    parser.add_argument("--no-times", action="store_true", help="do not give copies the times of their originals")
    parser.add_argument(
        "--follow-links",
        action="store_true",
        help="copy what a link of the source leads to; else links are passed over",
    )
    parser.add_argument(
        "--in-place",
        action="store_true",
        help="on a server, write files under their own names, for servers that forbid renaming: who looks there "
        "meanwhile sees half a file",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="print each step on standard error once it is done"
    )
    parser.add_argument("--json", action="store_true", help="print an object with the plan and what came of it")
    add_pattern_options(parser)
    talk(parser, _mirror, resuming="the same command goes on from here")


def _mirror(args: argparse.Namespace) -> int:
    """Mirror one way or the other; 1 where something stayed undone."""
    from fairlead.cli.failures import DONE, FAILED, say
    from fairlead.cli.mirror_report import achieved, kept, planned, report, table
    from fairlead.cli.side_by_side import finish, mirrored
    from fairlead.errors import ConfigError

    if isinstance(args.source, FtpUrl) == isinstance(args.target, FtpUrl):
        message = "one of SOURCE and TARGET is a directory here, the other one a URL such as ftp://me@host/path/"
        raise ConfigError(message)
    upload = isinstance(args.target, FtpUrl)
    url, local = (args.target, args.source) if upload else (args.source, args.target)
    result = finish(mirrored(args, url, local, _options(args), upload=upload, dry=args.dry_run))
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # names that are not UTF-8, as they are
    if args.json:
        told = report(result, source=str(args.source), target=str(args.target), dry=args.dry_run)
        print(json.dumps(told, indent=2))
    elif args.dry_run:
        for line in table(result.plan):
            print(line)
        print(planned(result.plan))
    else:
        print(achieved(result))
    for trouble in result.troubles:
        say(f"{trouble.path}: {trouble.why}")
    if result.kept:
        say(kept(result))
    return DONE if result.complete else FAILED


def _options(args: argparse.Namespace) -> Options:
    from fairlead.cli.patterns import only_included, wanted
    from fairlead.client.mirror.direction import Options, everything

    patterns = args.patterns or []
    return Options(
        delete=args.delete,
        newer=args.newer,
        wanted=wanted(patterns) if patterns else everything,
        prune=only_included(patterns),
        follow_links=args.follow_links,
        verify=args.verify,
        times=not args.no_times,
        in_place=args.in_place,
    )


def _place(text: str) -> FtpUrl | str:
    """An argument that is a URL, or a directory here."""
    return ftp_url(text) if "://" in text or is_bookmark(text) else text
