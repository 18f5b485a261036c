"""Stored passwords: argon2id hashes (RFC 9106), compared in a few threads of their own."""

from __future__ import annotations

import asyncio
import os
import re
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_ARGON2 = (
    r"(?P<parameters>\$argon2(?:id|i|d)\$v=(?:16|19)\$m=(?P<memory>\d{1,9}),t=(?P<time>\d{1,6}),p=(?P<lanes>\d{1,4}))"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<hash>[A-Za-z0-9+/]{16,172})"
)


class Argon2Hash:
    """An encoded argon2 hash, such as ``$argon2id$v=19$m=19456,t=2,p=1$…$…``; raises ValueError for any other text.

    Comparing hashes in threads of its own, no more than half the processor's cores and one password for each address at
    a time: neither transfers nor logins from elsewhere starve when one address tries many passwords at once.
    """

    __slots__ = ("_encoded", "kind")

    def __init__(self, encoded: str) -> None:
        match = re.fullmatch(_ARGON2, encoded)
        if match is None or not (_canonical(match["salt"]) and _canonical(match["hash"])):
            raise ValueError("it is no argon2 hash such as $argon2id$v=19$m=19456,t=2,p=1$…$…")
        if not 8 <= 8 * int(match["lanes"]) <= int(match["memory"]) or not int(match["time"]):
            raise ValueError("its argon2 parameters are impossible (t and p are at least 1, m at least 8 times p)")
        self._encoded = encoded
        self.kind = f"{match['parameters']} {len(match['salt'])} {len(match['hash'])}"

    async def matches(self, password: str, *, peer: str) -> bool:
        """Hash in a thread and compare."""
        turn = _turns.get(peer)
        if turn is None:
            turn = _turns[peer] = _Turn()
        turn.waiting += 1
        try:
            async with turn.lock:
                return await asyncio.get_running_loop().run_in_executor(_threads(), self._verify, password)
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del _turns[peer]

    def decoy(self) -> Argon2Hash:
        """A hash of the same parameters and lengths, made of random octets."""
        _, variant, version, parameters, salt, digest = self._encoded.split("$")
        return Argon2Hash("$".join(("", variant, version, parameters, _random(len(salt)), _random(len(digest)))))

    def _verify(self, password: str) -> bool:
        from argon2 import PasswordHasher  # noqa: PLC0415 - imported when the first hash is met
        from argon2.exceptions import VerificationError  # noqa: PLC0415

        try:
            return PasswordHasher().verify(self._encoded, password.encode("utf-8", "surrogateescape"))
        except VerificationError:
            return False


class _Turn:
    """An address's right to have one password hashed, and how many of its logins want it."""

    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


_turns: dict[str, _Turn] = {}


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2), "password")


os.register_at_fork(after_in_child=_threads.cache_clear)


def _random(length: int) -> str:
    return b64encode(os.urandom(length * 6 // 8)).decode().rstrip("=")


def _canonical(text: str) -> bool:
    """Whether ``text`` is unpadded base 64 as an encoder writes it."""
    return len(text) % 4 != 1 and b64encode(b64decode(text + "=" * (-len(text) % 4))).decode().rstrip("=") == text


def hash_password(password: str) -> str:
    """The argon2id hash of ``password``, made to cost some 25 ms.

    The parameters, 19 MiB and two passes in one lane, are the least that OWASP's password storage page accepts:
    programs that speak FTP log in often, and each login takes this time and memory again.
    """
    from argon2 import PasswordHasher  # noqa: PLC0415 - the command that makes a hash is alone in needing it

    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    return hasher.hash(password.encode("utf-8", "surrogateescape"))
