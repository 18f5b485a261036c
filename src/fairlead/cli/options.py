"""The options that the client's verbs share, declared once."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, get_args

from fairlead.cli.bookmarks import UnsetNumber, UnsetWord, expanded, is_bookmark, with_options
from fairlead.client.proxy import STYLES
from fairlead.client.rate import Rate
from fairlead.client.settings import ModeSetting, TlsSetting, fingerprint
from fairlead.errors import ArgumentError, ConfigError
from fairlead.proto.url import FtpUrl, parse_url

_HIGHEST_PORT = 0xFFFF
_RATE = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LITERAL = re.compile("%(?:2A|3F|5B)", re.IGNORECASE)
"""What would be a pattern, escaped in a URL."""


PARALLEL = 4
"""Sessions at once for a directory or many files, unless the command line says."""
MANY = 24
"""Files from which on they are many."""
"""Sessions at once of the verbs that take as many as pays."""
_MOST_SESSIONS = 64
RETRIES = 3
"""How many times in a row the verbs try again what failed for now."""


def add_session_options(parser: argparse.ArgumentParser, *, transfers: bool = True) -> None:
    """What every verb that talks to a server understands; with ``transfers`` also how they go."""
    group = parser.add_argument_group("how to connect")
    group.add_argument(
        "--mode",
        choices=get_args(ModeSetting),
        default=UnsetWord("auto"),
        help="how data connections are made; auto (the default) finds out and remembers what works",
    )
    group.add_argument(
        "--no-memory",
        action="store_true",
        help="neither use nor write down which mode served last with this server in this network",
    )
    group.add_argument(
        "--tls",
        choices=get_args(TlsSetting),
        default=UnsetWord("auto"),
        help="auto (the default) uses TLS wherever the server offers it, require (and ftpes://) never logs in without, "
        "implicit (and ftps://) begins with it, off goes in clear",
    )
    group.add_argument(
        "--ca", metavar="FILE", help="trust the certificates of this PEM file instead of the system's authorities"
    )
    group.add_argument(
        "--pin",
        type=sha256,
        metavar="SHA256",
        help="trust exactly the certificate with this SHA-256 (openssl x509 -noout -fingerprint -sha256 shows it)",
    )
    group.add_argument(
        "--tofu",
        action="store_true",
        help="trust the certificate that a server shows first, remember it, and take no other from then on",
    )
    group.add_argument(
        "--known-hosts", metavar="FILE", help="remember certificates in FILE; the default has a place of its own"
    )
    group.add_argument(
        "--insecure", action="store_true", help="accept any certificate: whoever is in between can read everything"
    )
    group.add_argument(
        "--ccc",
        action="store_true",
        help="after a login under TLS send commands in clear, for NATs that must read along; data stays protected",
    )
    group.add_argument(
        "--virtual-host",
        action="store_true",
        help="tell the server by HOST which name it was called by, before the login",
    )
    family = group.add_mutually_exclusive_group()
    family.add_argument("-4", dest="family", action="store_const", const=4, help="use IPv4 only")
    family.add_argument("-6", dest="family", action="store_const", const=6, help="use IPv6 only")
    group.add_argument(
        "--active-ports",
        type=port_range,
        metavar="A-B",
        help="ports to wait on for the server's call in active mode (EPRT, PORT)",
    )
    group.add_argument(
        "--active-address",
        type=numeric_address,
        metavar="ADDR",
        help="address to announce in active mode, where it differs from our own (NAT)",
    )
    group.add_argument(
        "--timeout", type=seconds, metavar="S", help="give up after S seconds without an answer or without progress"
    )
    if transfers:
        group.add_argument(
            "--proxy",
            metavar="URL",
            help="go by way of this proxy: socks5h://, socks4a://, http:// (CONNECT) or ftp://, each with "
            "[USER:PASSWORD@]HOST[:PORT]; the default is what ftp_proxy, all_proxy and no_proxy say, empty is none",
        )
        group.add_argument(
            "--proxy-style",
            choices=tuple(STYLES),
            help="how an ftp:// proxy is told where to go on to; user (USER NAME@HOST) unless it has users of its own",
        )
        group.add_argument(
            "--limit-rate",
            type=rate,
            metavar="N",
            help="move no more than N octets per second, all transfers and both ways together; k, M and G stand for "
            "1024 of each other",
        )
        group.add_argument(
            "--keep-alive",
            type=seconds,
            metavar="S",
            help="send NOOP every S seconds during transfers, where a router forgets the control connection meanwhile",
        )
        group.add_argument(
            "--retries",
            type=count,
            default=UnsetNumber(RETRIES),
            metavar="N",
            help="try again N times in a row what failed for now (4yz, a lost session, a cut or stalled data "
            f"connection), going on where it ended; the default is {RETRIES}",
        )
    else:
        parser.set_defaults(retries=0, limit_rate=None, keep_alive=None, proxy="", proxy_style=None)
    group.add_argument(
        "-d",
        "--debug",
        action="store_true",
        help="show each command and reply, what the data connections do, and where an error came from",
    )


class SessionOptions(argparse.ArgumentParser):
    """Understands the options of a session away from the command line, of ``where``; what is not said has no value.

    What is wrong with them is raised as ConfigError.
    """

    def __init__(self, where: str) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self._where = where
        add_session_options(self)
        self.defaults = {action.dest: action.default for action in self._actions}
        """What the command line takes for what is not said."""
        for action in self._actions:
            action.default = argparse.SUPPRESS

    @property
    def options(self) -> Sequence[argparse.Action]:
        """The options that it understands."""
        return self._actions

    def error(self, message: str) -> NoReturn:
        """See the base class."""
        raise ConfigError(f"{self._where}: {message}")


def add_resume_option(parser: argparse.ArgumentParser) -> None:
    """``--resume``, of the verbs that write files."""
    parser.add_argument("--resume", action="store_true", help="go on where an earlier transfer ended")


def add_recursive_option(parser: argparse.ArgumentParser) -> None:
    """``--recursive``, of the verbs that copy files."""
    parser.add_argument(
        "-r",
        "--recursive",
        action="store_true",
        help="copy directories with all they hold, and no links; what is there already, as large and as old, is not "
        "copied again",
    )
    parser.set_defaults(verbose=False)


def add_parallel_option(parser: argparse.ArgumentParser, default: int | None, meaning: str) -> None:
    """``--parallel N``, of the verbs that may use several sessions at once."""
    parser.add_argument("--parallel", type=sessions, default=default, metavar="N", help=meaning)


def sessions(text: str) -> int:
    """A number of sessions."""
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= _MOST_SESSIONS:
        message = f"{text!r} is no number of sessions; write for example 4"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def add_fidelity_options(parser: argparse.ArgumentParser) -> None:
    """``--verify`` and ``--times``, of the verbs that copy files."""
    parser.add_argument(
        "--verify",
        action="store_true",
        help="hold each copy against the original by HASH, else XSHA256 and its kin, else the size",
    )
    parser.add_argument("--times", action="store_true", help="give each copy the time of the original")


def as_text(args: argparse.Namespace, url: FtpUrl) -> bool:
    """Whether ``url`` asks for TYPE A. Raises ConfigError beside options that count octets."""
    text = url.type == "A"
    if text and (args.resume or args.verify):
        message = f"{url} changes line ends, so that nothing can be resumed or verified; leave ;type=a out"
        raise ConfigError(message)
    return text


def refuse_text(url: FtpUrl) -> None:
    """Raises ConfigError where ``url``, of a directory, asks for TYPE A."""
    if url.type == "A":
        message = f"{url} changes line ends, which directories are not copied with; leave ;type=a out"
        raise ConfigError(message)


def ftp_url(text: str) -> FtpUrl:
    """An argument that is an ``ftp://``, ``ftpes://`` or ``ftps://`` URL, or a bookmark."""
    return _parsed(*_expanded(text))


