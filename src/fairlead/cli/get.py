"""``fairlead get``: fetch files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead.cli.bookmarks import is_bookmark
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
    pattern_url,
    refuse_text,
)
from fairlead.proto.url import FtpUrl

if TYPE_CHECKING:
    from fairlead.cli.progress import Files
    from fairlead.cli.side_by_side import Job
    from fairlead.client._flow import Progress
    from fairlead.client._local import Writable
    from fairlead.client.aio import AsyncClient
    from fairlead.client.sync import Client

Done = list[dict[str, Any]]
"""What went over, for ``--json``."""
_EXAMPLES = """\
examples:
  fairlead get ftp://ftp.example.com/pub/big.iso
  fairlead get -o isos/ 'ftp://ftp.example.com/pub/*.iso'
  fairlead get -r --parallel 8 ftp://ftp.example.com/pub/docs/
  fairlead get --resume -o isos/ ftp://me@ftp.example.com/big.iso
  fairlead get --json --verify ftp://me@ftp.example.com/report.pdf | jq '.[].verified'
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "get", _EXAMPLES)
    parser.add_argument(
        "urls",
        nargs="+",
        type=_source,
        metavar="URL",
        help="the file, as ftp://[user@]host/path; *, ? and [a-z] match names, %%2A is a star that is one",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to put it: a file, a directory, or - for standard output; the default is its own name, here",
    )
    add_recursive_option(parser)
    add_parallel_option(
        parser,
        None,
        "use up to N sessions at once: for several files, or for parts of a long one; without it "
        f"{PARALLEL} for directories and for {MANY} files or more, else one",
    )
    add_resume_option(parser)
    add_fidelity_options(parser)
    add_json_option(parser)
    talk(parser, _get)


def _source(text: str) -> FtpUrl:
    if "://" not in text and not is_bookmark(text):
        message = f"{text!r} is no URL, write ftp://[user@]host/path; -o FILE names the file here"
        raise argparse.ArgumentTypeError(message)
    return pattern_url(text)


def _get(args: argparse.Namespace) -> int:
    """Fetch each URL in turn."""
    from fairlead.cli.failures import DONE, FAILED
    from fairlead.cli.naming import told
    from fairlead.errors import ConfigError
    from fairlead.proto.path import is_pattern

    several = len(args.urls) > 1 or any(is_pattern(url.path) for url in args.urls)
    if several and args.output not in {None, "-"} and not Path(args.output).is_dir():
        message = f"{args.output} is no directory, and several files cannot go into one; make the directory first"
        raise ConfigError(message)
    if args.recursive and args.output == "-":
        message = "directories cannot go to standard output; name a directory, or leave --recursive out"
        raise ConfigError(message)
    if args.json and args.output == "-":
        message = "--json and -o - would both go to standard output; leave one of them out"
        raise ConfigError(message)
    for url in args.urls:
        if url.directory and not args.recursive:
            message = f"{url} names a directory; name a file, or add --recursive to fetch all that it holds"
            raise ConfigError(message)
    with told(args) as done:
        incomplete = [url for url in args.urls if not _fetch(args, url, done)]
    return FAILED if incomplete else DONE


def _fetch(args: argparse.Namespace, url: FtpUrl, done: Done) -> bool:
    """Fetch what ``url`` names, and add it to ``done``; whether all of it is here."""
    from fairlead.cli.connection import connected
    from fairlead.cli.progress import files
    from fairlead.proto.path import is_pattern

    if is_pattern(url.path):
        return _fetch_matching(args, url, done)
    if args.recursive and (url.directory or _is_directory(args, url)):
        return _fetch_tree(args, url, _target(args.output, url) if url.path else Path(args.output or "."), done)
    *directory, name = url.segments
    target = sys.stdout.buffer if args.output == "-" else _target(args.output, url)
    if not _fetch_in_parts(args, url, directory, name, target, done):
        with connected(args, url, directory) as client, files(args, [None]) as bars:
            done.append(_receive(args, client, url, name, target, bars, directory))
    return True


def _fetch_in_parts(
    args: argparse.Namespace, url: FtpUrl, directory: Sequence[str], name: str, target: Path | Writable, done: Done
) -> bool:
    """Fetch one file in several sessions where that was asked for and pays; whether it did."""
    if (args.parallel or 1) == 1 or not isinstance(target, Path) or as_text(args, url):
        return False
    from fairlead.cli.naming import of_file
    from fairlead.cli.progress import progress
    from fairlead.cli.side_by_side import finish, pooled
    from fairlead.client.segments.fetch import fetch_from

    async def fetched() -> bool:
        with progress(args, name) as on_progress:
            async with pooled(args, url, directory) as pool:
                result = await fetch_from(
                    pool,
                    name,
                    target,
                    parallel=args.parallel,
                    resume=args.resume,
                    verify=args.verify,
                    times=args.times,
                    on_progress=on_progress,
                )
        done.extend(of_file(one, target, directory) for one in [result] if one is not None)
        return result is not None

    return finish(fetched())


