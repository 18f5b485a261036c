from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from fairlead.accounts import hashed
from fairlead.accounts.hashed import Argon2Hash, hash_password

SECRET = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"
"""The hash of "secret", with the smallest parameters there are."""


def matches(kept: Argon2Hash, password: str) -> bool:
    return asyncio.run(kept.matches(password, peer="192.0.2.1"))


def test_an_argon2_hash_matches_its_password_alone() -> None:
    kept = Argon2Hash(SECRET)

    assert matches(kept, "secret")
    assert not matches(kept, "Secret")
    assert not matches(kept, "")


def test_a_made_hash_is_argon2id_and_matches() -> None:
    encoded = hash_password("pässword")

    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches(Argon2Hash(encoded), "pässword")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "$6$rounds=5000$salt$hash",
        SECRET + "\n",
        SECRET[:-8],
        SECRET.replace("argon2id", "argon2x"),
        SECRET.replace("m=8", "m=7"),
        SECRET.replace("t=1", "t=0"),
        SECRET.replace("p=1", "p=0"),
        SECRET[:-1] + "x",  # bits that no octet takes up
    ],
)
def test_what_is_no_argon2_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="argon2"):
        Argon2Hash(text)


def test_kinds_differ_with_the_parameters() -> None:
    assert Argon2Hash(SECRET).kind != Argon2Hash(SECRET.replace("t=1", "t=2")).kind


def test_one_address_has_one_password_hashed_at_a_time_and_others_do_not_wait_for_it() -> None:
    begun, crowd = threading.Event(), threading.Semaphore(0)
    started: list[str] = []

    class Slow(Argon2Hash):
        __slots__ = ()

        def _verify(self, password: str) -> bool:
            started.append(password)
            begun.set()
            if password.startswith("flood"):
                assert crowd.acquire(timeout=30)
            return super()._verify(password)

    async def scenario() -> None:
        kept = Slow(SECRET)
        flood = [asyncio.create_task(kept.matches(f"flood {n}", peer="192.0.2.1")) for n in range(5)]
        assert await asyncio.to_thread(begun.wait, 30)
        good = asyncio.create_task(kept.matches("secret", peer="192.0.2.2"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        crowd.release(5)
        assert await good
        assert not any(await asyncio.gather(*flood))

    asyncio.run(scenario())

    assert started[1] == "secret"
    assert hashed._turns == {}


def test_a_login_given_up_frees_its_turn() -> None:
    async def scenario() -> None:
        kept = Argon2Hash(SECRET)
        first = asyncio.create_task(kept.matches("a", peer="192.0.2.1"))
        second = asyncio.create_task(kept.matches("b", peer="192.0.2.1"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert await kept.matches("secret", peer="192.0.2.1")

    asyncio.run(scenario())

    assert hashed._turns == {}


def test_argon2_is_imported_only_when_a_hash_is_compared() -> None:
    program = (
        "import sys; from fairlead.accounts.hashed import Argon2Hash;"
        f"Argon2Hash({SECRET!r}); assert 'argon2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_a_decoy_has_the_same_kind_and_matches_nothing() -> None:
    kept = Argon2Hash(SECRET)
    decoy = kept.decoy()

    assert decoy.kind == kept.kind
    assert not matches(decoy, "secret")
    assert not matches(decoy, "")
