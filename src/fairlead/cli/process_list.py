"""Passwords of the command line, as ``ps`` shows it: overwritten as soon as they were read."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    rb"(?:://|\0)[^\0:@/]*:(?!//)(?P<url>[^\0]*)@"  # in a URL, or in one without its scheme
    rb"|\0--user[\0=][^\0:]*:(?P<user>[^\0]*)"  # of fairlead serve
    rb"|\0(?:-c|--command)[\0=]?[-\s]*(?:us\w*\s+[^\0\s]+|ac\w*)\s+(?P<typed>[^\0]+)"  # user, account
    rb"|\0(?:-c|--command)[\0=]?[-\s]*(?:quo|lit)\w*\s+(?i:pass|acct)\s+(?P<quoted>[^\0]+)"
)
_ARG_START = 48 - 3
"""The field of /proc/PID/stat that tells where the arguments stand (proc(5)), counted from that behind the name."""


def hide_passwords() -> None:
    """Put stars in the place of passwords in the arguments of this process, where other users' programs see them.

    That is done on Linux; elsewhere, and where the kernel does not tell where they stand, nothing is. The arguments
    themselves, which Python has copied, stay as they are.
    """
    try:
        with open("/proc/self/cmdline", "rb") as shown, open("/proc/self/stat", "rb") as told:
            line, fields = shown.read(), told.read().rpartition(b")")[2].split()
    except OSError:
        return
    secrets = [match.span(match.lastgroup) for match in _SECRETS.finditer(line) if match.lastgroup]
    start = int(fields[_ARG_START])
    if not secrets or not start:
        return
    try:  # ctypes would do, but takes as long to import as a twentieth of the start of a server
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            for begin, end in secrets:
                memory.seek(start + begin)
                memory.write(b"*" * (end - begin))
    except OSError:  # a system that lets no process write there
        import ctypes

        for begin, end in secrets:
            ctypes.memset(start + begin, ord("*"), end - begin)
