"""Files from one server to another, at the orders of a client that moves none of the data (RFC 959 figure 3, FXP)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests.certificates import Pair, make
from tests.peers.fairlead import fairlead
from tests.peers.process import DEADLINE
from tests.peers.servers import PASSWORD, SERVERS, USER, Server, Tls, clear
from tests.server.secure import Secure, trusting

HERE, THERE, ELSEWHERE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""The servers' addresses; the client calls from 127.0.0.1, so each is a third party to the other's session."""
OTHERS = ("proftpd", "pureftpd", "vsftpd")
OCTETS = os.urandom(3_456_789)
IN_CLEAR = {"PASV": "PORT", "EPSV": "EPRT"}
CLIENT_OF_TLS = ("CPSV", "SSCN, PASV", "SSCN, EPSV")
"""How the passive server becomes the client of TLS on the data connection, and its address known."""

Login = Callable[..., Secure]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HERE, THERE, ELSEWHERE)


@contextmanager
def served(pair: Pair, host: str, *arguments: str) -> Iterator[Server]:
    certificate = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    with fairlead(*certificate, *arguments, hosts=(host,)) as own:
        yield own.at(host)


@pytest.fixture(scope="module")
def _two(pair: Pair) -> Iterator[tuple[Server, Server]]:
    with served(pair, HERE, "--allow-fxp") as one, served(pair, THERE, "--allow-fxp") as other:
        yield one, other


@pytest.fixture
def two(_two: tuple[Server, Server]) -> tuple[Server, Server]:
    """Two servers that serve third parties, their directories empty."""
    for server in _two:
        clear(server.root)
    return _two


@pytest.fixture(scope="module")
def another(pair: Pair) -> Iterator[Callable[[str, bool], Server]]:
    """Gives the server of others of a name, under TLS or not, which serves third parties, too."""
    running: dict[tuple[str, bool], Server] = {}
    with ExitStack() as stack:

        def named(name: str, protected: bool) -> Server:
            key = name, protected
            if key not in running:
                tls = Tls(pair, "1.2") if protected else None
                running[key] = stack.enter_context(SERVERS[name](ELSEWHERE, tls, third_parties=True))
            clear(running[key].root)
            return running[key]

        yield named


@pytest.fixture
def log_in(pair: Pair) -> Iterator[Login]:
    """Makes a control connection of a server, under TLS with data connections to match where a version is given."""
    with ExitStack() as stack:

        def connect(server: Server, version: str = "", user: str = USER) -> Secure:
            control = Secure(
                socket.create_connection((server.host, server.port), DEADLINE, ("127.0.0.1", 0)),
                trusting(pair.certificate, version or "1.3"),
                server.host,
            )
            stack.enter_context(control)
            assert control.read().code == 220
            if version:
                assert control.ask("AUTH TLS").code == 234
                control.begin_tls()
            assert control.codes(f"USER {user}", f"PASS {PASSWORD}", "TYPE I") == [331, 230, 200]
            if version:
                control.protect()
            return control

        yield connect


def introduce(passive: Secure, active: Secure, how: str) -> None:
    """Let the passive server listen, and tell the active one where; ``how`` is as in ``IN_CLEAR`` or CLIENT_OF_TLS."""
    *sscn, command = how.split(", ")
    if sscn:
        assert passive.ask("SSCN ON").code == 200
    text = passive.ask(command).text
    if command == "EPSV":
        host = passive.socket.getpeername()[0]
        assert active.ask(f"EPRT |1|{host}|{text.split('|')[3]}|").code == 200
    else:
        assert active.ask(f"PORT {text.split('(')[1].split(')')[0]}").code == 200


def put(server: Server, name: str, octets: bytes = OCTETS) -> None:
    """A file in the directory of ``server``, which belongs to whom the server works as."""
    path = server.root / name
    path.write_bytes(octets)
    owner = server.root.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def exchange(passive: Secure, active: Secure, *, sends: bool) -> None:
    """Move ``source`` of one to ``target`` of the other; ``sends`` says whether the passive server has it."""
    passive.send("RETR source" if sends else "STOR target")
    active.send("STOR target" if sends else "RETR source")
    for control in (passive, active):
        first, last = control.read(), control.read()
        assert first.code in {125, 150}, first
        assert last.code == 226, last


def move(passive: Server, active: Server, log_in: Login, how: str, version: str, *, sends: bool) -> None:
    """Move three files between the servers, and look at them; under ``version`` of TLS if there is one."""
    source, target = (passive, active) if sends else (active, passive)
    one, other = log_in(passive, version), log_in(active, version)
    for octets in (OCTETS, b"", OCTETS[::-1]):
        put(source, "source", octets)
        introduce(one, other, how)
        exchange(one, other, sends=sends)
        assert (target.root / "target").read_bytes() == octets


WAYS = [(how, "") for how in IN_CLEAR] + [(how, version) for how in CLIENT_OF_TLS for version in ("1.2", "1.3")]
BOTH_WAYS = pytest.mark.parametrize("sends", [True, False], ids=["passive sends", "passive receives"])


@pytest.mark.req("S-2577-PORT-3", "S-2577-PASV-3", "S-2577-EPRT-5", "S-4217-FXP-1")
@pytest.mark.parametrize(("how", "version"), WAYS)
@BOTH_WAYS
def test_a_file_goes_from_one_of_ours_to_another(
    two: tuple[Server, Server], log_in: Login, how: str, version: str, sends: bool
) -> None:
    move(*two, log_in, how, version, sends=sends)


