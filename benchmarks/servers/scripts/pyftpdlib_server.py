"""pyftpdlib_server.py PORT DIRECTORY PROCESSES [CERTIFICATE]: pyftpdlib without limits and without its transfer log."""

from __future__ import annotations

import logging
import os
import socket
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.log import config_logging
from pyftpdlib.servers import FTPServer


def main(port: str, directory: str, processes: str, certificate: str = "") -> None:
    config_logging(level=logging.WARNING)
    authorizer = DummyAuthorizer()
    authorizer.add_user("bench", "bench", directory, perm="elradfmwMT")
    handler = FTPHandler
    if certificate:
        handler = TLS_FTPHandler
        handler.certfile = certificate
        handler.tls_control_required = handler.tls_data_required = True
    handler.authorizer = authorizer
    FTPServer.max_cons = 0
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    for _ in range(int(processes) - 1):
        # Its own worker_processes forks after the epoll descriptor was made; the workers then take each other's events.
        if os.fork() == 0:
            break
    FTPServer(listener, handler, backlog=1024).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
