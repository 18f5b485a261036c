"""The reply codes in use and the text each has where nothing better is known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fairlead.proto.reply import Reply

TEXTS: Mapping[int, str] = MappingProxyType(
    {
        110: "Restart marker reply.",
        120: "Service ready in a few minutes.",
        125: "Data connection already open; transfer starting.",
        150: "File status okay; about to open data connection.",
        200: "Command okay.",
        202: "Command not needed at this site.",
        211: "System status.",
        212: "Directory status.",
        213: "File status.",
        214: "Help message.",
        215: "UNIX Type: L8",
        220: "Service ready.",
        221: "Goodbye.",
        225: "Data connection open; no transfer in progress.",
        226: "Closing data connection; transfer complete.",
        227: "Entering Passive Mode.",
        228: "Entering Long Passive Mode.",
        229: "Entering Extended Passive Mode.",
        230: "User logged in, proceed.",
        232: "User logged in, authorized by security data exchange.",
        234: "Security data exchange complete.",
        235: "Security data accepted.",
        250: "Requested file action okay, completed.",
        251: "Checksum follows.",
        252: "Checksums follow.",
        253: "Time set.",
        257: "Path name created.",
        331: "User name okay, need password.",
        332: "Need account for login.",
        334: "Security mechanism accepted, data needed.",
        335: "Security data accepted, more needed.",
        336: "User name okay, need password; challenge follows.",
        350: "Requested file action pending further information.",
        421: "Service not available, closing control connection.",
        425: "Can't open data connection.",
        426: "Connection closed; transfer aborted.",
        431: "Need some unavailable resource to process security.",
        450: "Requested file action not taken: file unavailable, try again later.",
        451: "Requested action aborted: local error in processing.",
        452: "Requested action not taken: insufficient storage space.",
        500: "Syntax error, command unrecognized.",
        501: "Syntax error in parameters or arguments.",
        502: "Command not implemented.",
        503: "Bad sequence of commands.",
        504: "Command not implemented for that parameter.",
        521: "Data connection cannot be opened with this protection level.",
        522: "Network protocol not supported.",
        530: "Not logged in.",
        532: "Need account for storing files.",
        533: "Command protection level denied for policy reasons.",
        534: "Request denied for policy reasons.",
        535: "Failed security check.",
        536: "Requested protection level not supported by mechanism.",
        537: "Command protection level not supported by security mechanism.",
        550: "Requested action not taken: file unavailable.",
        551: "Requested action aborted: page type unknown.",
        552: "Requested file action aborted: exceeded storage allocation.",
        553: "Requested action not taken: file name not allowed.",
        554: "Requested action not taken: invalid restart parameter.",
        555: "Requested action not taken: type or structure mismatch.",
        556: "Requested action not taken: refused by policy.",
        631: "Integrity protected reply.",
        632: "Confidentiality and integrity protected reply.",
        633: "Confidentiality protected reply.",
    }
)

_REPLIES = {code: Reply(code, text) for code, text in TEXTS.items()}


def reply(code: int) -> Reply:
    """The reply of ``code`` with its default text. Raises KeyError for a code not in :data:`TEXTS`."""
    return _REPLIES[code]
