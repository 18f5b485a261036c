"""``fairlead put``: store files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fairlead.cli.ladder import add_ladder_option
from fairlead.cli.options import add_fidelity_options, add_resume_option, add_session_options, as_text, ftp_url

if TYPE_CHECKING:
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead put report.pdf ftp://me@ftp.example.com/inbox/
  fairlead put report.pdf ftp://me@ftp.example.com/inbox/2024.pdf
  tar cz docs | fairlead put - ftp://me@ftp.example.com/docs.tar.gz
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "put", help="store files", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="the local file; - for standard input")
    parser.add_argument(
        "url", type=ftp_url, metavar="URL", help="where to put it; a directory ends with /, ftp://[user@]host/path/"
    )
    add_resume_option(parser)
    add_fidelity_options(parser)
    add_session_options(parser)
    add_ladder_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Store each file in turn, all in one session."""
    from fairlead.cli.failures import guarded
    from fairlead.cli.ladder import recorded

    return guarded(args, recorded(_put))


def _put(args: argparse.Namespace) -> int:
    from fairlead.cli.connection import connected
    from fairlead.cli.progress import progress

    url: FtpUrl = args.url
    jobs = list(_jobs(args.files, url))
    with connected(args, url, url.segments if url.directory else url.segments[:-1]) as client:
        for source, name in jobs:
            with progress(args, name) as on_progress:
                resume = args.resume and isinstance(source, Path)
                client.upload(
                    source,
                    name,
                    resume=resume,
                    text=as_text(args, url),
                    verify=args.verify,
                    times=args.times,
                    on_progress=on_progress,
                )
    return 0


def _jobs(files: list[str], url: FtpUrl) -> Iterator[tuple[Path | BinaryIO, str]]:
    """Each file with its name on the server. Raises ConfigError where it can have none, OSError where there is none."""
    from fairlead.errors import ConfigError

    if len(files) > 1 and not url.directory:
        message = f"several files cannot go into one; end {url} with / if it is a directory"
        raise ConfigError(message)
    for file in files:
        if file == "-":
            if url.directory:
                message = "standard input has no name; name the file in the URL"
                raise ConfigError(message)
            yield sys.stdin.buffer, url.segments[-1]
            continue
        path = Path(file)
        if path.is_dir():
            message = f"{file} is a directory; put takes files"
            raise ConfigError(message)
        path.stat()
        yield path, path.name if url.directory else url.segments[-1]
