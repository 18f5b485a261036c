"""Where a user name and a password come from, without one ever being shown."""

from __future__ import annotations

import os
import stat
import sys
from functools import partial

from fairlead.client.settings import Password
from fairlead.errors import ConfigError
from fairlead.proto.url import FtpUrl

PASSWORD_VARIABLE = "FAIRLEAD_PASSWORD"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def credentials(url: FtpUrl) -> tuple[str | None, Password]:
    """The user (None for anonymous) and the password, or a function that finds it once the server asks for one.

    What the URL says goes first, then ``FAIRLEAD_PASSWORD``, then ``~/.netrc``, then the keyring, then the person at
    the terminal.
    """
    user, password = url.user, url.password
    if password is not None:
        return user, password
    given = os.environ.get(PASSWORD_VARIABLE)
    if user is not None and given is not None:
        return user, given
    login = _from_netrc(url.host, user)
    if login is not None:
        return login
    return user, None if user is None else partial(_find, url, user)


def ask(user: str, host: str) -> str:
    """Ask the person at the terminal. Raises ConfigError where there is none."""
    if not sys.stdin.isatty():
        message = f"{user}@{host} needs a password; set {PASSWORD_VARIABLE}, or put it into ~/.netrc or the keyring"
        raise ConfigError(message)
    import getpass

    return getpass.getpass(f"Password of {user} at {host}: ")


def _find(url: FtpUrl, user: str) -> str:
    from fairlead.cli.keyrings import find

    kept = find(url, user)
    return ask(user, url.host) if kept is None else kept


def _from_netrc(host: str, user: str | None) -> tuple[str, str] | None:
    """The login for ``host`` as ``user``, or as whom the file says. Macros in the file are read over, never run.

    A file that others can read or write is not used, which is said where it would have been.
    """
    file = os.path.expanduser("~/.netrc")
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(error) from error
    import netrc

    try:
        entry = netrc.netrc(file).authenticators(host)
    except FileNotFoundError:
        return None
    except (netrc.NetrcParseError, OSError, UnicodeError) as error:
        raise _unusable(error) from error
    if entry is None or not entry[0] or user not in {None, entry[0]}:
        return None
    if reason := _unsafe(status):
        from fairlead.cli.failures import say

        say(f"~/.netrc is not used for {host}, {reason}")
        return None
    return entry[0], entry[2] or ""


def _unusable(error: Exception) -> ConfigError:
    return ConfigError(f"~/.netrc cannot be used ({error}); correct it or move it away")


def _unsafe(status: os.stat_result) -> str:
    """Why a file with these permissions may hold no passwords; empty where it may."""
    if os.name == "nt":
        return ""
    if status.st_uid not in {os.geteuid(), 0}:
        return "since it belongs to somebody else; make it your own"
    if status.st_mode & _OTHERS:
        return "since others may read or change it; chmod 600 ~/.netrc"
    return ""
