"""What the refusal of a login in clear means."""

from __future__ import annotations

import re

from fairlead.reach.cause import Cause

_ABOUT_TLS = re.compile(r"ssl|tls|encrypt|secur", re.IGNORECASE)


def refused_in_clear(text: str) -> Cause:
    """Whether a server that refuses USER, PASS or ACCT with the words ``text`` wants TLS, or another name or password.

    Most answer 530 to both.
    """
    return Cause.TLS_REQUIRED if _ABOUT_TLS.search(text) else Cause.LOGIN_REFUSED
