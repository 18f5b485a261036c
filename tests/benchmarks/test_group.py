from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.group import (
    Process,
    ProcessTree,
    descendants,
    memory,
    new_group,
    parse_cpu_stat,
    parse_rollup,
    parse_stat,
    process_table,
)


def test_a_process_whose_name_has_brackets_and_spaces_is_read() -> None:
    fields = "S 17 1 1 0 -1 4194560 100 0 0 0 3 4 5 6 20 0 1 0 12345"
    assert parse_stat(f"42 (a (b) c) {fields}") == Process(17, 18, ended=False)


def test_cpu_time_of_a_version_2_group() -> None:
    assert parse_cpu_stat("usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n") == 1.5


def test_memory_of_a_rollup_is_in_octets() -> None:
    text = "5589-7fff ---p 00000000 00:00 0    [rollup]\nRss:      1764 kB\nPss:       391 kB\nPss_Dirty: 1 kB\n"
    assert parse_rollup(text) == {"Rss": 1764 * 1024, "Pss": 391 * 1024, "Pss_Dirty": 1024}


def test_descendants_are_found_at_any_depth() -> None:
    table = {pid: Process(parent, 0, ended=False) for pid, parent in {1: 0, 2: 1, 3: 2, 4: 1, 5: 0}.items()}
    assert sorted(descendants(2, table)) == [2, 3]
    assert sorted(descendants(1, table)) == [1, 2, 3, 4]
    assert list(descendants(9, table)) == []


def test_the_memory_of_this_process_is_read() -> None:
    pss, rss = memory([os.getpid()])
    assert 0 < pss <= rss


def test_the_own_process_is_in_the_table() -> None:
    assert process_table()[os.getpid()].parent == os.getppid()


SPIN = "import time\nwhile time.process_time() < 0.05: pass\nprint('spun', flush=True)\ninput()"


def test_a_group_counts_the_time_of_its_processes_and_ends_them() -> None:
    for group in (new_group("test"), ProcessTree()):
        with subprocess.Popen(
            [*group.prefix(), sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            group.adopt(process.pid)
            assert process.stdout is not None
            process.stdout.readline()
            assert process.pid in group.pids()
            assert 0.03 <= group.cpu() < 5
            group.remove()
            assert process.wait(5) != 0
