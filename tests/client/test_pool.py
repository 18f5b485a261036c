"""A pool of sessions: its limits, who has which session, and that nobody waits for himself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fairlead.client._face import session_of
from fairlead.client.aio import AsyncClient
from fairlead.client.pool import Pool
from fairlead.client.sync import Client
from fairlead.client.trace import CommandSent, Record
from fairlead.errors import CertificateError, ConnectError, LoginError, SessionLost
from tests.certificates import make
from tests.client.limited import DEADLINE, Limited, limited
from tests.client.secure import server_context
from tests.peers.embedded import Embedded

T = TypeVar("T")


def play(server: Limited, scene: Callable[[Pool], Awaitable[None]], **options: Any) -> None:
    """Run ``scene`` with a pool of ``server``, within a deadline."""

    async def main() -> None:
        async with asyncio.timeout(DEADLINE), limited(server):
            settings: dict[str, Any] = {"password": "secret", "tls": "off", "size": 4} | options
            async with Pool(server.url, **settings) as pool:
                await scene(pool)
            await server.gone(0)

    asyncio.run(main())


def stranger(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task of its own, which the one that starts it has lent nothing to."""
    return asyncio.create_task(work, context=Context())


async def all_at_once(pool: Pool, count: int, *, meet: int) -> set[int]:
    """``count`` users, each of whom keeps his session until ``meet`` have one; the sessions they had."""
    seen: set[int] = set()
    met = asyncio.Event()
    inside = 0

    async def use() -> None:
        nonlocal inside
        async with pool.client() as ftp:
            inside += 1
            seen.add(id(ftp))
            if inside >= meet:
                met.set()
            await met.wait()
            await ftp.size("f")

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(use())
    return seen


def test_users_work_side_by_side_in_no_more_sessions_than_the_size() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        assert len(await all_at_once(pool, 10, meet=4)) == 4
        assert pool.sessions == 4

    play(server, scene)
    assert (server.most, server.logins, len(server.commands("SIZE"))) == (4, 4, 10)
    assert len(server.commands("QUIT")) == 4


def test_idle_session_serves_again_before_another_is_made() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        for _ in range(3):
            async with pool.client() as ftp:
                await ftp.size("f")

    play(server, scene)
    assert server.logins == 1


@pytest.mark.parametrize(
    "server",
    [
        Limited(limit=2),
        Limited(limit=2, refuses_with="421 too many"),
        Limited(limit=2, refuses_with="430 too many"),
        Limited(limit=2, greets_with="421 too many"),
        Limited(limit=2, greets_with="500 too many"),
        Limited(limit=2, hangs_up=True),
    ],
)
def test_limit_is_learned_from_the_refusal_and_kept(server: Limited) -> None:
    async def scene(pool: Pool) -> None:
        while pool.limit > 2:
            await all_at_once(pool, 8, meet=2)
        await asyncio.gather(*pool._opening)
        refused = server.refused
        await all_at_once(pool, 8, meet=2)
        assert server.refused == refused

    play(server, scene)
    assert server.most == 2


def test_refused_attempts_that_stood_in_each_others_way_do_not_lower_the_limit() -> None:
    """Pure-FTPd counts those that it is about to refuse, so that of many at once none may pass."""
    server = Limited(limit=3, counts_refused=True)

    async def scene(pool: Pool) -> None:
        while pool.limit > 3:
            await all_at_once(pool, 12, meet=3)
        assert pool.limit == 3

    play(server, scene, size=8)


def test_first_login_is_made_alone_so_that_a_wrong_password_is_tried_once() -> None:
    server = Limited()

    asked = 0

    def ask() -> str:
        nonlocal asked
        asked += 1
        return "wrong" if asked == 1 else "secret"

    async def scene(pool: Pool) -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await all_at_once(pool, 5, meet=5)
        assert isinstance(caught.value.exceptions[0], LoginError)
        assert (asked, server.logins) == (1, 1)
        await all_at_once(pool, 4, meet=4)
        assert asked == 2

    play(server, scene, password=ask)
    assert server.logins == 5


