"""How fast data may go."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fairlead.client._face import likewise
from fairlead.client.rate import Rate
from fairlead.client.sync import Client
from tests.client.script import data, door, on, session, take

OCTETS = bytes(10_000)
TYPE_I = on("TYPE I", "200 ok")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
NO_SIZE = on("SIZE f", "550 no")


def test_download_is_held_to_the_rate() -> None:
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go", data(OCTETS), "226 done"), limit_rate=1000) as s:
        began = s.wire.time
        s.ftp.download("f", io.BytesIO())
        assert 9.5 < s.wire.time - began < 10.5


@pytest.mark.parametrize("in_memory", [True, False])
def test_upload_is_held_to_the_rate(tmp_path: Path, in_memory: bool) -> None:
    (tmp_path / "f").write_bytes(OCTETS)
    with session(TYPE_I, EPSV, on("STOR f", "150 go", take("226 done")), limit_rate=1000) as s:
        began = s.wire.time
        s.ftp.upload(io.BytesIO(OCTETS) if in_memory else tmp_path / "f", "f")
        assert 9.5 < s.wire.time - began < 10.5
    assert s.play.stored == OCTETS


def test_nothing_moves_in_large_pieces_at_a_low_rate() -> None:
    done: list[int] = []
    with session(TYPE_I, NO_SIZE, EPSV, on("RETR f", "150 go", data(OCTETS), "226 done"), limit_rate=1000) as s:
        s.ftp.download("f", io.BytesIO(), on_progress=lambda so_far, _total: done.append(so_far))
    assert done == list(range(100, 10_001, 100))


def test_transfers_that_share_a_rate_share_its_octets() -> None:
    shared = Rate(1000)
    assert [round(shared.take(100, 50.0), 6) for _ in range(4)] == [0, 0.1, 0.2, 0.3]
    assert shared.take(100, 60.0) == 0, "no debts after a rest"
    assert round(shared.take(1000, 60.0), 6) == 1, "and no savings"


def test_rate_is_that_of_all_sessions_of_a_client() -> None:
    rate = likewise(Client("host", limit_rate=500))["limit_rate"]
    assert isinstance(rate, Rate)
    assert Client("host", limit_rate=rate)._session.settings.limit_rate is rate


def test_no_rate_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no rate"):
        Client("host", limit_rate=0)
