"""One cell of the clients' table: a program run as a whole, from its start to its end, and what it brought."""

from __future__ import annotations

import filecmp
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients.declared import Client
from benchmarks.clients.tasks import ClientRow, Task
from benchmarks.group import new_group
from benchmarks.measure import Sample, cpu_each
from benchmarks.places import PROGRAMS, memory_directory
from benchmarks.running import CellFailed, Outcome, Running
from benchmarks.tree import PREFIX, SMALL, Tree, WrongUpload

UPLOADS = "up"


@dataclass(frozen=True, slots=True)
class ClientCell:
    """One row by one client in one round."""

    row: ClientRow
    client: Client
    round: int
    server: Running
    tree: Tree

    def measure(self) -> Sample:
        """Measure it; failures become part of the sample."""
        row, names = self.row, (self.row.name, self.client.name, self.round)
        with _folder() as local:
            try:
                outcome = self._outcome(local)
            except (CellFailed, WrongUpload) as failure:
                return Sample(*names, failure=str(failure))
            finally:
                self.tree.clear_uploads()
        return Sample(*names, value=row.value(outcome), cpu=cpu_each(row, outcome))

    def _outcome(self, local: Path) -> Outcome:
        remote = self._prepare(local)
        if self.row.task is Task.MIRROR_AGAIN:
            self._run(remote, local)
        output = local.with_name("output")
        seconds, cpu = self._run(remote, local, output)
        octets = self._check(local, output)
        operations = self.row.amount if self.row.task not in {Task.GET, Task.PUT, Task.LIST} else 1
        return Outcome(operations=operations, octets=octets, seconds=seconds, cpu=cpu)

    def _prepare(self, local: Path) -> str:
        """Make what there must be on either side; returns the remote path."""
        amount, tree = self.row.amount, self.tree
        match self.row.task:
            case Task.GET:
                return tree.file(amount)
            case Task.PUT:
                (local / "file").symlink_to(tree.source(amount))
                return f"{UPLOADS}/file"
            case Task.PUT_MANY:
                for index in range(amount):
                    (local / f"f{index:05d}").write_bytes(b"x" * SMALL)
                return UPLOADS
            case Task.LIST:
                return tree.directory(amount)
            case Task.GET_MANY:
                return tree.files(amount)
            case Task.MIRROR | Task.MIRROR_AGAIN:
                return tree.nested(amount)

    def _run(self, remote: str, local: Path, output: Path | None = None) -> tuple[float, float]:
        """Wall and CPU seconds of the program. Raises CellFailed when it fails or takes too long."""
        command = self.client.render(
            self.row.name, port=self.server.port, remote=remote, local=local, last=self.row.amount - 1
        )
        group = new_group(self.client.name)
        self.server.network.forget()
        with (output or Path(os.devnull)).open("wb") as out, tempfile.TemporaryFile() as errors:
            began = time.monotonic()
            process = subprocess.Popen(
                [*group.prefix(), *self.server.network.prefix(), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                cwd=local,
                env=_environment(local.parent),
                start_new_session=True,
            )
            group.adopt(process.pid)
            try:
                if not _ends_within(process.pid, self.row.limit):
                    message = f"it had not ended after {self.row.limit} s"
                    raise CellFailed(message)
                seconds, cpu = time.monotonic() - began, group.cpu()
                status = process.wait()
            finally:
                group.remove()
                process.wait()
            if status:
                errors.seek(0)
                words = errors.read()[-300:].decode(errors="replace").strip()
                message = f"it ended with {status}: {words}"
                raise CellFailed(message)
        return seconds, cpu

    def _check(self, local: Path, output: Path) -> int:
        """Octets that went over, after a look at what arrived. Raises CellFailed, WrongUpload."""
        amount = self.row.amount
        match self.row.task:
            case Task.GET:
                [fetched] = local.iterdir()
                if not filecmp.cmp(fetched, self.tree.root / self.tree.file(amount), shallow=False):
                    raise CellFailed("the file that arrived is another one")
                return amount
            case Task.PUT:
                self.tree.check_uploads(files=1, octets=amount)
                return amount
            case Task.PUT_MANY:
                self.tree.check_uploads(files=amount, octets=amount * SMALL)
                return amount * SMALL
            case Task.LIST:
                lines = output.read_bytes().count(b"\n")
                if not amount <= lines <= amount + 5:  # a line of totals, the directory itself and its parent
                    message = f"{lines} lines were printed of {amount} entries"
                    raise CellFailed(message)
                return output.stat().st_size
            case Task.GET_MANY | Task.MIRROR | Task.MIRROR_AGAIN:
                sizes = [path.stat().st_size for path in local.rglob("*") if path.is_file()]
                if (len(sizes), sum(sizes)) != (amount, amount * SMALL):
                    message = f"{len(sizes)} files of {sum(sizes)} octets arrived, {amount} were to be fetched"
                    raise CellFailed(message)
                return sum(sizes)


def _ends_within(process: int, seconds: float) -> bool:
    """Wait for the end of a process to the instant: ``Popen.wait`` with a limit looks every 50 ms only."""
    descriptor = os.pidfd_open(process)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


@contextmanager
def _folder() -> Iterator[Path]:
    """An empty folder in another, both gone afterwards."""
    around = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=memory_directory()))
    local = around / "local"
    local.mkdir()
    try:
        yield local
    finally:
        with suppress(OSError):
            shutil.rmtree(around)


def _environment(home: Path) -> Mapping[str, str]:
    """A user's who has no configuration of any client; bytecode is compiled once, as an installed package has it."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
    return {**kept, "HOME": str(home), "PYTHONPYCACHEPREFIX": str(PROGRAMS / "bytecode")}