def _is_directory(args: argparse.Namespace, url: FtpUrl) -> bool:
    from fairlead.cli.connection import connected

    with connected(args, url, ()) as client:
        return client.is_dir(url.path)


def _fetch_matching(args: argparse.Namespace, url: FtpUrl, done: Done) -> bool:
    """Fetch what ``url`` matches; the names, which the server made up, lead nowhere else."""
    from fairlead.cli import progress
    from fairlead.cli.connection import connected
    from fairlead.cli.naming import matching, side_by_side
    from fairlead.client.names import inside
    from fairlead.proto.entry import Kind

    with connected(args, url, ()) as client:
        found = [(entry, inside(args.output or ".", entry.name.rpartition("/")[2])) for entry in matching(client, url)]
        files = [(entry, target) for entry, target in found if entry.kind not in {Kind.DIRECTORY, Kind.OTHER}]
        jobs = [(entry.name, target) for entry, target in files]
        sizes = [entry.size if entry.kind is Kind.FILE else None for entry, _ in files]
        if args.output != "-" and side_by_side(args, [str(target) for _, target in jobs]):
            _fetch_side_by_side(args, url, jobs, sizes, client, done)
        else:
            with progress.files(args, sizes) as bars:
                for name, target in jobs:
                    place = sys.stdout.buffer if args.output == "-" else target
                    done.append(_receive(args, client, url, name, place, bars))
    trees = [(entry.name, target) for entry, target in found if entry.kind is Kind.DIRECTORY and args.recursive]
    incomplete = [
        target for path, target in trees if not _fetch_tree(args, url.replace(segments=(path,)), target, done)
    ]
    return not incomplete


def _fetch_side_by_side(
    args: argparse.Namespace, url: FtpUrl, jobs: list[Job], sizes: list[int | None], client: Client, done: Done
) -> None:
    from fairlead.cli.naming import of_file
    from fairlead.cli.side_by_side import files
    from fairlead.client._face import session_of

    exact = session_of(client).machine_listings and args.retries != 0  # what is wrong by now, another attempt asks for
    expected = {name: size for (name, _), size in zip(jobs, sizes, strict=True) if exact}

    async def fetch(ftp: AsyncClient, job: Job, on_progress: Progress | None) -> None:
        remote, local = job
        result = await ftp.download(
            remote,
            local,
            **_how(args, url),
            resume=args.resume,
            times=args.times,
            expected=expected.get(remote),
            on_progress=on_progress,
        )
        done.append(of_file(result, local))

    files(args, url, jobs, fetch, sizes=sizes, client=client)


def _fetch_tree(args: argparse.Namespace, url: FtpUrl, target: Path, done: Done) -> bool:
    from fairlead.cli.side_by_side import tree

    refuse_text(url)
    return tree(args, url, target, done, upload=False)


def _receive(
    args: argparse.Namespace,
    client: Client,
    url: FtpUrl,
    name: str,
    target: Path | Writable,
    bars: Files,
    directory: Sequence[str] = (),
) -> dict[str, Any]:
    from fairlead.cli.naming import of_file

    with bars.bar(name) as on_progress:
        named = isinstance(target, Path)
        result = client.download(
            name,
            target,
            **_how(args, url),
            resume=args.resume and named,
            times=args.times and named,
            on_progress=on_progress,
        )
    return of_file(result, target if isinstance(target, Path) else "-", directory)


def _how(args: argparse.Namespace, url: FtpUrl) -> dict[str, bool]:
    return {"text": as_text(args, url), "verify": args.verify}


def _target(output: str | None, url: FtpUrl) -> Path:
    """Where the file goes; its own name never leads out of the directory (it may hold an encoded ``/``)."""
    from fairlead.errors import ConfigError

    place = Path(output or ".")
    if output is not None and not place.is_dir():
        if output.endswith("/") or not place.parent.is_dir():
            message = f"there is no directory for {output}; make it first"
            raise ConfigError(message)
        return place
    name = url.segments[-1].rpartition("/")[2]
    if name in {"", ".", ".."}:
        message = f"{url} gives the file no name here; choose one with -o"
        raise ConfigError(message)
    return place / name
