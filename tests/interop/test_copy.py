"""Copies from server to server at our client's orders: between ours, and between ours and those of others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Pair, make
from tests.peers.fairlead import fairlead
from tests.peers.servers import SERVERS, Server, Tls, clear

HERE, THERE, ELSEWHERE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
OTHERS = ("proftpd", "pureftpd", "vsftpd")
OCTETS = os.urandom(3_456_789)
Connect = Callable[..., Any]
Named = Callable[..., Server]
pytestmark = pytest.mark.req("C-FXP-1")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HERE, THERE, ELSEWHERE, "::1")


@pytest.fixture(scope="module")
def served(pair: Pair) -> Iterator[Named]:
    """Gives the server of a name at an address, its directory empty; it serves third parties unless told otherwise."""
    running: dict[tuple[object, ...], Server] = {}
    certificate = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with ExitStack() as stack:

        def server(name: str, host: str, *, tls: bool = False, third_parties: bool = True) -> Server:
            key = name, host, tls, third_parties
            if key not in running and name == "fairlead":
                allowed = ("--allow-fxp",) if third_parties else ()
                running[key] = stack.enter_context(fairlead(*certificate, *allowed, hosts=(host,))).at(host)
            elif key not in running:
                chosen = {"third_parties": True} if third_parties else {}
                running[key] = stack.enter_context(SERVERS[name](host, Tls(pair, "1.2") if tls else None, **chosen))
            clear(running[key].root)
            return running[key]

        yield server


def put(server: Server, name: str, octets: bytes = OCTETS) -> None:
    """A file in the directory of ``server``, which belongs to whom the server works as."""
    path = server.root / name
    path.write_bytes(octets)
    owner = server.root.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def copied(connect: Connect, source: Server, target: Server, **options: Any) -> Any:
    """Copy three files, the last of which replaces the first; returns how that one went."""
    login = {"user": source.user, "password": source.password}
    results: list[Any] = []
    with connect(source.url, **login, **options) as one, connect(target.url, **login, **options) as other:
        one.mkdir("sub")
        one.cwd("sub")
        for octets in (OCTETS, b"", OCTETS[::-1]):
            put(source, "a b", octets)
            results.append(one.copy("../a b", other, "c d"))
            assert (target.root / "c d").read_bytes() == octets
            assert results[-1].size == len(octets)
        assert (one.pwd(), other.pwd()) == ("/sub", "/")
    return results[-1]


@pytest.mark.parametrize("tls", ["off", "require"])
def test_between_two_of_ours(connect: Connect, served: Named, pair: Pair, tls: str) -> None:
    servers = served("fairlead", HERE), served("fairlead", THERE)
    result = copied(connect, *servers, tls=tls, ca=pair.certificate)
    assert (result.mode, result.detour) == ("PASV, PORT" if tls == "off" else "CPSV, PORT", "")


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("tls", ["off", "require"])
@pytest.mark.parametrize("ours", ["source", "target"])
def test_between_ours_and_those_of_others(
    connect: Connect, served: Named, pair: Pair, name: str, tls: str, ours: str
) -> None:
    servers = served("fairlead", HERE), served(name, ELSEWHERE, tls=tls == "require")
    if ours == "target":
        servers = servers[::-1]
    assert copied(connect, *servers, tls=tls, ca=pair.certificate).detour == ""


def test_over_ipv6(connect: Connect) -> None:
    with fairlead("--allow-fxp", hosts=("::1",)) as one, fairlead("--allow-fxp", hosts=("::1",)) as other:
        assert copied(connect, one.at("::1"), other.at("::1"), tls="off").mode == "EPSV, EPRT"


def test_server_that_calls_before_it_is_told_to_store(connect: Connect, served: Named) -> None:
    """pyftpdlib drops what comes meanwhile, and then waits for it; the other way round nothing is lost."""
    source, target = (served(name, "127.0.0.1", third_parties=False) for name in ("fairlead", "pyftpdlib"))
    put(source, "f", b"octets")
    login = {"user": source.user, "password": source.password, "tls": "off"}
    with connect(source.url, **login) as one, connect(target.url, **login) as other:
        assert one.copy("f", other, "g").detour == ""
    assert (target.root / "g").read_bytes() == b"octets"


def test_file_that_is_not_there(connect: Connect, served: Named, tmp_path: Path) -> None:
    source, target = served("fairlead", HERE), served("fairlead", THERE)
    put(target, "there", b"kept")
    login = {"user": source.user, "password": source.password, "tls": "off"}
    with connect(source.url, **login) as one, connect(target.url, **login) as other:
        with pytest.raises(Exception, match=r"RETR none.*550"):
            one.copy("none", other, "there")
        assert other.download("there", tmp_path).size == 4
    assert (target.root / "there").read_bytes() == b"kept"
