"""The public names, which are a contract: they are there, come late, and do what the documentation shows."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import fairlead
from fairlead import proto, reach
from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import ArgumentError, PermanentError
from fairlead.events import TransferFinished
from fairlead.proto import listing
from fairlead.server import Server
from fairlead.storage.local import LocalStorage
from tests.peers.embedded import PASSWORD, USER, Embedded

IMPORTED = """
import json, sys, time
before, began = set(sys.modules), time.process_time()
import fairlead
took = time.process_time() - began
for name in sys.argv[1:]:
    getattr(fairlead, name)
print(json.dumps({"took": took, "names": sorted({name.partition(".")[0] for name in set(sys.modules) - before})}))
"""


def imported(*names: str) -> Any:
    """What ``import fairlead`` and asking it for ``names`` take: seconds of the processor, packages loaded."""
    run = subprocess.run([sys.executable, "-c", IMPORTED, *names], check=True, capture_output=True, timeout=60)
    return json.loads(run.stdout)


def test_import_is_quick_and_loads_the_standard_library_only() -> None:
    first = imported()
    assert set(first["names"]) - sys.stdlib_module_names == {"fairlead"}
    assert min(first["took"], *(imported()["took"] for _ in range(2))) < 0.05


def test_server_and_client_need_the_standard_library_only() -> None:
    assert set(imported(*fairlead.__all__)["names"]) - sys.stdlib_module_names == {"fairlead"}


def test_every_public_name_is_there() -> None:
    assert dir(fairlead) == fairlead.__all__
    for name in fairlead.__all__:
        assert getattr(fairlead, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fairlead.nothing  # noqa: B018
    assert reach.Cause("ok") is reach.Cause.OK
    assert proto.__name__ == "fairlead.proto"


def test_listing_is_parsed_to_entries_with_all_their_facts() -> None:
    now = datetime(2024, 6, 1, tzinfo=UTC).timestamp()
    [entry] = listing.parse(["lrwxrwxrwx 1 me us 4 Jan  1  2024 link -> file"], now=now, hint="unix")
    told = {name: getattr(entry, name) for name in
            "name kind size modified created permissions owner group target unique raw".split()}  # fmt: skip
    assert told == {
        "name": "link",
        "kind": listing.Kind.LINK,
        "size": 4,
        "modified": datetime(2024, 1, 1, tzinfo=UTC),
        "created": None,
        "permissions": "rwxrwxrwx",
        "owner": "me",
        "group": "us",
        "target": "file",
        "unique": None,
        "raw": "lrwxrwxrwx 1 me us 4 Jan  1  2024 link -> file",
    }


def test_embedded_server_as_the_documentation_shows_it(tmp_path: Path) -> None:
    told: list[str] = []

    def on_finished(event: TransferFinished) -> None:
        told.append(f"{event.verb} {event.path} {event.size}")

    async def scene() -> None:
        async with Server(
            storage=LocalStorage(str(tmp_path)),
            accounts=MemoryAccounts.sharing(users={USER: PASSWORD}, write=True),
            passive_ports=range(61000, 65536),
            listen=[("127.0.0.1", 0)],
        ) as server:
            server.events.subscribe(TransferFinished, on_finished)
            serving = asyncio.create_task(server.serve_forever())
            host, port = server.addresses[0]
            async with fairlead.AsyncClient(f"ftp://{host}:{port}", user=USER, password=PASSWORD) as ftp:
                await ftp.path("note.txt").write_text("hi")
            serving.cancel()

    asyncio.run(scene())
    assert told == ["STOR /note.txt 2"]


def test_client_as_the_documentation_shows_it(served: Embedded, tmp_path: Path) -> None:
    big = os.urandom(3 << 20)
    (served.root / "docs").mkdir()
    (served.root / "big.bin").write_bytes(big)
    (served.root / "docs/old.txt").write_bytes(b"octets")
    done: list[int] = []

    def bar(octets: int, _total: int | None) -> None:
        done.append(octets)

    with fairlead.Client(served.url) as ftp:
        assert [(entry.name, entry.size) for entry in ftp.scandir("/docs")] == [("old.txt", 6)]
        ftp.download("/big.bin", tmp_path / "big.bin", resume=True, on_progress=bar)
        with ftp.open("/big.bin", "rb", offset=1 << 20) as f:
            assert f.read() == big[1 << 20 :]
        (ftp.path("/docs") / "note.txt").write_text("hi")

    assert (tmp_path / "big.bin").read_bytes() == big
    assert done[-1] == len(big)
    assert (served.root / "docs/note.txt").read_text() == "hi"


def test_files_and_listings_in_one_line(served: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (served.root / "docs").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("a.txt").write_text("one\ntwo\n")

    assert fairlead.put("a.txt", f"{served.url}/docs/b.txt").path == "b.txt"
    assert fairlead.put("a.txt", f"{served.url}/docs/", verify=True).verified == "HASH SHA-256"
    assert [(entry.name, entry.size) for entry in fairlead.ls(f"{served.url}/docs")] == [("a.txt", 8), ("b.txt", 8)]
    assert fairlead.get(f"{served.url}/docs/b.txt").size == 8
    fairlead.get(f"{served.url}/docs/b.txt;type=a", "c.txt")
    with open("d.txt", "wb") as file:
        fairlead.get(f"{served.url}/docs/b.txt", file, mode="pasv")

    for name in ("b.txt", "c.txt", "d.txt"):
        assert Path(name).read_text() == "one\ntwo\n"
    with open("a.txt", "rb") as source:
        fairlead.put(source, f"{served.url}/e.txt", on_progress=lambda _done, _total: None)
    assert (served.root / "e.txt").read_text() == "one\ntwo\n"


def test_one_line_that_names_no_file_or_directory(served: Embedded) -> None:
    for url in (served.url, f"{served.url}/docs/", f"{served.url}/x;type=d"):
        with pytest.raises(ArgumentError, match="names a directory; name a file"):
            fairlead.get(url)
    with open(os.devnull, "rb") as source, pytest.raises(ArgumentError, match="names a directory"):
        fairlead.put(source, f"{served.url}/docs/")
    with pytest.raises(PermanentError):
        fairlead.ls(f"{served.url}/none")
    with pytest.raises(TypeError):
        fairlead.ls(served.url, no_such_setting=1)
