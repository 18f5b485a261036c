"""The doctor against real servers on loopback, where every mode works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairlead.client._wires.asyncio import AsyncioWire
from fairlead.client.settings import Settings
from fairlead.doctor.examine import Examination, examine
from fairlead.doctor.plan import Plan
from fairlead.doctor.report import document, exit_code, server_product
from fairlead.errors import ConfigError
from fairlead.reach.cause import Cause
from tests.certificates import Pair, make
from tests.peers.fairlead import fairlead
from tests.peers.servers import PASSWORD, SERVERS, USER, Server, Tls

HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[..., Server]]:
    """Starts a server of others, which goes on until the module is done."""
    with ExitStack() as stack:
        yield lambda name, tls=None: stack.enter_context(SERVERS[name](HERE, tls) if tls else SERVERS[name](HERE))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HERE)


def examined(server: Server, *, user: str | None = USER, settings: Settings | None = None) -> Examination:
    plan = Plan(
        host=server.host,
        port=server.port,
        user=user,
        password=PASSWORD if user else None,
        settings=settings or Settings(),
    )

    async def go() -> Examination:
        return await examine(AsyncioWire(), plan)

    return asyncio.run(go())


def told(found: Examination) -> dict[tuple[str, bool], Cause]:
    return {(probe.seen.mode, probe.seen.private): probe.cause for probe in found.probes}


@pytest.mark.parametrize("name", list(SERVERS))
def test_every_mode_of_a_server_works_on_loopback(started: Callable[..., Server], name: str) -> None:
    found = examined(started(name))

    assert set(told(found).values()) <= {Cause.OK, Cause.NOT_SUPPORTED}, document(found)
    assert exit_code(found) == 0
    assert server_product(found) == name.replace("pureftpd", "pure-ftpd")


@pytest.mark.parametrize("name", list(SERVERS))
def test_a_server_that_asks_for_tls_is_examined_under_it(started: Callable[..., Server], name: str, pair: Pair) -> None:
    found = examined(started(name, Tls(pair, "1.3")), settings=Settings(ca=pair.certificate))

    hidden = {mode: cause for (mode, private), cause in told(found).items() if private}
    clear = {cause for (_, private), cause in told(found).items() if not private}
    assert set(hidden.values()) <= {Cause.OK, Cause.NOT_SUPPORTED}, document(found)
    assert len(hidden) == 4
    assert clear <= {Cause.TLS_REQUIRED}
    assert exit_code(found) == 0


def test_our_own_server_in_both_protections(pair: Pair) -> None:
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with fairlead(*tls, hosts=(HERE,), users=False) as own:
        found = examined(own.at(HERE), user=None, settings=Settings(ca=pair.certificate))

    assert set(told(found).values()) == {Cause.OK}
    assert len(found.probes) == 8
    control = document(found)["control"]
    assert control["resumption"] is True
    assert control["tls"]["certificate_accepted"] is True
    assert control["client_seen_as"] == HERE


def test_an_unknown_certificate_is_a_finding_and_the_rest_is_examined_all_the_same(pair: Pair) -> None:
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with fairlead(*tls, hosts=(HERE,), users=False) as own:
        found = examined(own.at(HERE), user=None)

    hidden = {cause for (_, private), cause in told(found).items() if private}
    clear = {cause for (_, private), cause in told(found).items() if not private}
    assert (hidden, clear) == ({Cause.CERTIFICATE_INVALID}, {Cause.OK})
    assert exit_code(found) == 1


def test_no_password_goes_over_a_connection_that_cannot_be_verified(pair: Pair) -> None:
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with fairlead(*tls, hosts=(HERE,)) as own:
        found = examined(own.at(HERE))

        assert [look.cause for look in found.looks] == [Cause.CERTIFICATE_INVALID]
        assert exit_code(found) == 3
        assert own.records("login") == []


def test_no_password_goes_in_clear_where_tls_is_offered(pair: Pair) -> None:
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with fairlead(*tls, hosts=(HERE,)) as own:
        found = examined(own.at(HERE), settings=Settings(ca=pair.certificate))

    assert {private for _, private in told(found)} == {True}
    assert set(told(found).values()) == {Cause.OK}


def test_a_file_of_no_certificates_is_a_sentence(tmp_path: Path, pair: Pair) -> None:
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with (
        fairlead(*tls, hosts=(HERE,), users=False) as own,
        pytest.raises(ConfigError, match="authority"),
    ):
        examined(own.at(HERE), user=None, settings=Settings(ca=tmp_path / "none.pem"))
