"""``fairlead put``: store files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import (
    MANY,
    PARALLEL,
    add_fidelity_options,
    add_json_option,
    add_parallel_option,
    add_recursive_option,
    add_resume_option,
    as_text,
    ftp_url,
    refuse_text,
)

if TYPE_CHECKING:
    from fairlead.cli.side_by_side import Job
    from fairlead.client._flow import Progress
    from fairlead.client.aio import AsyncClient
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead put report.pdf ftp://me@ftp.example.com/inbox/
  fairlead put report.pdf ftp://me@ftp.example.com/inbox/2024.pdf
  fairlead put -r site/ ftp://me@www.example.com/htdocs/
  tar cz docs | fairlead put - ftp://me@ftp.example.com/docs.tar.gz
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "put", _EXAMPLES)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="the local file, or directory with -r; - for standard input"
    )
    parser.add_argument(
        "url", type=ftp_url, metavar="URL", help="where to put it; a directory ends with /, ftp://[user@]host/path/"
    )
    add_recursive_option(parser)
    add_parallel_option(
        parser,
        None,
        f"store up to N files at once, each in a session of its own; without it {PARALLEL} of a directory and of "
        f"{MANY} files or more, else one",
    )
    add_resume_option(parser)
    add_fidelity_options(parser)
    add_json_option(parser)
    talk(parser, _put)


def _put(args: argparse.Namespace) -> int:
    """Store each file: few in turn and one session, many side by side."""
    from fairlead.cli.connection import connected
    from fairlead.cli.failures import DONE, FAILED
    from fairlead.cli.naming import of_file, side_by_side, told
    from fairlead.cli.progress import files

    url: FtpUrl = args.url
    trees = [file for file in args.files if args.recursive and Path(file).is_dir()]
    _check(args.files, url, trees)
    jobs = list(_jobs([file for file in args.files if file not in trees], url))
    directory = url.segments if url.directory else url.segments[:-1]
    with told(args) as done:
        if side_by_side(args, [name for _, name in jobs]):
            named = [(name, source) for source, name in jobs if isinstance(source, Path)]
            _store_side_by_side(args, url, directory, named, done)
        elif jobs:
            sizes = [source.stat().st_size if isinstance(source, Path) else None for source, _ in jobs]
            with connected(args, url, directory) as client, files(args, sizes) as bars:
                for source, name in jobs:
                    with bars.bar(name) as on_progress:
                        resume = args.resume and isinstance(source, Path)
                        result = client.upload(source, name, **_how(args, url), resume=resume, on_progress=on_progress)
                    done.append(of_file(result, source if isinstance(source, Path) else "-", directory))
        incomplete = [tree for tree in trees if not _store_tree(args, url, Path(tree), done)]
    return FAILED if incomplete else DONE


def _how(args: argparse.Namespace, url: FtpUrl) -> dict[str, bool]:
    return {"text": as_text(args, url), "verify": args.verify, "times": args.times}


def _store_side_by_side(
    args: argparse.Namespace, url: FtpUrl, directory: Sequence[str], jobs: list[Job], done: list[dict[str, Any]]
) -> None:
    from fairlead.cli.naming import of_file
    from fairlead.cli.side_by_side import files

    async def store(ftp: AsyncClient, job: Job, on_progress: Progress | None) -> None:
        remote, local = job
        result = await ftp.upload(local, remote, **_how(args, url), resume=args.resume, on_progress=on_progress)
        done.append(of_file(result, local, directory))

    files(args, url, jobs, store, sizes=[local.stat().st_size for _, local in jobs], directory=directory)


def _store_tree(args: argparse.Namespace, url: FtpUrl, local: Path, done: list[dict[str, Any]]) -> bool:
    """Store a directory under its own name; whether all of it is there."""
    from fairlead.cli.side_by_side import tree

    refuse_text(url)
    return tree(args, url.replace(segments=(*url.segments, local.resolve().name)), local, done, upload=True)


def _check(files: list[str], url: FtpUrl, trees: list[str]) -> None:
    """Raises ConfigError where what is to be stored does not fit the URL."""
    from fairlead.errors import ConfigError

    if len(files) > 1 and not url.directory:
        message = f"several files cannot go into one; end {url} with / if it is a directory"
        raise ConfigError(message)
    if trees and not url.directory:
        message = f"{trees[0]} goes into a directory, under its own name; end {url} with /"
        raise ConfigError(message)


def _jobs(files: list[str], url: FtpUrl) -> Iterator[tuple[Path | BinaryIO, str]]:
    """Each file with its name on the server. Raises ConfigError where it can have none, OSError where there is none."""
    from fairlead.errors import ConfigError

    for file in files:
        if file == "-":
            if url.directory:
                message = "standard input has no name; name the file in the URL"
                raise ConfigError(message)
            yield sys.stdin.buffer, url.segments[-1]
            continue
        path = Path(file)
        if path.is_dir():
            message = f"{file} is a directory; --recursive stores it with all that it holds"
            raise ConfigError(message)
        path.stat()
        yield path, path.name if url.directory else url.segments[-1]
