"""aioftp_client.py ROW PORT REMOTE LOCAL: what a row asks for, by aioftp."""

from __future__ import annotations

import sys
from pathlib import Path

import aioftp
import uvloop

BLOCK = 1 << 20


async def get(ftp: aioftp.Client, remote: str, local: Path) -> None:
    async with ftp.download_stream(remote) as stream:
        with local.open("wb") as file:
            async for block in stream.iter_by_block(BLOCK):
                file.write(block)


async def put(ftp: aioftp.Client, local: Path, remote: str) -> None:
    async with ftp.upload_stream(remote) as stream:
        with local.open("rb") as file:
            while block := file.read(BLOCK):
                await stream.write(block)


async def mirror(ftp: aioftp.Client, remote: str, local: Path) -> None:
    local.mkdir(exist_ok=True)
    for path, facts in await ftp.list(remote):
        if facts["type"] == "dir":
            await mirror(ftp, str(path), local / path.name)
        elif facts["type"] == "file":
            await get(ftp, str(path), local / path.name)


async def main(row: str, port: str, remote: str, local: Path) -> None:
    async with aioftp.Client.context("127.0.0.1", int(port), "bench", "bench") as ftp:
        match row:
            case "client-get":
                await get(ftp, remote, local / "file")
            case "client-put":
                await put(ftp, local / "file", remote)
            case "client-get-many" | "client-mirror":
                await mirror(ftp, remote, local)
            case "client-put-many":
                for path in sorted(local.iterdir()):
                    await put(ftp, path, f"{remote}/{path.name}")
            case "client-list":
                async for found, facts in ftp.list(remote):
                    print(facts["type"], facts.get("size"), facts["modify"], found.name)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
