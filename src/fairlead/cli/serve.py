"""``fairlead serve``: a server until it is told to stop."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare
from fairlead.record import Record

if TYPE_CHECKING:
    from fairlead.accounts.base import Accounts
    from fairlead.config.build import Built
    from fairlead.config.models import Config
    from fairlead.config.source import Source
    from fairlead.server.hosts import Host
    from fairlead.server.server import Server
    from fairlead.server.settings import Settings

_EXAMPLES = """\
examples:
  fairlead serve                                      this directory, to this machine, anonymous, read-only
  fairlead serve /srv/ftp --listen '[::]:2121'        to everyone, over IPv4 and IPv6
  fairlead serve --user me:secret --write             one user who may change files
  fairlead serve --passive-ports 50000-50099 --public-address 203.0.113.7 --listen :21
                                                      behind a NAT that forwards 21 and 50000-50099
  fairlead serve --tls-cert host.pem --tls-key host.key --require-tls --listen :21 --implicit-tls :990
                                                      under TLS only, on request and from the beginning
  fairlead serve --config /etc/fairlead.toml          as the file says; options go over it

SIGTERM and SIGINT let running transfers finish, SIGHUP reads the configuration file again.
"""


class Option(Record):
    """An option that stands for a setting."""

    flag: str
    setting: tuple[str, str]
    metavar: str
    help: str


OPTIONS = (
    Option("--passive-ports", ("server", "passive_ports"), "A-B", "ports of passive mode (default 61000-65535)"),
    Option(
        "--public-address",
        ("server", "public_address"),
        "ADDR|auto",
        "address to announce for passive mode; auto: this machine's own on its way out",
    ),
    Option(
        "--active-source-port",
        ("server", "active_source_port"),
        "N",
        "port that active mode calls from (default: the listener's minus one); 0 for any",
    ),
    Option(
        "--tls-resumption",
        ("tls", "resumption"),
        "off|warn|require",
        "whether data connections must resume the control connection's TLS session (default warn: say who does not)",
    ),
    Option("--workers", ("server", "workers"), "N", "processes that serve (default 1); 0 for one per core"),
    Option("--log-format", ("log", "format"), "text|json", "form of the log on standard error (default text)"),
    Option(
        "--metrics",
        ("metrics", "listen"),
        "HOST:PORT",
        "where Prometheus fetches metrics, such as 127.0.0.1:9121 (default: nowhere)",
    ),
    Option("--idle-timeout", ("server", "idle_timeout"), "S", "seconds until an idle session ends (default 300)"),
    Option("--max-sessions", ("server", "max_sessions"), "N", "sessions at a time; 0 (default) for no limit"),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(
        subparsers,
        "serve",
        _EXAMPLES,
        description="Serve DIRECTORY, by default the current one, to this machine only, until a signal ends it.",
    )
    parser.add_argument("directory", nargs="?", metavar="DIRECTORY", help="what is served")
    parser.add_argument(
        "--listen",
        action="append",
        metavar="HOST:PORT",
        help="where to listen, may be repeated (default 127.0.0.1:2121 and [::1]:2121); no HOST for all addresses",
    )
    parser.add_argument("--config", metavar="FILE", help="a TOML file with further settings; see fairlead config")
    parser.add_argument(
        "--user", action="append", metavar="NAME:PASSWORD", help="a user, may be repeated; turns anonymous access off"
    )
    parser.add_argument("--write", action="store_true", help="let named users change files")
    parser.add_argument("--anonymous", action=argparse.BooleanOptionalAction, help="whether anonymous users may read")
    parser.add_argument("--allow-fxp", action="store_true", help="let data connections go to others than the client")
    certificate = parser.add_mutually_exclusive_group()
    certificate.add_argument(
        "--tls-cert", metavar="FILE", help="TLS with the certificate in this PEM file, with those of its authorities"
    )
    certificate.add_argument(
        "--tls-self-signed", action="store_true", help="TLS with a certificate that is made once and kept"
    )
    parser.add_argument("--tls-key", metavar="FILE", help="the certificate's key (default: in the same file)")
    parser.add_argument("--require-tls", action="store_true", help="refuse logins and data in clear")
    parser.add_argument(
        "--implicit-tls",
        action="append",
        metavar="HOST:PORT",
        help="where TLS comes before FTP, may be repeated; usually port 990",
    )
    for option in OPTIONS:
        parser.add_argument(option.flag, metavar=option.metavar, help=option.help)
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve; the exit status once the server has stopped. Raises ConfigError."""
    gc.disable()  # until the server runs: modules and settings are no garbage, and to look for some takes its time
    from fairlead.cli.announcement import announce
    from fairlead.cli.attendance import allow_many_descriptors, attend
    from fairlead.config.build import build
    from fairlead.config.loader import load
    from fairlead.server.workers import Program

    given = settings(args)
    named = users(args.user or ())

    def made() -> tuple[Config, Built]:
        config = load(args.config, options=given)
        return config, build(config, users=named, write=args.write)

    def again() -> tuple[Settings, Accounts, Sequence[Host]]:
        _, built = made()
        return built.settings, built.accounts, built.hosts

    config, built = made()
    metrics = None
    if config.metrics.listen is not None:
        from fairlead.cli.metering import Metering

        metrics = Metering(config.metrics.listen, built.settings.workers)
    allow_many_descriptors()

    def subscribe(server: Server) -> None:
        attend(server, config, built.stores)
        if metrics is not None:
            metrics.attend(server)

    def ready(addresses: list[tuple[str, int]]) -> None:
        announce(addresses, config.storage.root, built, metrics=None if metrics is None else metrics.url)

    return Program(
        built.settings,
        built.storage,
        built.accounts,
        ready=ready,
        subscribe=subscribe,
        reload=again if args.config or built.settings.tls.certificates else None,
        hosts=built.hosts,
    ).run()


