"""A session with the server that the command line names."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fairlead.cli.bookmarks import applied
from fairlead.cli.credentials import credentials
from fairlead.cli.failures import say
from fairlead.cli.ladder import tell_failure, trace_of
from fairlead.client.settings import Settings
from fairlead.client.sync import Client
from fairlead.errors import ConfigError, ConnectError, DeadlineError, FairleadError, SessionLost

if TYPE_CHECKING:
    from fairlead.client.known_hosts import KnownHosts
    from fairlead.client.proxy import Proxy
    from fairlead.client.trace import Record, Trace
    from fairlead.proto.url import FtpUrl


@contextmanager
def connected(args: argparse.Namespace, url: FtpUrl, directory: Sequence[str]) -> Iterator[Client]:
    """A client, logged in, in ``directory``: one CWD per segment (RFC 1738 section 3.2.2).

    Raises ConnectError, TlsError, ConfigError, LoginError, ReplyError when there is no such directory.
    """
    there = url.replace(segments=tuple(directory))
    client = client_of(there, settings_of(args, url), trace_of(args, show))
    try:
        begin(client)
        yield client
    except FairleadError as error:
        tell_failure(args, error)
        raise
    finally:
        client.close()


def client_of(url: FtpUrl, settings: Mapping[str, Any], trace: Trace | None) -> Client:
    """A client for ``url``, not connected yet. Raises ArgumentError."""
    return Client(url, **settings, trace=trace)


def begin(client: Client) -> None:
    """Connect and log in. Raises as :func:`connected` does; a session that ended meanwhile never began."""
    try:
        client.connect()
        client.login()
    except (SessionLost, DeadlineError) as error:
        raise ConnectError(str(error)) from error


def settings_of(args: argparse.Namespace, url: FtpUrl) -> dict[str, Any]:
    """The settings of a client, or of many alike, that the command line asks for, and whose login it is.

    Raises ConfigError.
    """
    args = applied(args, url)
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
        "noop_interval": args.keep_alive,
        "active_ports": args.active_ports,
        "active_address": args.active_address,
        "tls": args.tls,
        "ca": args.ca,
        "insecure": args.insecure,
        "pin": args.pin,
        "known_hosts": known_hosts(args),
        "clear_control": args.ccc,
        "virtual_host": args.virtual_host,
        "proxy": proxy_of(args, url),
        "memory": None if args.no_memory else memory_path(os.environ),
    }


def proxy_of(args: argparse.Namespace, url: FtpUrl) -> Proxy | None:
    """The proxy that stands before the server of ``url``, as the command line says, or else the environment.

    Raises ConfigError.
    """
    named = args.proxy
    if named is None and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from fairlead.integrations.proxies import from_environment, proxy

    if named is None:
        named = from_environment(url.scheme, url.host, os.environ)
    return proxy(named, style=args.proxy_style or "") if named else None


def known_hosts(args: argparse.Namespace) -> KnownHosts | None:
    """Which certificates were seen before, where the command line asks for trust on first use.

    Raises ConfigError beside ``--pin`` and ``--insecure``, and where there is no place to keep them.
    """
    if not args.tofu and args.known_hosts is None:
        return None
    if args.insecure or args.pin is not None:
        message = "--tofu and --known-hosts beside --pin or --insecure would say twice whom to trust; leave one out"
        raise ConfigError(message)
    path = args.known_hosts or state_path(os.environ, "known_hosts")
    if path is None:
        message = "there is no home directory to remember certificates in; name a file with --known-hosts"
        raise ConfigError(message)
    from fairlead.client.known_hosts import KnownHosts

    return KnownHosts(path, on_new=partial(_say_new, path))


def _say_new(path: str, server: str, certificate: str) -> None:
    say(f"{server} was not known; its certificate, sha256:{certificate}, is remembered in {path} as the only one")


def memory_path(environment: Mapping[str, str]) -> str | None:
    """Where it is kept which mode served, ``modes.json`` beside what else is kept; see :func:`state_path`.

    None where ``FAIRLEAD_NO_MEMORY`` is set, and where there is no home.
    """
    return None if environment.get("FAIRLEAD_NO_MEMORY") else state_path(environment, "modes.json")


def state_path(environment: Mapping[str, str], name: str) -> str | None:
    """The file ``name`` of ``$XDG_STATE_HOME/fairlead``, below ``~/.local/state`` unless set; None without a home."""
    return user_path(environment, "XDG_STATE_HOME", os.path.join(".local", "state"), name)


def user_path(environment: Mapping[str, str], variable: str, below_home: str, name: str) -> str | None:
    """The file ``fairlead/name`` in the directory ``variable``, or in that ``below_home``; None without a home."""
    base = environment.get(variable, "")
    if not base.startswith("/"):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, below_home)
    return os.path.join(base, "fairlead", name)


def show(record: Record | str) -> None:
    """Print a record of the dialogue on standard error."""
    print(record, file=sys.stderr, flush=True)
