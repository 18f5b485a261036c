"""Auto mode: what it tries beside and after what, how long it waits, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.reactive import CLOSED, SILENT, World
from tests.client.script import HOST6

NO_ACTIVE = {"EPRT": "501 not to there", "PORT": "501 not to there"}


@pytest.mark.parametrize(
    "surroundings",
    [
        {},
        {"then": SILENT},
        {"then": CLOSED},
        {"calls": SILENT},
        {"ports": [SILENT]},
        {"ports": [CLOSED]},
        {"ports": [SILENT] * 2, "calls": SILENT},
        {"ports": [SILENT] * 5, "calls": SILENT},
        {"ports": [SILENT] * 6, "refusals": NO_ACTIVE},
        {"ports": [CLOSED] * 9, "refusals": NO_ACTIVE},
        {"ports": [CLOSED, SILENT] * 3, "calls": CLOSED},
        {"then": SILENT, "refusals": {"EPRT": "500 what?"}},
        {"then": SILENT, "refusals": {"EPSV": "500 what?", "EPRT": "500 what?"}},
        {"refusals": {"EPSV": "500 what?", "PASV": "502 what?"}},
        {"then": SILENT, "sessions": 1},
        {"ports": [SILENT] * 3, "sessions": 1, "calls": SILENT},
        {"then": SILENT, "host": HOST6},
        {"then": CLOSED, "host": HOST6},
        {"ports": [SILENT] * 4, "host": HOST6, "calls": SILENT},
        {"then": SILENT, "list_reply": "550 you may not"},
        {"then": SILENT, "delay": 0.1},
    ],
)
def test_listing_arrives_within_three_seconds_where_any_mode_can_work(surroundings: dict[str, Any]) -> None:
    world = World(**surroundings)
    with world.client() as ftp:
        assert world.list(ftp) < 3
        assert world.list(ftp) < 0.3 + 1.6
        assert ftp.pwd() == "/"
