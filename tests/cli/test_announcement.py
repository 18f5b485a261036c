from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.cli.announcement import announce, for_people
from fairlead.config.build import Built
from fairlead.server.hosts import Host
from fairlead.server.settings import Announce, Certificate, Settings, TlsSettings
from fairlead.storage.local import LocalStorage
from tests.certificates import make

ALL = [("0.0.0.0", 21), ("::", 21)]


def lines(
    tmp_path: Path,
    addresses: list[tuple[str, int]],
    settings: Settings | None = None,
    accounts: MemoryAccounts | None = None,
) -> list[str]:
    storage = LocalStorage(tmp_path)
    built = Built(settings or Settings(), storage, accounts or MemoryAccounts.sharing(anonymous=True), (storage,))
    return list(for_people(addresses, str(tmp_path), built))


def test_a_server_for_this_machine_only_says_how_to_let_others_in(tmp_path: Path) -> None:
    assert lines(tmp_path, [("127.0.0.1", 2121), ("::1", 2121)])[2:] == [
        "only this machine can connect; to let others in: --listen '[::]:2121'"
    ]


def test_virtual_hosts_are_named(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    accounts = MemoryAccounts.sharing(anonymous=True)
    hosts = (
        Host(("a.example", "www.a.example"), storage, accounts, ""),
        Host(("b.example",), storage, accounts, "", available=False),
    )
    built = Built(Settings(), storage, accounts, (storage,), hosts)
    assert list(for_people(ALL, str(tmp_path), built))[1] == "virtual hosts: a.example, b.example (not available)"


def test_a_server_for_others_says_what_a_firewall_must_let_in(tmp_path: Path) -> None:
    assert lines(tmp_path, [("127.0.0.1", 2121), ("192.0.2.1", 21)])[2:] == [
        "a firewall must let in TCP 21, 2121 and 61000-65535, and out calls from 20, 2120 (active mode)"
    ]


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        (Settings(active_source_port=0), ", and out calls from any port (active mode)"),
        (Settings(active_source_port=2020), ", and out calls from 2020 (active mode)"),
        (Settings(active=False), ""),
    ],
)
def test_active_mode_calls_from_the_port_that_is_set(tmp_path: Path, settings: Settings, end: str) -> None:
    assert lines(tmp_path, ALL, settings)[2] == f"a firewall must let in TCP 21 and 61000-65535{end}"


def test_the_announced_addresses_are_named_and_a_private_one_is_pointed_out(tmp_path: Path) -> None:
    settings = Settings(
        passive_ports=range(50000, 50100),
        announce=[Announce("", "127.0.0.0/8"), Announce("10.0.0.5", "10.0.0.0/8"), Announce("192.168.1.2")],
    )

    said = lines(tmp_path, ALL, settings)

    assert said[1] == (
        "passive ports 50000-50099, announced as the address they call to 127.0.0.0/8, 10.0.0.5 to 10.0.0.0/8,"
        " 192.168.1.2"
    )
    assert said[3] == (
        "192.168.1.2 is a private address: clients beyond a NAT need --public-address with the one outside"
    )


def test_a_public_name_needs_no_remark(tmp_path: Path) -> None:
    settings = Settings(announce=[Announce("ftp.example.com")])

    assert len(lines(tmp_path, ALL, settings)) == 3


def test_who_may_do_what_is_said_as_long_as_they_are_few(tmp_path: Path) -> None:
    few = MemoryAccounts(
        [
            User(Account("alice", rules=[Rule("/", Right.WRITER)]), KeyedDigest("a")),
            User(Account("bob"), KeyedDigest("b")),
        ],
        anonymous=Account("anonymous"),
    )
    many = MemoryAccounts.sharing(users={f"user{number}": "x" for number in range(5)})

    assert lines(tmp_path, ALL, accounts=few)[0] == (
        f"serving {tmp_path}: alice reads and writes, bob reads, anonymous reads"
    )
    assert lines(tmp_path, ALL, accounts=many)[0] == f"serving {tmp_path}: 5 accounts"
    assert lines(tmp_path, ALL, accounts=MemoryAccounts())[0] == (
        f"serving {tmp_path}: nobody may log in; give --user NAME:PASSWORD or --anonymous"
    )


def test_listeners_of_implicit_tls_are_told_from_those_in_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(tls=TlsSettings(implicit=[("::1", 990)]))
    storage = LocalStorage(tmp_path)
    built = Built(settings, storage, MemoryAccounts(), (storage,))

    announce([("127.0.0.1", 21), ("::1", 990)], str(tmp_path), built)

    assert capsys.readouterr().out.splitlines()[:2] == [
        "listening on ftp://127.0.0.1:21",
        "listening on ftps://[::1]:990",
    ]


@pytest.mark.parametrize(("required", "word"), [(True, "required"), (False, "on request")])
def test_the_certificate_is_shown_for_comparison(tmp_path: Path, required: bool, word: str) -> None:
    pair = make(tmp_path, "server")
    settings = Settings(tls=TlsSettings([Certificate(str(pair.certificate), str(pair.key))], required=required))

    digest = pair.body.fingerprint(hashes.SHA256()).hex(":").upper()
    assert lines(tmp_path, ALL, settings)[2] == f"TLS {word} with {pair.certificate}, SHA-256 {digest}"
