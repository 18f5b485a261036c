"""pyftpdlib_server.py PORT DIRECTORY PROCESSES: pyftpdlib without limits on sessions and without its transfer log."""

from __future__ import annotations

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.log import config_logging
from pyftpdlib.servers import FTPServer


def main(port: str, directory: str, processes: str) -> None:
    config_logging(level=logging.WARNING)
    authorizer = DummyAuthorizer()
    authorizer.add_user("bench", "bench", directory, perm="elradfmwMT")
    FTPHandler.authorizer = authorizer
    FTPServer.max_cons = 0
    server = FTPServer(("127.0.0.1", int(port)), FTPHandler, backlog=1024)
    server.serve_forever(worker_processes=int(processes))


if __name__ == "__main__":
    main(*sys.argv[1:])
