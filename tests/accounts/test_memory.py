from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from fairlead.accounts.base import Account, Accounts, Right, Rule
from fairlead.accounts.hashed import Argon2Hash
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest, Password
from fairlead.errors import LoginRefused
from fairlead.storage.base import Storage

STORAGE = cast("Storage", object())
SECRET = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"


def authenticate(accounts: Accounts, user: str, password: str) -> Account:
    return asyncio.run(accounts.authenticate(user, password, peer="192.0.2.1"))


def test_named_users_read_and_write_only_when_told() -> None:
    readers = MemoryAccounts.sharing(STORAGE, {"alice": "secret"})
    writers = MemoryAccounts.sharing(STORAGE, {"alice": "secret"}, write=True)

    assert authenticate(readers, "alice", "secret").rights("/any/where") == Right.READER
    assert authenticate(writers, "alice", "secret").rights("/any/where") == Right.WRITER


@pytest.mark.parametrize(
    ("user", "password"),
    [("alice", ""), ("alice", "Secret"), ("Alice", "secret"), ("bob", "secret"), ("", ""), ("anonymous", "me@x")],
)
def test_every_refusal_reads_alike(user: str, password: str) -> None:
    accounts = MemoryAccounts.sharing(STORAGE, {"alice": "secret"})

    with pytest.raises(LoginRefused) as refused:
        authenticate(accounts, user, password)

    assert str(refused.value) == "Login incorrect."


@pytest.mark.parametrize("user", ["anonymous", "ftp", "ANONYMOUS", "Ftp"])
def test_anonymous_access_goes_by_both_names_in_any_case(user: str) -> None:
    accounts = MemoryAccounts.sharing(STORAGE, anonymous=True)

    assert accounts.anonymous(user)
    assert authenticate(accounts, user, "me@example.com").anonymous


@pytest.mark.req("S-1635-2")
@pytest.mark.parametrize("password", ["me@example.com", "guest", "", "-"])
def test_anonymous_access_takes_any_password(password: str) -> None:
    account = authenticate(MemoryAccounts.sharing(STORAGE, anonymous=True), "anonymous", password)

    assert account.rights("/") == Right.READER


@pytest.mark.req("S-1635-2")
def test_anonymous_access_can_demand_some_password() -> None:
    accounts = MemoryAccounts(anonymous=Account("anonymous", STORAGE, anonymous=True), anonymous_needs_password=True)

    assert authenticate(accounts, "anonymous", "guest").anonymous
    with pytest.raises(LoginRefused):
        authenticate(accounts, "anonymous", "")


@pytest.mark.parametrize("user", ["anonymous", "ftp"])
def test_anonymous_names_are_unknown_users_when_it_is_off(user: str) -> None:
    accounts = MemoryAccounts.sharing(STORAGE, {"alice": "secret"})

    assert not accounts.anonymous(user)
    with pytest.raises(LoginRefused):
        authenticate(accounts, user, "me@example.com")


def test_a_user_named_ftp_goes_before_anonymous_access() -> None:
    accounts = MemoryAccounts.sharing(STORAGE, {"ftp": "secret"}, anonymous=True)

    assert not accounts.anonymous("ftp")
    assert accounts.anonymous("FTP")
    with pytest.raises(LoginRefused):
        authenticate(accounts, "ftp", "me@example.com")


def test_accounts_can_be_looked_through() -> None:
    accounts = MemoryAccounts.sharing(STORAGE, {"alice": "a", "bob": "b"}, anonymous=True)

    assert [account.name for account in accounts] == ["alice", "bob", "anonymous"]
    assert not list(MemoryAccounts())


def test_a_user_given_twice_is_refused() -> None:
    user = User(Account("alice", STORAGE), KeyedDigest("a"))

    with pytest.raises(ValueError, match="'alice' is given twice"):
        MemoryAccounts([user, user])


def test_a_known_password_in_clear_is_checked_without_suspending() -> None:
    accounts = MemoryAccounts.sharing(STORAGE, {"alice": "secret"})

    with pytest.raises(StopIteration) as answered:
        accounts.authenticate("alice", "secret", peer="192.0.2.1").send(None)

    assert cast("Any", answered.value).value.name == "alice"


@pytest.mark.req("S-2577-USER-2")
def test_every_failed_login_compares_with_one_password_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    async def matches(self: Password, password: str, *, peer: str) -> bool:  # noqa: ARG001 - as the Protocol has it
        compared.append(self.kind)
        return False

    monkeypatch.setattr(Argon2Hash, "matches", matches)
    monkeypatch.setattr(KeyedDigest, "matches", matches)
    accounts = MemoryAccounts(
        [
            User(Account("clear", STORAGE), KeyedDigest("a")),
            User(Account("stored", STORAGE), Argon2Hash(SECRET)),
            User(Account("stored too", STORAGE), Argon2Hash(SECRET)),
            User(Account("dearer", STORAGE), Argon2Hash(SECRET.replace("t=1", "t=3"))),
        ]
    )
    costs = {}
    for user in ["clear", "stored", "stored too", "dearer", "unknown", "anonymous"]:
        compared.clear()
        with pytest.raises(LoginRefused):
            authenticate(accounts, user, "wrong")
        costs[user] = sorted(compared)

    assert len(costs["unknown"]) == 3
    assert all(cost == costs["unknown"] for cost in costs.values())


def test_account_information_is_compared() -> None:
    account = Account("alice", STORAGE, account_at="login")
    accounts = MemoryAccounts([User(account, KeyedDigest("secret"), KeyedDigest("payroll"))])

    def check(asked: Account, information: str) -> bool:
        return asyncio.run(accounts.check_account(asked, information))

    assert check(account, "payroll")
    assert not check(account, "Payroll")
    assert not check(Account("bob", STORAGE), "payroll")


def test_rules_give_each_tree_its_rights() -> None:
    account = Account(
        "alice", STORAGE, [Rule("/", Right.READER), Rule("/in", Right.CREATE), Rule("/in/done", Right.NONE)]
    )

    assert account.rights("/a") == Right.READER
    assert account.rights("/in") == Right.CREATE
    assert account.rights("/inner") == Right.READER
    assert account.rights("/in/done/x") == Right.NONE


@pytest.mark.parametrize(
    ("user", "names", "opens"),
    [
        ("alice", ("alice@example.com",), True),
        ("alice", ("someone", "alice@example.com"), True),
        ("alice", ("Alice@example.com",), False),
        ("alice", (), False),
        ("bob", ("alice@example.com",), False),
        ("bob", ("bob",), False),
        ("anonymous", ("alice@example.com",), False),
    ],
)
def test_a_certificate_opens_the_account_that_names_it(user: str, names: tuple[str, ...], opens: bool) -> None:
    accounts = MemoryAccounts(
        [
            User(Account("alice"), KeyedDigest("a"), certificates=["alice@example.com", "alice"]),
            User(Account("bob"), KeyedDigest("b")),
        ],
        anonymous=Account("anonymous"),
    )

    found = accounts.certified(user, names)

    assert (found is not None) == opens
    assert found is None or found.name == user
