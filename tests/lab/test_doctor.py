"""``fairlead doctor`` names the cause that stands behind what each mode meets, in topologies listed and composed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.compose import compose
from lab.laboratory import Lab
from lab.matrix import Row, Task, ask_doctor, misdiagnoses
from lab.servers import Protection, Unavailable, served
from lab.topologies import TOPOLOGIES

pytestmark = pytest.mark.usefixtures("laboratory")

BOTH = (Protection.CLEAR, Protection.REQUIRED)


def _examined(task: Task) -> Row:
    row = Row(task)
    try:
        with Lab(task.topology) as lab, served(lab, task.server, task.protection) as server:
            ask_doctor(row, lab, server)
    except Unavailable as reason:
        row.skipped = str(reason)
    return row


def _wrong(todo: Sequence[Task]) -> list[str]:
    """What is said otherwise than it is; examined side by side, since most of it is waiting."""
    with ThreadPoolExecutor(len(todo)) as threads:
        rows = [row for row in threads.map(_examined, todo) if not row.skipped]
    return [text for row in rows for text in misdiagnoses(row)]


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_each_mode_gets_its_cause(name: str) -> None:
    others = ("vsftpd", "proftpd")
    number = list(TOPOLOGIES).index(name)
    todo = [Task(TOPOLOGIES[name], "fairlead", protection) for protection in BOTH]
    todo.append(Task(TOPOLOGIES[name], others[number % 2], BOTH[number // 2 % 2]))
    assert _wrong(todo) == []


@pytest.mark.parametrize("name", ["client-nat-helper", "server-firewall-helper"])
def test_a_helper_that_tls_blinds_is_told_where_both_can_be_compared(name: str) -> None:
    assert _wrong([Task(TOPOLOGIES[name], "fairlead", Protection.OFFERED)]) == []


@pytest.mark.parametrize("number", range(3))
def test_topologies_composed_at_random_are_diagnosed_as_well(number: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    todo = [Task(compose(seed + part), "fairlead", BOTH[(number + part) % 2]) for part in range(3)]
    assert _wrong(todo) == [], f"python -m lab matrix --compose 3 --seed {seed}"
