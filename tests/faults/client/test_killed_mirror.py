"""``fairlead mirror`` killed time and again: nothing is lost, nothing half there, nothing transferred twice."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.fairlead import PROGRAM, Fairlead, fairlead
from tests.peers.process import DEADLINE

HOST = "127.0.0.1"
KILLS = 10
LARGE, OCTETS = 2, 64 << 20
"""The last kills find files of this size half done."""
SESSIONS = 4
MEMORY = Path("/dev/shm")
THEN = 1_577_934_245


def path_of(number: int) -> str:
    return f"{number % 20:02}/{number % 200:03}/{number:05}.bin"


def grown(top: Path, files: int) -> dict[str, str]:
    """So many files in two hundred directories, and their hashes by path."""
    chance = random.Random(959)
    hashes = {}
    for number in range(files):
        octets = chance.randbytes(OCTETS if number >= files - LARGE else chance.randrange(2000))
        place = top / path_of(number)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(octets)
        os.utime(place, (THEN + number, THEN + number))
        hashes[path_of(number)] = hashlib.sha256(octets).hexdigest()
    return hashes


def found(top: Path) -> dict[str, str]:
    """The hashes of all files below ``top`` that are no parts, by path."""
    return {str(place.relative_to(top)): hashlib.sha256(place.read_bytes()).hexdigest() for place in named(top)}


def sizes(top: Path) -> dict[str, int]:
    """The sizes of all files below ``top`` that are no parts, by path."""
    return {str(place.relative_to(top)): place.stat().st_size for place in named(top)}


def named(top: Path) -> Iterator[Path]:
    """The files below ``top`` that have their names."""
    for place, _, names in os.walk(top):
        yield from (Path(place, name) for name in names if not name.endswith(".part"))


def whole(top: Path) -> int:
    """How many files have their names."""
    return sum(not name.endswith(".part") for _, _, names in os.walk(top) for name in names)


def half_done(directory: Path) -> bool:
    """Whether there is a part of half a large file."""
    try:
        parts = [directory / name for name in os.listdir(directory) if name.endswith(".part")]
        return any(part.stat().st_size > OCTETS // 2 for part in parts)
    except FileNotFoundError:  # there is none yet, or it has its name by now
        return False


def kill(command: list[str], reached: Callable[[], bool], pause: float) -> None:
    """Run ``command`` and kill it once it has ``reached`` its point."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 3 * DEADLINE
        try:
            while not reached():
                assert process.poll() is None, f"it ended before it was killed: {process.communicate()}"
                assert time.monotonic() < deadline, "it does not get on"
                time.sleep(pause)  # between two looks at how far it is
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("upload", "files"), [(False, 10_000), (True, 1_000)], ids=["download", "upload"])
def test_mirror_survives_ten_kills_with_nothing_lost(upload: bool, files: int, tmp_path: Path) -> None:
    with fairlead(hosts=(HOST,), within=MEMORY if MEMORY.is_dir() else None) as own:
        server, mine = own.at(HOST), tmp_path / "mine"
        source, target = (mine, server.root / "x") if upload else (server.root / "x", mine)
        hashes = grown(source, files)
        expected = sizes(source)
        url = server.url.replace("://", f"://{server.user}:{server.password.replace(' ', '%20')}@") + "/x/"
        command = [str(PROGRAM), "mirror", "--no-memory", *((str(mine), url) if upload else (url, str(mine)))]
        for number in range(KILLS - LARGE):
            due = (number + 1) * files // (KILLS + LARGE)
            kill(command, lambda due=due: whole(target) >= due, 0.1)  # type: ignore[misc]
            assert sizes(target).items() <= expected.items()
        slowly = [*command, "--limit-rate", "64M"]  # or all of a large file may have gone before it is stopped
        for number in range(files - LARGE, files):
            directory = (target / path_of(number)).parent
            kill(slowly, lambda place=directory: half_done(place), 0.001)  # type: ignore[misc]
            assert sizes(target).items() <= expected.items()
        done = subprocess.run([*command, "--verify"], capture_output=True, text=True, timeout=200, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert found(target) == hashes
        assert [place for place in target.rglob("*") if place.suffix == ".part"] == []
        again = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=200, check=False)
        assert again.stdout == f"nothing to do; {files} the same already\n"
        nothing_moved_twice(own, files)


def nothing_moved_twice(own: Fairlead, files: int) -> None:
    """Only what had come but not got its name when its mirror was killed may have come again."""
    moved = [record for record in own.records("transfer") if record["path"].endswith((".bin", ".part"))]
    assert len(moved) <= files + KILLS * SESSIONS
    assert all(record["size"] < OCTETS * 3 // 4 for record in moved)