def test_holder_that_asks_again_is_lent_its_own_session_where_there_is_no_other() -> None:
    server = Limited(limit=1)

    async def scene(pool: Pool) -> None:
        async with pool.client() as outer:
            await outer.cwd("a")
            async with pool.client() as inner, pool.metadata() as third:
                assert inner is outer
                assert third is outer
                assert await inner.pwd() == "/"
                await inner.cwd("b")
            assert await outer.pwd() == "/a"
        async with pool.client() as ftp:
            assert await ftp.pwd() == "/"

    play(server, scene)
    assert server.logins == 3, "one more was tried, and once more alone"


def test_every_holder_may_ask_again_at_the_same_time() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        all_hold = asyncio.Barrier(2)

        async def greedy() -> None:
            async with pool.client() as outer:
                await all_hold.wait()
                async with pool.client() as inner:
                    assert inner is outer
                    await all_hold.wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(greedy())
            group.create_task(greedy())

    play(server, scene, size=2)


def test_tasks_of_a_holder_take_turns_in_its_session() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async def child() -> None:
            async with pool.client() as ftp:
                assert await ftp.size("f") == 5
                await asyncio.sleep(0)
                assert await ftp.size("f") == 5

        async with pool.client(), asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(child())

    play(server, scene, size=1)
    assert len(server.commands("SIZE")) == 6


def test_task_that_outlives_its_holder_keeps_the_session_to_itself() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        lent, go_on = asyncio.Event(), asyncio.Event()

        async def child() -> None:
            async with pool.client() as ftp:
                lent.set()
                await go_on.wait()
                await ftp.size("f")

        async with pool.client():
            task = asyncio.create_task(child())
            await lent.wait()
        stranger = asyncio.create_task(all_at_once(pool, 1, meet=1))
        await asyncio.sleep(0)
        assert not stranger.done()
        go_on.set()
        await task
        await stranger

    play(server, scene, size=1)


def test_holder_in_the_middle_of_something_is_told_so_instead_of_waiting() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client() as ftp:
            session_of(ftp).busy = True
            with pytest.raises(RuntimeError, match="no further session"):
                async with pool.client():
                    pass
            session_of(ftp).busy = False
            async with pool.client() as again:
                assert again is ftp

    play(server, scene, size=1)


def test_metadata_has_a_session_that_transfers_never_take() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.metadata() as ftp:
            kept = ftp
        async with pool.client() as one, pool.client() as two, pool.client() as three:
            assert kept not in {one, two, three}
            async with pool.metadata() as ftp:
                assert ftp is kept

    play(server, scene)
    assert server.logins == 4


def test_metadata_goes_before_transfers_when_a_session_is_free() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        order = []

        async def use(what: str) -> None:
            async with pool.metadata() if what == "metadata" else pool.client():
                order.append(what)

        async with pool.client(), pool.client():
            pass
        tasks = []

        async def occupy(ready: asyncio.Barrier, leave: asyncio.Event) -> None:
            async with pool.client():
                await ready.wait()
                await leave.wait()

        ready, leave = asyncio.Barrier(3), asyncio.Event()
        tasks += [asyncio.create_task(occupy(ready, leave)) for _ in range(2)]
        await ready.wait()
        tasks += [asyncio.create_task(use(what)) for what in ("client", "client", "metadata")]
        await asyncio.sleep(0)
        leave.set()
        await asyncio.gather(*tasks)
        assert order[0] == "metadata"

    play(server, scene, size=2)


def test_single_session_serves_metadata_and_transfers() -> None:
    server = Limited(limit=1)

    async def scene(pool: Pool) -> None:
        async def listing() -> None:
            async with pool.metadata() as ftp:
                await ftp.size("f")

        async with pool.metadata():
            pass
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(listing())
            group.create_task(all_at_once(pool, 5, meet=1))
        assert pool.limit == 1

    play(server, scene)
    assert (server.most, len(server.commands("SIZE"))) == (1, 10)


