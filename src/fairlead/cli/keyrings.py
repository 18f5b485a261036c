"""Passwords in the keyring of the desktop: GNOME's, KDE's, the macOS Keychain, Windows' credential store.

They are kept as ``keyring set ftp://HOST USER`` keeps them, so that other programs can put them there, too.
"""

from __future__ import annotations

from fairlead.errors import ConfigError
from fairlead.proto.url import PORTS, FtpUrl

_MISSING = "passwords are kept in the keyring by the extra of that name; pip install 'fairlead[keyring]'"


def service(url: FtpUrl) -> str:
    """What the keyring calls the server: ``ftp://host``, with the port where it is not that of the scheme."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"ftp://{host}" + ("" if url.port == PORTS[url.scheme] else f":{url.port}")


def find(url: FtpUrl, user: str) -> str | None:
    """The password of ``user`` at the server of ``url``; None where there is no keyring or it has none."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(service(url), user)
    except KeyringError:  # locked, or of a desktop that is not there
        return None


def save(url: FtpUrl, user: str, password: str) -> None:
    """Keep the password of ``user`` at the server of ``url``. Raises ConfigError where it cannot be kept."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigError(_MISSING) from error
    try:
        keyring.set_password(service(url), user, password)
    except KeyringError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        message = f"the keyring does not take the password ({reason}); ~/.netrc and FAIRLEAD_PASSWORD serve as well"
        raise ConfigError(message) from error
