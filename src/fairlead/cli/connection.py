"""A session with the server that the command line names."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairlead.cli.credentials import credentials
from fairlead.cli.ladder import tell_failure, trace_of
from fairlead.client.settings import Settings
from fairlead.client.sync import Client
from fairlead.client.trace import Record
from fairlead.errors import ConnectError, DeadlineError, FairleadError, SessionLost
from fairlead.proto.url import FtpUrl


@contextmanager
def connected(args: argparse.Namespace, url: FtpUrl, directory: Sequence[str]) -> Iterator[Client]:
    """A client, logged in, in ``directory``: one CWD per segment (RFC 1738 section 3.2.2).

    Raises ConnectError, TlsError, ConfigError, LoginError, ReplyError when there is no such directory.
    """
    client = Client(replace(url, segments=tuple(directory)), **settings_of(args, url), trace=trace_of(args, show))
    try:
        try:
            client.connect()
            client.login()
        except (SessionLost, DeadlineError) as error:
            raise ConnectError(str(error)) from error
        yield client
    except FairleadError as error:
        tell_failure(args, error)
        raise
    finally:
        client.close()


def settings_of(args: argparse.Namespace, url: FtpUrl) -> dict[str, Any]:
    """The settings of a client, or of many alike, that the command line asks for, and whose login it is.

    Raises ConfigError.
    """
    user, password = credentials(url)
    patience = {} if args.timeout is None else dict.fromkeys(("connect", "reply", "data"), args.timeout)
    return {
        "user": user,
        "password": password,
        "mode": args.mode,
        "family": args.family,
        "connect_timeout": patience.get("connect", Settings.connect_timeout),
        "reply_timeout": patience.get("reply", Settings.reply_timeout),
        "data_timeout": patience.get("data", Settings.data_timeout),
        "retries": args.retries,
        "limit_rate": args.limit_rate,
        "active_ports": args.active_ports,
        "active_address": args.active_address,
        "tls": args.tls,
        "ca": args.ca,
        "insecure": args.insecure,
        "pin": args.pin,
        "clear_control": args.ccc,
        "virtual_host": args.virtual_host,
        "memory": None if args.no_memory else memory_path(os.environ),
    }


def memory_path(environment: Mapping[str, str]) -> Path | None:
    """Where it is kept which mode served: ``$XDG_STATE_HOME/fairlead/modes.json``, below ``~/.local/state`` unless set.

    None where ``FAIRLEAD_NO_MEMORY`` is set, and where there is no home.
    """
    if environment.get("FAIRLEAD_NO_MEMORY"):
        return None
    base = environment.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".local", "state")
    return Path(base, "fairlead", "modes.json")


def show(record: Record | str) -> None:
    """Print a record of the dialogue on standard error."""
    print(record, file=sys.stderr, flush=True)