def test_lost_session_is_replaced() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client() as ftp:
            server.cut(1)
            with pytest.raises(SessionLost):
                await ftp.size("f")
        async with pool.client() as ftp:
            assert await ftp.size("f") == 5
        assert pool.sessions == 1

    play(server, scene, size=1)
    assert server.logins == 2


def test_session_that_the_server_ended_while_idle_is_not_handed_out() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client() as ftp:
            pass
        server.writers[1].write(b"421 idle for too long\r\n")
        server.cut(1)
        await server.gone(0)
        async with pool.client() as other:
            assert other is not ftp
            await other.size("f")

    play(server, scene, size=1)


def test_session_of_another_user_is_not_handed_out() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client() as ftp:
            await ftp.command("USER", "somebody else")
        async with pool.client() as other:
            assert other is not ftp

    play(server, scene, size=1)
    assert server.logins == 2


@pytest.mark.parametrize("tells", [True, False])
def test_directory_of_one_user_is_not_that_of_the_next(tells: bool) -> None:
    server = Limited(tells_directory=tells)

    async def scene(pool: Pool) -> None:
        async with pool.client() as ftp:
            await ftp.cwd("deep")
        async with pool.client() as ftp:
            await ftp.size("f")

    play(server, scene, size=1)
    if tells:
        assert server.heard[-4:] == ["1 CWD /", "1 TYPE I", "1 SIZE f", "1 QUIT"]
    else:
        assert server.commands("SIZE") == ["2 SIZE f"]


def test_what_was_under_tls_once_is_never_in_clear(tmp_path: Path) -> None:
    server = Limited(tls=server_context(make(tmp_path, "server", "127.0.0.1"), ssl.TLSVersion.TLSv1_3))

    async def scene(pool: Pool) -> None:
        async with pool.client():
            server.tls = None
            waiting = stranger(all_at_once(pool, 1, meet=1))
            await server.until("AUTH", 2)
            await server.gone(1)
        await waiting

    play(server, scene, tls="auto", insecure=True)
    assert (server.commands("AUTH"), len(server.commands("USER"))) == (["1 AUTH TLS", "2 AUTH TLS"], 1)
    assert server.commands("SIZE") == ["1 SIZE f"]


def test_certificate_of_a_further_session_that_is_not_trusted_is_an_error(tmp_path: Path) -> None:
    pairs = [make(tmp_path, name, "127.0.0.1") for name in ("one", "two")]
    contexts = [server_context(pair, ssl.TLSVersion.TLSv1_3) for pair in pairs]
    server = Limited(tls=contexts[0])

    async def scene(pool: Pool) -> None:
        async with pool.client():
            server.tls = contexts[1]
            with pytest.raises(ExceptionGroup) as caught:
                await stranger(all_at_once(pool, 1, meet=1))
            assert isinstance(caught.value.exceptions[0], CertificateError)

    play(server, scene, tls="require", ca=pairs[0].certificate)


def test_server_that_answers_no_further_call_is_served_by_what_stands() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.metadata() as kept:
            assert server.listening is not None
            server.listening.close()
        async with pool.client() as ftp:
            assert ftp is kept
        assert pool.limit == 4

    play(server, scene)
    assert server.logins == 1


def test_cancelled_user_gives_the_session_back() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async def hold() -> None:
            async with pool.client():
                held.set()
                await asyncio.Event().wait()

        held = asyncio.Event()
        holder = asyncio.create_task(hold())
        await held.wait()
        waiting = asyncio.create_task(all_at_once(pool, 1, meet=1))
        await asyncio.sleep(0)
        waiting.cancel()
        holder.cancel()
        await asyncio.gather(waiting, holder, return_exceptions=True)
        await all_at_once(pool, 1, meet=1)

    play(server, scene, size=1)
    assert server.logins == 1


def test_session_that_reaches_a_cancelled_user_goes_to_the_next() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client():
            task = stranger(all_at_once(pool, 1, meet=1))
            await asyncio.sleep(0)
        task.cancel()  # in the turn in which the session was given to it
        await asyncio.gather(task, return_exceptions=True)
        await all_at_once(pool, 1, meet=1)

    play(server, scene, size=1)


