"""Where a user name and a password come from, without one ever being shown."""

from __future__ import annotations

import getpass
import netrc
import os
import sys
from functools import partial

from fairlead.client.settings import Password
from fairlead.errors import ConfigError
from fairlead.proto.url import FtpUrl

PASSWORD_VARIABLE = "FAIRLEAD_PASSWORD"


def credentials(url: FtpUrl) -> tuple[str | None, Password]:
    """The user (None for anonymous) and the password, or a function that asks for it once the server does.

    What the URL says goes first, then ``FAIRLEAD_PASSWORD``, then ``~/.netrc``, then the person at the terminal.
    """
    user, password = url.user, url.password
    if password is not None:
        return user, password
    given = os.environ.get(PASSWORD_VARIABLE)
    if user is not None and given is not None:
        return user, given
    login = _from_netrc(url.host)
    if login is not None and user in {None, login[0]}:
        return login
    return user, None if user is None else partial(_ask, user, url.host)


def _from_netrc(host: str) -> tuple[str, str] | None:
    try:
        entry = netrc.netrc().authenticators(host)
    except FileNotFoundError:
        return None
    except (netrc.NetrcParseError, OSError, UnicodeError) as error:
        message = f"~/.netrc cannot be used ({error}); correct it or move it away"
        raise ConfigError(message) from error
    if entry is None or not entry[0]:
        return None
    return entry[0], entry[2] or ""


def _ask(user: str, host: str) -> str:
    if not sys.stdin.isatty():
        message = f"{user}@{host} needs a password; set {PASSWORD_VARIABLE}, or put it into ~/.netrc"
        raise ConfigError(message)
    return getpass.getpass(f"Password of {user} at {host}: ")