@pytest.mark.req("S-4217-FXP-1")
@BOTH_WAYS
def test_the_active_server_can_be_the_client_of_tls(two: tuple[Server, Server], log_in: Login, sends: bool) -> None:
    source, target = two if sends else two[::-1]
    put(source, "source")
    passive, active = (log_in(server, "1.3") for server in two)
    assert active.ask("SSCN ON").code == 200
    introduce(passive, active, "PASV")
    exchange(passive, active, sends=sends)
    assert (target.root / "target").read_bytes() == OCTETS


@pytest.mark.req("S-4217-FXP-1")
@BOTH_WAYS
def test_a_file_goes_on_where_it_ended(two: tuple[Server, Server], log_in: Login, sends: bool) -> None:
    source, target = two if sends else two[::-1]
    put(source, "source")
    put(target, "target", OCTETS[:1_000_000])
    passive, active = (log_in(server, "1.3") for server in two)
    introduce(passive, active, "CPSV")
    assert [control.ask("REST 1000000").code for control in (passive, active)] == [350, 350]
    exchange(passive, active, sends=sends)
    assert (target.root / "target").read_bytes() == OCTETS


@pytest.mark.req("S-4217-FXP-1", "S-959-ABOR-1")
def test_an_abort_on_either_side_ends_it_on_both(two: tuple[Server, Server], log_in: Login) -> None:
    source, _ = two
    with (source.root / "source").open("wb") as file:
        file.truncate(1 << 40)
    passive, active = (log_in(server, "1.3") for server in two)
    for stopped, other in ((passive, active), (active, passive)):
        introduce(passive, active, "CPSV")
        passive.send("RETR source")
        active.send("STOR target")
        assert [control.read().code for control in (passive, active)] == [150, 150]
        while ": 0 octets so far" in active.ask("STAT").text:
            pass
        assert stopped.ask("ABOR").code == 426
        assert stopped.read().code == 226
        assert other.read().code == 426
        assert [control.ask("NOOP").code for control in (passive, active)] == [200, 200]


@pytest.mark.req("S-2577-PORT-3", "S-2577-EPRT-5", "S-4217-FXP-1")
def test_who_serves_no_third_parties_calls_none(two: tuple[Server, Server], pair: Pair, log_in: Login) -> None:
    other, _ = two
    with served(pair, ELSEWHERE) as careful:
        plain, protected, friend = log_in(careful), log_in(careful, "1.3"), log_in(other)
        fields = friend.ask("PASV").text.split("(")[1].split(")")[0]
        high, low = map(int, fields.split(",")[-2:])
        for control in (plain, protected):
            assert control.codes(f"PORT {fields}", f"EPRT |1|{other.host}|{high * 256 + low}|") == [504, 504]
        assert protected.codes("CPSV", "SSCN ON") == [504, 504]


@pytest.mark.req("S-2577-PASV-3")
def test_who_serves_no_third_parties_lets_none_in(two: tuple[Server, Server], pair: Pair, log_in: Login) -> None:
    other, _ = two
    with served(pair, ELSEWHERE) as careful:
        put(careful, "source", b"for the client alone")
        passive, active = log_in(careful), log_in(other)
        introduce(passive, active, "PASV")
        active.send("STOR target")
        passive.send("RETR source")
        assert active.read_codes(2) == [150, 226]
        assert (other.root / "target").read_bytes() == b""
        assert passive.read().code == 150
        passive.send("ABOR")
        assert passive.read_codes(2) == [426, 226]


@pytest.mark.req("S-2577-PORT-3", "S-2577-PASV-3", "S-4217-FXP-1")
@pytest.mark.parametrize(("how", "version"), [("PASV", ""), ("EPSV", ""), ("CPSV", "1.3")])
def test_one_account_can_have_third_parties_and_the_others_not(
    two: tuple[Server, Server], pair: Pair, log_in: Login, tmp_path: Path, how: str, version: str
) -> None:
    other, _ = two
    settings = tmp_path / "fairlead.toml"
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    settings.write_text(f'[[users]]\nname = "trusted"\npassword = "{password}"\nwrite = true\nallow_fxp = true\n')
    with served(pair, ELSEWHERE, "--config", str(settings)) as choosy:
        assert log_in(choosy, version).ask("PORT 127,0,0,2,200,1").code == 504
        put(other, "source")
        passive, active = log_in(choosy, version, "trusted"), log_in(other, version)
        introduce(passive, active, how)
        exchange(passive, active, sends=False)
        assert (choosy.root / "target").read_bytes() == OCTETS


@pytest.mark.req("S-2577-PORT-3", "S-2577-PASV-3", "S-2577-EPRT-5")
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("ours", ["passive", "active"])
@pytest.mark.parametrize("how", IN_CLEAR)
@BOTH_WAYS
def test_a_file_goes_between_ours_and_one_of_others(
    two: tuple[Server, Server],
    another: Callable[[str, bool], Server],
    log_in: Login,
    name: str,
    ours: str,
    how: str,
    sends: bool,
) -> None:
    servers = two[0], another(name, False)
    passive, active = servers if ours == "passive" else servers[::-1]
    move(passive, active, log_in, how, "", sends=sends)


@pytest.mark.req("S-4217-FXP-1", "S-4217-DATA-3")
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("how", CLIENT_OF_TLS)
@BOTH_WAYS
def test_a_file_goes_between_ours_and_one_of_others_under_tls(
    two: tuple[Server, Server],
    another: Callable[[str, bool], Server],
    log_in: Login,
    name: str,
    how: str,
    sends: bool,
) -> None:
    move(two[0], another(name, True), log_in, how, "1.2", sends=sends)
