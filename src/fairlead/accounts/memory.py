"""Accounts held in memory: the users that a command line, a configuration file or a program names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.password import KeyedDigest, Password
from fairlead.errors import LoginRefused
from fairlead.record import Record
from fairlead.storage.base import Storage

ANONYMOUS_NAMES = frozenset({"anonymous", "ftp"})
"""The names of anonymous access (RFC 1635), compared without regard to case."""


class User(Record):
    """An account and what opens it."""

    account: Account
    password: Password
    information: Password | None = None
    """What ACCT must carry, where the account asks for it."""
    certificates: Sequence[str] = ()
    """Names in a client's certificate that open the account without the password."""


class MemoryAccounts:
    """A directory of users, and of anonymous access when an account for it is given.

    A login that fails takes one comparison of each kind of password that any user has, whoever was asked for, so
    that its time tells nothing about which names exist (RFC 2577 section 7).
    """

    def __init__(
        self, users: Iterable[User] = (), *, anonymous: Account | None = None, anonymous_needs_password: bool = False
    ) -> None:
        self._users: dict[str, User] = {}
        for user in users:
            if user.account.name in self._users:
                raise ValueError(f"the user {user.account.name!r} is given twice")
            self._users[user.account.name] = user
        self._anonymous = anonymous
        self._anonymous_needs_password = anonymous_needs_password
        kinds: dict[str, Password] = {KeyedDigest.kind: KeyedDigest("")}
        for user in self._users.values():
            kinds.setdefault(user.password.kind, user.password)
        self._decoys = [password.decoy() for password in kinds.values()]

    @classmethod
    def sharing(
        cls,
        storage: Storage | None = None,
        users: Mapping[str, str] | None = None,
        *,
        write: bool = False,
        anonymous: bool = False,
    ) -> MemoryAccounts:
        """Accounts that all see ``storage``, or where it is None the server's own.

        ``users`` maps names to passwords in clear, ``write`` lets them change files; anonymous users read only.
        """
        rules = (Rule("/", Right.WRITER if write else Right.READER),)
        return cls(
            [User(Account(name, storage, rules), KeyedDigest(password)) for name, password in (users or {}).items()],
            anonymous=Account("anonymous", storage, anonymous=True) if anonymous else None,
        )

    def __iter__(self) -> Iterator[Account]:
        """All accounts, that of anonymous access last."""
        yield from (user.account for user in self._users.values())
        if self._anonymous is not None:
            yield self._anonymous

    def anonymous(self, user: str) -> bool:
        """Whether ``user`` asks for anonymous access and it is on; a user who bears such a name goes before."""
        return self._anonymous is not None and user.lower() in ANONYMOUS_NAMES and user not in self._users

    async def authenticate(self, user: str, password: str, *, peer: str) -> Account:
        """The account of ``user``, see :meth:`fairlead.accounts.base.Accounts.authenticate`. Raises LoginRefused."""
        known = self._users.get(user)
        if known is None:
            if self._anonymous is not None and user.lower() in ANONYMOUS_NAMES:
                if not password and self._anonymous_needs_password:
                    raise LoginRefused("Login incorrect.")
                return self._anonymous
        elif await known.password.matches(password, peer=peer):
            return known.account
        for decoy in self._decoys:
            if known is None or decoy.kind != known.password.kind:
                await decoy.matches(password, peer=peer)
        raise LoginRefused("Login incorrect.")

    def certified(self, user: str, names: Sequence[str]) -> Account | None:
        """The account of ``user``, see :meth:`fairlead.accounts.base.Accounts.certified`."""
        known = self._users.get(user)
        return known.account if known is not None and not set(names).isdisjoint(known.certificates) else None

    async def check_account(self, account: Account, information: str) -> bool:
        """Whether ``information`` is what ACCT must carry for ``account`` (RFC 959 section 4.1.1)."""
        user = self._users.get(account.name)
        if user is None or user.information is None:
            return False
        return await user.information.matches(information, peer=f"ACCT {account.name}")
