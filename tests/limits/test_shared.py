from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.limits.shared import CELLS, Table, cells


def test_a_worker_writes_its_own_slots_and_reads_all() -> None:
    table = Table(3, workers=2)
    table.attach(0)
    table.put(1, 5)
    table.attach(1)
    table.put(1, 7)

    assert list(table.every(0)) == [0, 0]
    assert list(table.every(1)) == [5, 7]
    assert table.own(1) == 7


def test_the_successor_of_a_worker_begins_with_nothing_counted() -> None:
    table = Table(2, workers=2)
    for worker in (0, 1):
        table.attach(worker)
        table.put(0, 1.5)

    table.attach(0)

    assert list(table.every(0)) == [0.0, 1.5]


@pytest.mark.parametrize("worker", [-1, 2])
def test_there_is_no_worker_beyond_the_number_given(worker: int) -> None:
    with pytest.raises(ValueError, match="there is no worker"):
        Table(1, workers=2).attach(worker)


@given(st.text())
def test_a_source_always_has_the_same_two_different_cells(text: str) -> None:
    first, second = cells(text)

    assert cells(text) == (first, second)
    assert first != second
    assert 0 <= first < CELLS
    assert 0 <= second < CELLS
