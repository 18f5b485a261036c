"""The server as a program: one process or a parent with workers, steered by signals."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fairlead.errors import ConfigError
from fairlead.server.settings import Settings
from fairlead.server.workers import Program
from tests.server.session import DEADLINE, Control, free_port, receive

LONG = 8 << 20

PROGRAM = """
import os, resource, sys
from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import ConfigError
from fairlead.proto.reply import Reply
from fairlead.server import workers
from fairlead.server.settings import Settings
from fairlead.storage.local import LocalStorage

root, port, count, shortest = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
if descriptors := int(sys.argv[5]):
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
workers.SHORTEST_LIFE = shortest
storage = LocalStorage(root, durability="relaxed")
settings = Settings(
    listen=[("127.0.0.1", port)], workers=count, banner="first", max_sessions_per_address=0 if descriptors else 6,
    login_delay=0
)

def say(text):
    os.write(1, text.encode() + b"\\n")

def accounts(password):
    return MemoryAccounts.sharing(storage, {"me": password}, write=True)

def ready(addresses):
    say(f"ready {addresses}")

def subscribe(server):
    if os.path.exists(root + "/die"):
        os._exit(3)
    server.greeting = Reply(220, f"worker {os.getpid()}")
    say(f"worker {os.getpid()}")

def reload():
    if os.path.exists(root + "/wrong"):
        raise ConfigError("a setting is wrong")
    return settings.replace(banner="second"), accounts("changed"), ()

