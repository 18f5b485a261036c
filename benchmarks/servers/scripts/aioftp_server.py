"""aioftp_server.py PORT DIRECTORY: aioftp on uvloop, with large blocks."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import aioftp
import uvloop


async def serve(port: str, directory: str) -> None:
    logging.basicConfig(level=logging.WARNING)
    permission = aioftp.Permission("/", readable=True, writable=True)
    user = aioftp.User("bench", "bench", base_path=Path(directory), permissions=[permission])
    server = aioftp.Server([user], block_size=1 << 20, path_io_factory=aioftp.PathIO)
    await server.start("127.0.0.1", int(port), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
