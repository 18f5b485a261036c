from __future__ import annotations

from benchmarks.clients.tasks import client_rows
from benchmarks.measure import Sample
from benchmarks.rows import rows
from benchmarks.servers import SERVERS
from benchmarks.summary import ratios, table
from benchmarks.targets import TARGETS, Judgement, judge

ROWS = rows()


def judged(*samples: Sample) -> list[Judgement]:
    cells = table(samples)
    return judge(ratios(cells, ROWS, SERVERS), cells, ROWS)


def test_targets_speak_of_rows_that_exist() -> None:
    known = {row.name for row in (*ROWS, *client_rows())}
    assert {target.row for target in TARGETS} <= known


def test_a_ratio_is_held_against_the_best_and_against_the_limit() -> None:
    found = judged(
        Sample("retr-1k", "fairlead", 0, value=5000.0),
        Sample("retr-1k", "pure-ftpd", 0, value=5000.0),
        Sample("retr-1k", "limit", 0, value=5100.0),
    )
    assert [(one.about, one.wanted, one.measured, one.met) for one in found] == [
        ("files/s, against pure-ftpd", "≥ 1.15×", "1.00×", False),
        ("files/s, against limit", "≥ 0.90×", "0.98×", True),
    ]


def test_cpu_time_counts_where_the_target_says_so() -> None:
    found = judged(
        Sample("retr", "fairlead", 0, value=100.0, cpu=0.2),
        Sample("retr", "vsftpd", 0, value=200.0, cpu=0.3),
    )
    assert [(one.about, one.measured, one.met) for one in found] == [("CPU time, against vsftpd", "1.50×", True)]


def test_some_values_are_held_against_a_number() -> None:
    assert [one.met for one in judged(Sample("start", "fairlead", 0, value=301.0))] == [False]
    assert [one.met for one in judged(Sample("start", "fairlead", 0, value=299.0))] == [True]


def test_uploads_are_judged_by_the_durability_of_the_others_and_group_commit_by_its_own() -> None:
    found = judged(
        Sample("stor-1k", "fairlead", 0, value=1.0),
        Sample("stor-1k", "fairlead-relaxed", 0, value=3.0),
        Sample("stor-1k", "pure-ftpd", 0, value=2.0),
        Sample("stor-1k-x8-disk", "fairlead", 0, value=8.0),
        Sample("stor-1k-x8-disk", "limit-durable", 0, value=2.0),
    )
    assert [(one.row.name, one.measured, one.met) for one in found] == [
        ("stor-1k", "1.50×", True),
        ("stor-1k-x8-disk", "4.00×", True),
    ]
