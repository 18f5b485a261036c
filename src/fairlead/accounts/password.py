"""What is kept of a password, and its comparison.

Stored passwords are hashed (:mod:`fairlead.accounts.hashed`). One that was given in clear for this run only is kept as
a keyed digest: nothing is stored that would have to withstand guessing, so a login costs no hashing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Protocol


class Password(Protocol):
    """What is kept of a password."""

    @property
    def kind(self) -> str:
        """Names the cost: comparing with passwords of one kind takes the same time."""

    async def matches(self, password: str, *, peer: str) -> bool:
        """Whether ``password`` is the one that is kept; ``peer`` is the address that asks."""

    def decoy(self) -> Password:
        """A password of the same kind that nothing matches."""


class KeyedDigest:
    """A password given in clear, kept as a BLAKE2b digest under a key that only this process and its forks know."""

    __slots__ = ("_digest", "_key")

    kind = "keyed-digest"

    def __init__(self, password: str) -> None:
        self._key = os.urandom(32)
        self._digest = self._digest_of(password)

    async def matches(self, password: str, *, peer: str) -> bool:
        """Compare in constant time, without suspending."""
        return hmac.compare_digest(self._digest, self._digest_of(password))

    def decoy(self) -> KeyedDigest:
        """A digest of octets that no password can be."""
        return KeyedDigest(os.urandom(32).hex())

    def _digest_of(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode("utf-8", "surrogateescape"), key=self._key, digest_size=32).digest()
