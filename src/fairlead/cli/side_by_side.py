"""What ``mirror``, ``get`` and ``put`` do in several sessions at once."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from fairlead.cli.connection import settings_of, show
from fairlead.cli.ladder import of_one_session, tell_failure, trace_of
from fairlead.cli.options import PARALLEL
from fairlead.client.mirror.crew import Crew
from fairlead.client.mirror.run import Mirror
from fairlead.client.pool import Pool
from fairlead.errors import ConnectError, DeadlineError, FairleadError, SessionLost

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.client._flow import Progress
    from fairlead.client.aio import AsyncClient
    from fairlead.client.mirror.direction import Options
    from fairlead.client.mirror.run import Mirrored
    from fairlead.client.pool import PoolTrace
    from fairlead.client.sync import Client
    from fairlead.client.trace import Record, Trace
    from fairlead.proto.url import FtpUrl

Job = tuple[str, "Path"]
"""A file: what it is called on the server, and here."""
T = TypeVar("T")


@asynccontextmanager
async def pooled(args: argparse.Namespace, url: FtpUrl, directory: Sequence[str]) -> AsyncIterator[Pool]:
    """A pool of sessions in ``directory``, one of which has logged in. Raises ConnectError, LoginError, ConfigError."""
    async with _pool(args, url, directory) as pool:
        try:
            try:
                async with pool.client():
                    pass
            except (SessionLost, DeadlineError) as error:
                raise ConnectError(str(error)) from error
            yield pool
        except FairleadError as error:
            tell_failure(args, error)
            raise


@asynccontextmanager
async def _pool_with(args: argparse.Namespace, url: FtpUrl, client: Client) -> AsyncIterator[Pool]:
    """A pool that begins with the session of ``client``, in the directory of the login."""
    async with _pool(args, url, ()) as pool:
        pool.take_in(client)
        yield pool


def _pool(args: argparse.Namespace, url: FtpUrl, directory: Sequence[str]) -> Pool:
    place = url.replace(segments=tuple(directory))
    return Pool(place, size=args.parallel or PARALLEL, trace=_trace(args), **settings_of(args, url))


async def mirrored(
    args: argparse.Namespace, url: FtpUrl, local: str | Path, options: Options, *, upload: bool, dry: bool = False
) -> Mirrored:
    """Make ``local`` like the directory ``url``, or the other way round for ``upload``."""
    from fairlead.cli.mirror_progress import mirror_progress

    with mirror_progress(args) as listener:
        async with pooled(args, url, ()) as pool:
            parallel = args.parallel or PARALLEL
            mirror = Mirror(pool, url.path, local, options, upload=upload, parallel=parallel, listener=listener)
            return await mirror.run(dry=dry)


def tree(args: argparse.Namespace, url: FtpUrl, local: str | Path, done: list[dict[str, Any]], *, upload: bool) -> bool:
    """Copy all that a directory holds, and add it to ``done``; whether that succeeded.

    What did not is told on standard error. Files that are there already, with the size and the time of the original,
    are not copied again.
    """
    from fairlead.cli.failures import say
    from fairlead.cli.naming import of_tree
    from fairlead.client.mirror.direction import Options

    result = finish(mirrored(args, url, local, Options(verify=args.verify), upload=upload))
    done += of_tree(result, url.path, local)
    for trouble in result.troubles:
        say(f"{trouble.path}: {trouble.why}")
    return result.complete


def files(
    args: argparse.Namespace,
    url: FtpUrl,
    jobs: Sequence[Job],
    copy: Callable[[AsyncClient, Job, Progress | None], Awaitable[object]],
    *,
    sizes: Sequence[int | None],
    directory: Sequence[str] = (),
    client: Client | None = None,
) -> None:
    """``copy`` each of ``jobs``, which have these ``sizes``, several at once; the first failure ends it.

    The sessions are in ``directory``. The first of them is that of ``client``, which is in the directory of the login.
    """
    from fairlead.cli import progress

    async def work() -> None:
        with progress.files(args, sizes) as bars:

            async def one(ftp: AsyncClient, job: Job) -> None:
                with bars.bar(job[0]) as on_progress:
                    await copy(ftp, job, on_progress)

            sessions = pooled(args, url, directory) if client is None else _pool_with(args, url, client)
            async with sessions as pool:
                await Crew(pool, args.parallel or PARALLEL, one).work(jobs)

    finish(work())


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, on an event loop of its own: uvloop where it is installed, for it is quicker."""
    import asyncio

    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _trace(args: argparse.Namespace) -> PoolTrace | None:
    """Whoever is to hear of the dialogues: under ``--debug`` each line has the number of its session before it."""
    if not args.debug and not hasattr(args, "recorder"):
        return None
    traces: dict[int, Trace] = {}

    def heard(number: int, record: Record) -> None:
        if number not in traces:
            made = trace_of(of_one_session(args), lambda one: show(f"[{number}] {one}"))
            assert made is not None
            traces[number] = made
        traces[number](record)

    return heard