def _expanded(text: str) -> tuple[str, Mapping[str, Any]]:
    try:
        return expanded(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parsed(text: str, options: Mapping[str, Any]) -> FtpUrl:
    if "://" not in text:
        message = f"{text!r} is no URL; write ftp://[user@]host/path"
        raise argparse.ArgumentTypeError(message)
    try:
        return with_options(parse_url(text), options)
    except ArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def server_url(text: str) -> FtpUrl:
    """An argument that is a URL, a bookmark, or a bare ``host[:port]``."""
    return ftp_url(text if "://" in text or is_bookmark(text) else f"ftp://{text}")


def pattern_url(text: str) -> FtpUrl:
    """An argument that is a URL in which ``*``, ``?`` and ``[a-z]`` match names; ``%2A`` stands for a star."""
    url, options = _expanded(text)
    scheme, sep, rest = url.partition("://")
    server, slash, path = rest.partition("/")
    return _parsed(scheme + sep + server + slash + _LITERAL.sub(r"%5B\g<0>%5D", path), options)


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """``--json``, of the verbs that copy files or change names."""
    parser.add_argument("--json", action="store_true", help="print a list of objects, one for each thing done")


def sha256(text: str) -> str:
    """The SHA-256 of a certificate."""
    try:
        return fingerprint(text)
    except ArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def file_url(text: str) -> FtpUrl:
    """An argument that is the URL of a file."""
    url = ftp_url(text)
    if url.directory:
        message = f"{url} names a directory; name a file, or list it with fairlead ls"
        raise argparse.ArgumentTypeError(message)
    return url


def port_range(text: str) -> range:
    """``A-B`` or a single port, from 1 to 65535."""
    first, dash, last = text.partition("-")
    try:
        ports = range(int(first), int(last if dash else first) + 1)
    except ValueError:
        ports = range(0)
    if not ports or ports.start < 1 or ports.stop - 1 > _HIGHEST_PORT:
        message = f"{text!r} is no range of ports; write for example 50000-50100"
        raise argparse.ArgumentTypeError(message)
    return ports


def numeric_address(text: str) -> str:
    """An IPv4 or IPv6 address."""
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        message = f"{text!r} is no IP address; write for example 203.0.113.7"
        raise argparse.ArgumentTypeError(message) from None


def rate(text: str) -> Rate:
    """Octets per second, such as ``200k``; one object for all that the command line does."""
    match = _RATE.fullmatch(text)
    octets = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if not octets:
        message = f"{text!r} is no rate; write for example 200k or 1.5M"
        raise argparse.ArgumentTypeError(message)
    return Rate(octets)


def count(text: str) -> int:
    """A number from 0 on."""
    if not (text.isascii() and text.isdecimal()):
        message = f"{text!r} is no number; write for example 3"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        message = f"{text!r} is no number of seconds; write for example 30"
        raise argparse.ArgumentTypeError(message)
    return value
