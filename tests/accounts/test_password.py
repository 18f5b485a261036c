from __future__ import annotations

import asyncio

import pytest

from fairlead.accounts.password import KeyedDigest


def matches(kept: KeyedDigest, password: str) -> bool:
    return asyncio.run(kept.matches(password, peer="192.0.2.1"))


@pytest.mark.parametrize("password", ["secret", "", "with spaces ", "-dash", "ünï", "\udcff\udc80"])
def test_a_keyed_digest_matches_its_password_alone(password: str) -> None:
    kept = KeyedDigest(password)

    assert matches(kept, password)
    assert not matches(kept, password + " ")
    assert not matches(kept, "other")


def test_a_keyed_digest_answers_without_suspending() -> None:
    with pytest.raises(StopIteration) as answered:
        KeyedDigest("secret").matches("secret", peer="192.0.2.1").send(None)

    assert answered.value.value is True


def test_two_digests_of_one_password_differ() -> None:
    assert KeyedDigest("secret")._digest != KeyedDigest("secret")._digest


def test_a_decoy_has_the_same_kind_and_matches_nothing() -> None:
    decoy = KeyedDigest("secret").decoy()

    assert decoy.kind == KeyedDigest.kind
    assert not matches(decoy, "secret")
    assert not matches(decoy, "")