program = workers.Program(settings, storage, accounts("secret"), ready, subscribe, reload)
sys.exit(program.run())
"""


class Process:
    """A server program that is running."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self._output = b""

    def await_line(self, start: str, count: int = 1) -> list[str]:
        """The rests of the lines on its output that begin with ``start``, once there are ``count``."""
        assert self.process.stdout is not None
        while True:
            lines = self._output.decode().split("\n")[:-1]
            found = [line.removeprefix(start).strip() for line in lines if line.startswith(start)]
            if len(found) >= count:
                return found
            assert select.select([self.process.stdout], [], [], DEADLINE)[0], f"no {start} came: {lines}"
            octets = os.read(self.process.stdout.fileno(), 4096)
            assert octets, f"the program ended: {lines}"
            self._output += octets

    def errors(self) -> str:
        """All it wrote to its standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def connect_any(self) -> Control:
        """A control connection, whether a session or refused."""
        return Control(socket.create_connection(("127.0.0.1", self.port), DEADLINE))

    def connect(self) -> tuple[Control, int]:
        """A session, and the process that serves it."""
        control = self.connect_any()
        greeting = control.read()
        assert greeting.code == 220, greeting
        return control, int(greeting.text.removeprefix("worker ")) if greeting.text.startswith("worker") else 0

    def login(self, password: str = "secret") -> tuple[Control, int]:
        control, pid = self.connect()
        assert control.codes("USER me", f"PASS {password}", "TYPE I") == [331, 230, 200]
        return control, pid

    def ended(self) -> int:
        """Its exit status."""
        return self.process.wait(DEADLINE)

    def is_deaf(self) -> bool:
        """Whether nobody listens on its port."""
        try:
            socket.create_connection(("127.0.0.1", self.port), DEADLINE).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            return False
        return False

    def await_condition(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline


@contextmanager
def program(root: Path, workers: int, shortest: float = 0.0, descriptors: int = 0) -> Iterator[Process]:
    port = free_port()
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(PROGRAM),
            str(root),
            str(port),
            str(workers),
            str(shortest),
            str(descriptors),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        try:
            yield Process(process, port)
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def serving_program(root: Path, workers: int, *, descriptors: int = 0) -> Iterator[Process]:
    with program(root, workers, descriptors=descriptors) as running:
        running.await_line("ready")
        yield running


@pytest.fixture(autouse=True)
def files(root: Path) -> None:
    (root / "long").write_bytes(bytes(LONG))
    (root / "file").write_bytes(b"content")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_a_program_serves_and_ends_at_a_signal(root: Path, workers: int) -> None:
    with serving_program(root, workers) as running:
        assert running.await_line("ready") == [str([("127.0.0.1", running.port)])]
        control, _ = running.login()
        with control:
            assert control.fetch("RETR file") == b"content"
            assert control.store("STOR new", b"stored").code == 226
            running.process.send_signal(signal.SIGTERM)
            assert control.read().code == 421
            assert control.at_end()
        assert running.ended() == 0
    assert (root / "new").read_bytes() == b"stored"


def test_workers_share_the_sessions(root: Path) -> None:
    with serving_program(root, 2) as running:
        workers = {int(pid) for pid in running.await_line("worker", 2)}
        assert len(workers) == 2
        served: set[int] = set()
        for _ in range(200):
            control, pid = running.connect()
            control.close()
            served.add(pid)
            if served == workers:
                break
        assert served == workers


@pytest.mark.req("S-DF-CONN-3")
def test_limits_hold_across_workers_and_forget_a_worker_that_died(root: Path) -> None:
    with serving_program(root, 2) as running, ExitStack() as stack:
        sessions: list[tuple[Control, int]] = []

        def refused() -> bool:
            control = running.connect_any()
            reply = control.read()
            if reply.code == 421:
                control.close()
                return True
            sessions.append((stack.enter_context(control), int(reply.text.removeprefix("worker "))))
            return False

        running.await_condition(refused)
        assert len(sessions) == 6
        assert refused()
        victim = sessions[0][1]
        lost = sum(pid == victim for _, pid in sessions)
        os.kill(victim, signal.SIGKILL)
        running.await_line("worker", 3)
        del sessions[:]
        running.await_condition(refused)
        assert len(sessions) == lost


@pytest.mark.req("S-DF-CONN-3", "S-ERR-8")
def test_sessions_leave_descriptors_to_transfers(root: Path) -> None:
    with serving_program(root, 1, descriptors=64) as running, ExitStack() as stack:
        sessions: list[Control] = []
        refused = 0
        while refused < 50:
            control = stack.enter_context(running.connect_any())
            if control.read().code == 220:
                sessions.append(control)
            else:
                refused += 1
                assert control.at_end()
        assert 10 < len(sessions) < 64
        for control in sessions[:2]:
            assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
            assert control.fetch("RETR long") == bytes(LONG)
            assert control.store("STOR new", bytes(LONG)).code == 226
        sessions.pop().close()
        running.await_condition(lambda: stack.enter_context(running.connect_any()).read().code == 220)


def test_a_worker_that_died_is_replaced_and_the_others_go_on(root: Path) -> None:
    with serving_program(root, 2) as running, ExitStack() as stack:
        first, second = (int(pid) for pid in running.await_line("worker", 2))
        sessions: dict[int, Control] = {}
        while len(sessions) < 2:
            control, pid = running.login()
            if pid in sessions:
                control.close()
            else:
                sessions[pid] = stack.enter_context(control)
        os.kill(first, signal.SIGKILL)
        assert sessions[first].at_end()
        assert sessions[second].fetch("RETR file") == b"content"
        third = int(running.await_line("worker", 3)[2])
        served: set[int] = set()

        def both_serve() -> bool:
            control, pid = running.connect()
            control.close()
            served.add(pid)
            return served >= {second, third}

        running.await_condition(both_serve)
        assert first not in served
        running.process.send_signal(signal.SIGTERM)
        assert sessions[second].read().code == 421
        sessions[second].close()
        assert running.ended() == 0
        errors = running.errors()
        assert errors.count("ended unexpectedly (status 9), starting another") == 1
        assert "Traceback" not in errors
    assert not any(map(is_running, (first, second, third)))


def test_a_worker_replaced_by_another_ends_at_a_signal_too(root: Path) -> None:
    with serving_program(root, 2) as running:
        for count, pid in enumerate(running.await_line("worker", 2), start=3):
            os.kill(int(pid), signal.SIGKILL)
            running.await_line("worker", count)
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0


def test_a_signal_is_heard_by_a_worker_that_is_just_starting(root: Path) -> None:
    with serving_program(root, 2) as running:
        assert running.process.stderr is not None
        os.kill(int(running.await_line("worker", 2)[0]), signal.SIGKILL)
        assert b"starting another" in running.process.stderr.readline()
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0


def test_a_server_whose_workers_die_at_once_gives_up(root: Path) -> None:
    (root / "die").touch()
    with program(root, 2, shortest=60.0) as running:
        assert running.ended() == 1
        assert "ended unexpectedly" in running.errors()


@pytest.mark.req("S-DF-DOWN-1")
@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_signal_lets_transfers_end(root: Path, workers: int, number: signal.Signals) -> None:
    with serving_program(root, workers) as running:
        control, _ = running.login()
        with control, control.passive() as data:
            assert control.ask("RETR long").code == 150
            running.process.send_signal(number)
            assert len(receive(data)) == LONG
            data.close()
            assert control.read_codes(2) == [226, 421]
        assert running.ended() == 0


@pytest.mark.req("S-DF-DOWN-1")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_from_a_terminal_is_one_signal(root: Path, workers: int) -> None:
    """A terminal sends it to each process of the program."""
    with serving_program(root, workers) as running:
        control, _ = running.login()
        with control, control.passive() as data:
            assert control.ask("RETR long").code == 150
            os.killpg(running.process.pid, signal.SIGINT)
            running.await_condition(running.is_deaf)
            assert len(receive(data)) == LONG
            data.close()
            assert control.read_codes(2) == [226, 421]
        assert running.ended() == 0


def test_a_terminal_reaches_workers_through_their_parent_only(root: Path) -> None:
    """Else they would have each of its signals twice, and the second one cuts transfers."""
    with serving_program(root, 2) as running:
        workers = [int(pid) for pid in running.await_line("worker", 2)]
        own = os.getpgid(running.process.pid)

        assert own not in map(os.getpgid, workers)


@pytest.mark.req("S-DF-DOWN-1")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_cuts_them(root: Path, workers: int) -> None:
    with serving_program(root, workers) as running:
        control, _ = running.login()
        with control, control.passive():
            assert control.ask("RETR long").code == 150
            running.process.send_signal(signal.SIGTERM)
            running.await_condition(running.is_deaf)  # the first signal has been heard
            running.process.send_signal(signal.SIGTERM)
            assert control.read_codes(2) == [426, 421]
        assert running.ended() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_settings_and_accounts_are_loaded_anew_for_sessions_to_come(root: Path, workers: int) -> None:
    with serving_program(root, workers) as running:
        old, _ = running.login()
        with old:
            running.process.send_signal(signal.SIGHUP)

            def all_changed() -> bool:
                found = []
                for _ in range(10):
                    control = running.connect_any()
                    found.append(control.read().text)
                    control.close()
                return set(found) == {"second"}

            running.await_condition(all_changed)
            assert old.fetch("RETR file") == b"content"
        control, _ = running.login("changed")
        control.close()


def test_wrong_settings_are_not_taken(root: Path) -> None:
    (root / "wrong").touch()
    with serving_program(root, 1) as running:
        running.process.send_signal(signal.SIGHUP)
        control, _ = running.login("secret")
        control.close()
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0


def test_workers_end_when_their_parent_is_killed(root: Path) -> None:
    with serving_program(root, 2) as running:
        workers = [int(pid) for pid in running.await_line("worker", 2)]
        running.process.kill()
        running.ended()
        running.await_condition(lambda: not any(map(is_running, workers)))
        assert running.is_deaf()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_address_that_is_taken_is_told_before_anything_starts(workers: int) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(listen=[taken.getsockname()], workers=workers)
        with pytest.raises(ConfigError, match="another program has that port"):
            Program(settings, None, None, never, never).run()  # type: ignore[arg-type]