def settings(args: argparse.Namespace) -> Source:
    """The settings that the command line makes. Raises ConfigError for a value that is not of its type."""
    from fairlead.config.loader import typed
    from fairlead.config.source import Source

    source = Source()
    if args.directory is not None:
        source.put(("storage", "root"), args.directory, "DIRECTORY")
    if args.listen:
        source.put(("server", "listen"), args.listen, "--listen")
    if args.allow_fxp:
        source.put(("server", "allow_fxp"), True, "--allow-fxp")
    if args.anonymous is not None:
        source.put(("anonymous", "enabled"), args.anonymous, "--anonymous")
    elif args.user:
        source.put(("anonymous", "enabled"), False, "--user")
    if args.tls_cert or args.tls_self_signed:  # what a file has of either is not in force
        flag = "--tls-cert" if args.tls_cert else "--tls-self-signed"
        source.put(("tls", "self_signed"), args.tls_self_signed, flag)
        source.put(("tls", "certificate"), [args.tls_cert] if args.tls_cert else [], flag)
        source.put(("tls", "key"), [], flag)
    if args.tls_key:
        source.put(("tls", "key"), [args.tls_key], "--tls-key")
    if args.require_tls:
        source.put(("tls", "required"), True, "--require-tls")
    if args.implicit_tls:
        source.put(("tls", "implicit"), args.implicit_tls, "--implicit-tls")
    for option in OPTIONS:
        text = getattr(args, option.flag.removeprefix("--").replace("-", "_"))
        if text is not None:
            source.put(option.setting, typed(text, option.setting, option.flag), option.flag)
    return source


def users(given: Iterable[str]) -> dict[str, str]:
    """Names and passwords of ``NAME:PASSWORD``; a password may hold colons. Raises ConfigError, showing no password."""
    from fairlead.config.values import UserName
    from fairlead.errors import ConfigError

    found: dict[str, str] = {}
    for text in given:
        name, colon, password = text.partition(":")
        if not colon:
            raise ConfigError("--user: write NAME:PASSWORD, such as me:secret")
        try:
            UserName(name)
        except ValueError as error:
            raise ConfigError(f"--user: {error}") from error
        if name in found:
            raise ConfigError(f"--user: {name!r} is given twice; leave one of them")
        found[name] = password
    return found
