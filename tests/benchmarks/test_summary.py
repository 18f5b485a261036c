from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.measure import Sample
from benchmarks.rows import Better, Row, rows
from benchmarks.servers import SERVERS, Family, Server
from benchmarks.summary import Rival, advantage, ahead_of, behind, load_bound, ratios, table

BY_ROW = {row.name: row for row in rows()}
BY_SERVER = {server.name: server for server in SERVERS}
NAMES = ("fairlead", "pyftpdlib", "pure-ftpd", "limit")


def servers(*names: str) -> list[Server]:
    return [BY_SERVER[name] for name in names]


def samples(row: str, **values: float) -> list[Sample]:
    return [Sample(row, name.replace("_", "-"), 0, value=value) for name, value in values.items()]


def test_a_cell_is_the_median_of_its_rounds() -> None:
    taken = [Sample("noop", "limit", number, value=value, cpu=value / 10) for number, value in enumerate((30, 10, 20))]
    cell = table(taken)["noop", "limit"]
    assert (cell.value, cell.cpu, cell.rounds, cell.spread) == (20, 2, 3, 1.0)


def test_one_failed_round_makes_a_cell_invalid() -> None:
    taken = [Sample("noop", "limit", 0, value=10.0), Sample("noop", "limit", 1, failure="550 No")]
    cell = table(taken)["noop", "limit"]
    assert (cell.value, cell.failure) == (None, "550 No")


@pytest.mark.parametrize(
    ("ours", "theirs", "better", "expected"),
    [(30, 20, Better.HIGHER, 1.5), (30, 20, Better.LOWER, 2 / 3), (20, 30, Better.LOWER, 1.5)],
)
def test_an_advantage_above_one_is_the_better_value(
    ours: float, theirs: float, better: Better, expected: float
) -> None:
    assert advantage(ours, theirs, better) == pytest.approx(expected)


def factor(rival: Rival | None) -> float | None:
    return None if rival is None else rival.advantage


def compared(row: Row, taken: list[Sample]) -> tuple[float | None, float | None, float | None]:
    [ratio] = ratios(table(taken), [row], servers(*NAMES))
    return factor(ratio.python), factor(ratio.best), factor(ratio.limit)


def test_ratios_are_to_the_best_python_server_the_best_of_all_and_the_limit() -> None:
    taken = samples("noop", fairlead=100.0, pyftpdlib=50.0, pure_ftpd=80.0, limit=200.0)
    assert compared(BY_ROW["noop"], taken) == (2.0, 1.25, 0.5)


def test_the_best_of_a_row_where_less_is_better_is_the_smallest() -> None:
    taken = samples("list-10k", fairlead=20.0, pyftpdlib=60.0, pure_ftpd=10.0, limit=5.0)
    assert compared(BY_ROW["list-10k"], taken) == (3.0, 0.5, 0.25)


def test_a_row_without_rivals_has_no_ratio() -> None:
    assert compared(BY_ROW["noop"], samples("noop", fairlead=100.0)) == (None, None, None)


def test_cpu_time_is_compared_where_it_counts() -> None:
    taken = [
        Sample("retr", "fairlead", 0, value=100.0, cpu=0.4),
        Sample("retr", "pure-ftpd", 0, value=50.0, cpu=0.2),
    ]
    found = ratios(table(taken), [BY_ROW["retr"]], servers(*NAMES))
    assert [(ratio.figure, factor(ratio.best)) for ratio in found] == [("MB/s", 2.0), ("CPU s per GiB", 0.5)]


def test_rows_that_are_not_compared_have_no_ratio() -> None:
    row = BY_ROW["growth-retr"]
    assert not row.compared
    assert ratios(table(samples(row.name, fairlead=1.0, pyftpdlib=0.1)), [row], servers(*NAMES)) == []


def test_behind_names_each_rival_once_and_leaves_out_what_is_even() -> None:
    def behind_whom(**values: float) -> list[str]:
        taken = samples("noop", **values)
        return [entry.rival for entry in behind(ratios(table(taken), [BY_ROW["noop"]], servers(*NAMES)))]

    assert behind_whom(fairlead=100.0, pyftpdlib=101.0, pure_ftpd=90.0) == []
    assert behind_whom(fairlead=100.0, pyftpdlib=50.0, pure_ftpd=200.0) == ["pure-ftpd"]
    assert behind_whom(fairlead=100.0, pyftpdlib=150.0, pure_ftpd=200.0) == ["pyftpdlib", "pure-ftpd"]
    assert behind_whom(fairlead=100.0, pyftpdlib=200.0, pure_ftpd=50.0) == ["pyftpdlib"]


def test_the_limit_is_no_rival() -> None:
    found = ratios(table(samples("noop", fairlead=1.0, limit=100.0)), [BY_ROW["noop"]], servers(*NAMES))
    assert behind(found) == []


def test_every_configuration_of_fairlead_is_compared() -> None:
    taken = samples("stor-1k", fairlead=1.0, fairlead_relaxed=2.0, pyftpdlib=1.0)
    found = ratios(table(taken), [BY_ROW["stor-1k"]], servers("fairlead", "fairlead-relaxed", "pyftpdlib"))
    assert [(ratio.server, factor(ratio.python)) for ratio in found] == [("fairlead", 1.0), ("fairlead-relaxed", 2.0)]


def test_families_are_what_the_ratios_go_by() -> None:
    moved = replace(BY_SERVER["pure-ftpd"], family=Family.PYTHON)
    found = ratios(table(samples("noop", fairlead=1.0, pure_ftpd=2.0)), [BY_ROW["noop"]], [*servers("fairlead"), moved])
    assert factor(found[0].python) == 0.5


def test_configurations_behind_one_rival_stand_in_one_entry() -> None:
    taken = samples("noop", fairlead=1.0, fairlead_workers=1.5, pyftpdlib=2.0)
    [entry] = behind(ratios(table(taken), [BY_ROW["noop"]], servers("fairlead", "fairlead-workers", "pyftpdlib")))
    assert entry.factors == {"fairlead": 0.5, "fairlead-workers": 0.75}


def test_rows_ahead_are_counted_for_the_default_and_for_stores_with_the_durability_of_the_others() -> None:
    taken = [
        *samples("noop", fairlead=1.0, fairlead_workers=9.0, pyftpdlib=2.0),
        *samples("stor-1k", fairlead=1.0, fairlead_relaxed=3.0, pyftpdlib=2.0, pure_ftpd=4.0),
    ]
    found = ratios(table(taken), [BY_ROW["noop"], BY_ROW["stor-1k"]], SERVERS)
    assert ahead_of(found, python=True) == (1, 2)
    assert ahead_of(found, python=False) == (0, 2)


def test_cells_in_which_the_load_generator_was_busy_are_named() -> None:
    taken = [
        Sample("noop", "limit", 0, value=1.0, load_share=0.99),
        Sample("noop", "vsftpd", 0, value=1.0, load_share=0.5),
    ]
    assert load_bound(table(taken)) == [("noop", "limit")]