def test_idle_sessions_are_kept_alive() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client():
            pass
        await server.until("NOOP", 3)
        async with pool.client() as ftp:
            await ftp.size("f")

    play(server, scene, size=1, keep_alive=0.01)  # of more, another would be opened while the answer is on its way
    assert server.logins == 1


def test_closing_ends_those_who_wait_and_those_who_use() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client():
            waiting = stranger(use(pool))
            await asyncio.sleep(0)
            await pool.close()
            with pytest.raises(SessionLost, match="closed"):
                await waiting
        with pytest.raises(SessionLost, match="closed"):
            await use(pool)
        assert pool.sessions == 0

    async def use(pool: Pool) -> None:
        async with pool.client():
            pass

    play(server, scene, size=1)


def test_session_of_a_blocking_client_is_taken_in() -> None:
    server = Limited()
    asked: list[str] = []

    def ask() -> str:
        asked.append("password")
        return "secret"

    async def scene(pool: Pool) -> None:
        giver = Client(server.url, password=ask, tls="off")
        await asyncio.to_thread(giver.__enter__)
        await asyncio.to_thread(giver.cwd, "a")
        pool.take_in(giver)
        assert not giver.connected
        giver.close()
        async with pool.client() as ftp:
            assert await ftp.pwd() == "/"
        assert len(await all_at_once(pool, 5, meet=2)) == 2

    play(server, scene, size=2, password=ask)
    assert asked == ["password"]
    assert server.most == 2


def test_session_that_never_began_or_is_busy_is_not_taken_in() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        with pytest.raises(SessionLost):
            pool.take_in(AsyncClient(server.url))
        async with AsyncClient(server.url, password="secret", tls="off") as giver:
            session_of(giver).claim()
            with pytest.raises(RuntimeError, match="in the middle of another operation"):
                pool.take_in(giver)
            session_of(giver).busy = False
            assert giver.connected
        assert pool.sessions == 0

    play(server, scene)


def test_trace_tells_the_sessions_apart() -> None:
    server = Limited()

    records: list[tuple[int, Record]] = []

    async def scene(pool: Pool) -> None:
        await all_at_once(pool, 2, meet=2)

    play(server, scene, trace=lambda number, record: records.append((number, record)))
    asked = {number for number, record in records if isinstance(record, CommandSent) and record.text == "SIZE f"}
    assert asked == {1, 2}


def test_pool_without_sessions_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Pool("host", size=0)


def test_server_that_is_not_there_is_the_error_of_everybody_who_waits() -> None:
    async def main() -> None:
        async with limited() as server:
            port = server.port
        pool = Pool(f"ftp://me@127.0.0.1:{port}", password="secret", tls="off")
        failures = await asyncio.gather(*(all_at_once(pool, 1, meet=1) for _ in range(3)), return_exceptions=True)
        assert [type(failure.exceptions[0]) for failure in failures if isinstance(failure, ExceptionGroup)] == [
            ConnectError
        ] * 3
        await pool.close()

    asyncio.run(main())


def test_clients_of_a_pool_are_ordinary_ones() -> None:
    server = Limited()

    async def scene(pool: Pool) -> None:
        async with pool.client() as ftp:
            assert isinstance(ftp, AsyncClient)

    play(server, scene)


def test_session_with_an_open_file_goes_to_nobody_else(served: Embedded) -> None:
    (served.root / "f").write_bytes(bytes(1_000_000))

    async def main() -> None:
        async with asyncio.timeout(DEADLINE), Pool(served.url, size=1) as pool:
            async with pool.client() as ftp:
                file = await ftp.open("f", "rb")
                assert await file.read(1) == b"\0"
            async with pool.client() as other:
                assert other is not ftp
                assert await other.pwd() == "/"
            with pytest.raises(SessionLost):
                await file.read()

    asyncio.run(main())
