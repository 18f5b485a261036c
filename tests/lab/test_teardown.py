"""A laboratory leaves nothing behind, whatever becomes of the process that built it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab import namespaces
from lab.addresses import Host
from lab.laboratory import Lab
from lab.servers import Protection, served
from lab.topologies import topology

pytestmark = pytest.mark.usefixtures("laboratory")

_BUILD = """
import signal
from lab.laboratory import Lab
from lab.servers import Protection, served
from lab.topologies import topology

with Lab(topology("rewriter")) as lab, served(lab, "fairlead", Protection.CLEAR):
    print(lab.prefix, flush=True)
    signal.pause()
"""


def _left(prefix: str) -> list[Path]:
    return [path for folder in (namespaces.FOLDER, namespaces.scratch_root()) for path in folder.glob(f"{prefix}*")]


def test_a_closed_laboratory_leaves_neither_namespaces_nor_processes_nor_files() -> None:
    with Lab(topology("rewriter")) as lab, served(lab, "fairlead", Protection.CLEAR):
        names = [lab.namespace(host) for host in Host]
        pids = list(namespaces.processes(names))
        assert len(_left(lab.prefix)) == len(names) + 1
        assert len(pids) >= 2  # the server and the middlebox
    assert _left(lab.prefix) == []
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_laboratory_that_cannot_be_built_whole_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "nft", lambda *_: 1 / 0)
    prefix = namespaces.fresh_prefix()
    monkeypatch.setattr(namespaces, "fresh_prefix", lambda: prefix)
    with pytest.raises(ZeroDivisionError):
        Lab(topology("client-nat"))
    assert _left(prefix) == []


def test_what_a_killed_builder_left_is_swept_by_the_next() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _BUILD], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as builder:
        assert builder.stdout is not None
        prefix = builder.stdout.readline().strip()
        try:
            pids = list(namespaces.processes(f"{prefix}-{host}" for host in Host))
            assert len(pids) >= 2
            assert prefix in namespaces.existing()
        finally:
            builder.kill()
    with Lab(topology("open")) as lab:
        assert _left(prefix) == []
        assert _left(lab.prefix) != []
    assert not [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    """Whether a process is there that has not ended; one that ended may wait for its parent to take notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_laboratories_stand_side_by_side() -> None:
    with Lab(topology("open")) as one, Lab(topology("client-nat")) as other:
        assert one.prefix != other.prefix
        assert one.run(Host.CLIENT, ["cat", "/etc/hosts"]).stdout.endswith("203.0.113.21 server.test\n")
        assert (
            other.run(Host.HOME, ["nft", "list", "tables"]).stdout.split() == "table inet filter table ip nat".split()
        )
        assert one.run(Host.HOME, ["nft", "list", "tables"]).stdout == ""
