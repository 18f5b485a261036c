"""Which replies a command may have: one table, by which both ends are judged.

The base is RFC 959 section 5.4; later documents and settled practice add to it, as each row says. A command is
answered by one reply of success, intermediate or failure; or by one preliminary reply and then one of success or
broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

MARKER = 110
"""May come any number of times between the preliminary and the final reply (RFC 1123 section 4.1.3.4)."""


class Sequence(NamedTuple):
    """The legal replies of one command."""

    preliminary: frozenset[int]
    success: frozenset[int]
    intermediate: frozenset[int]
    failure: frozenset[int]
    """When no preliminary reply was sent."""
    broken: frozenset[int]
    """Failure after a preliminary reply."""


def legal(verb: str, code: int, *, preliminary_seen: bool = False) -> bool:
    """Whether ``code`` may answer ``verb`` now; ``preliminary_seen`` says whether its 1yz reply came already.

    The verb ``""`` stands for the connection being made, which the greeting answers. A verb that is in no document
    can only be refused. A transfer has no success without its preliminary reply, any other command may do without.
    """
    verb = verb.upper()
    sequence = SEQUENCES.get(verb, _REFUSED)
    if preliminary_seen:
        return code in sequence.success or code in sequence.broken or (code == MARKER and verb in TRANSFERS)
    if code in sequence.success:
        return verb not in TRANSFERS
    return code in sequence.preliminary or code in sequence.intermediate or code in sequence.failure


def _codes(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split()))


def _row(success: str, failure: str, *, preliminary: str = "", intermediate: str = "", broken: str = "") -> Sequence:
    return Sequence(_codes(preliminary), _codes(success), _codes(intermediate), _codes(failure), _codes(broken))


def _transfer(failure: str, broken: str) -> Sequence:
    # RFC 959 and, of a data connection's protection, RFC 4217 section 10.2, RFC 2228 section 6. A data connection that
    # cannot be had may be told at once (425); after EPSV ALL one must be asked for (503, RFC 2428 section 4).
    return _row(
        "226 250",
        f"{_ANY} 502 530 425 503 521 522 534 {failure}",
        preliminary="125 150",
        broken=f"421 425 426 451 522 535 {broken}",
    )


# Codes that stand in nearly every row of the table.
_ANY = "421 500 501"
_FILES = f"{_ANY} 502 530 550"
# RFC 1123 section 4.1.2.11 wants 4yz wherever the same command may succeed later; 450 is what a store that is busy
# (EBUSY, EMFILE) has for it, 452 a store that is full.
_BUSY = "450"
_FULL = "452"
# What takes long is stopped by ABOR; RFC 959 section 4.1.3 answers the stopped command with 426.
_LONG = "426"

_CWD = _row("250", f"{_FILES} {_BUSY}")
_RMD = _row("250", f"{_FILES} {_BUSY}")
_MKD = _row("257", f"{_FILES} {_BUSY} {_FULL} 521")  # 521: RFC 959 appendix II
_PWD = _row("257", _FILES)
_STORE = "450 452 532 553 554 555"  # 554, 555: RFC 1123 section 4.1.3.4
_DATED = _row("213", f"{_FILES} {_BUSY} 504")
_SUM = _row("250", f"{_FILES} {_BUSY} {_LONG} 504 551 552 553 556")
_REFUSED = _row("", "421 500 502")

SEQUENCES: Mapping[str, Sequence] = MappingProxyType(
    {
        "": _row("220", "421", preliminary="120", broken="421"),
        # RFC 959 section 5.4; 232, 336, 533 and 534 of USER and PASS: RFC 2228, RFC 4217 section 4.2
        "USER": _row("230 232", f"{_ANY} 503 530 533 534", intermediate="331 332 336"),
        "PASS": _row("202 230", f"{_ANY} 503 530 533 534", intermediate="332"),
        "ACCT": _row("202 230", f"{_ANY} 503 530"),
        "CWD": _CWD,
        "CDUP": _row("200 250", f"{_FILES} {_BUSY}"),
        "SMNT": _row("202 250", _FILES),
        "REIN": _row("220", f"{_ANY} 502", preliminary="120", broken="421"),
        "QUIT": _row("221", _ANY),
        "PORT": _row("200", f"{_ANY} 502 503 504 522 530"),
        "PASV": _row("227", f"{_ANY} 425 502 503 522 530"),
        "TYPE": _row("200", f"{_ANY} 504 530"),
        "STRU": _row("200", f"{_ANY} 504 530"),
        "MODE": _row("200", f"{_ANY} 504 530"),
        "ALLO": _row("200 202", f"{_ANY} 504 530 552"),
        "REST": _row("350", f"{_ANY} 502 530"),
        "STOR": _transfer(f"{_STORE} {_LONG}", "551 552"),
        "STOU": _transfer(_STORE, "551 552"),
        "APPE": _transfer(f"{_STORE} {_LONG} 550", "551 552"),
        "RETR": _transfer(f"450 {_LONG} 550 554 555", ""),
        "LIST": _transfer("450 550", ""),
        "NLST": _transfer("450 550", ""),
        "RNFR": _row("", f"{_FILES} {_BUSY}", intermediate="350"),
        "RNTO": _row("250", f"{_ANY} 502 503 530 532 553 {_BUSY} {_FULL}"),
        "DELE": _row("250", f"{_FILES} {_BUSY}"),
        "RMD": _RMD,
        "MKD": _MKD,
        "PWD": _PWD,
        "ABOR": _row("225 226", f"{_ANY} 502"),
        "SYST": _row("215", f"{_ANY} 502"),
        "STAT": _row("211 212 213", f"{_ANY} 450 502 530"),
        "HELP": _row("211 214", f"{_ANY} 502"),
        "NOOP": _row("200", _ANY),
        # The subcommands that are settled practice (CHMOD, UTIME, SYMLINK, CPFR, CPTO, HELP) bring their own codes
        "SITE": _row("200 202 214 250", f"{_FILES} {_BUSY} {_FULL} {_LONG} 503 504", intermediate="350"),
        # RFC 1123 section 4.1.3.1
        "XCWD": _CWD,
        "XCUP": _row("200 250", f"{_FILES} {_BUSY}"),
        "XMKD": _MKD,
        "XRMD": _RMD,
        "XPWD": _PWD,
        # RFC 1639
        "LPRT": _row("200", f"{_ANY} 502 503 504 521 530"),  # 504: RFC 2577 section 3, as for PORT
        "LPSV": _row("228", f"{_ANY} 425 502 503 521 530"),
        # RFC 2228 section 5.4, RFC 4217
        "AUTH": _row("234", f"{_ANY} 431 502 503 504 530 534", intermediate="334"),
        "ADAT": _row("235", f"{_ANY} 431 502 503 530 535", intermediate="335"),
        "PBSZ": _row("200", f"{_ANY} 502 503 530"),
        "PROT": _row("200", f"{_ANY} 431 502 503 504 530 534 536"),
        "CCC": _row("200", f"{_ANY} 502 503 530 533 534 537"),
        "MIC": _row("", f"{_ANY} 502 503 533 535 537"),
        "CONF": _row("", f"{_ANY} 502 503 533 535 537"),
        "ENC": _row("", f"{_ANY} 502 503 533 535 537"),
        "CPSV": _row("227", f"{_ANY} 425 502 503 504 522 530"),
        "SSCN": _row("200", f"{_ANY} 502 503 504 530"),
        # RFC 2389
        "FEAT": _row("211", f"{_ANY} 502"),
        "OPTS": _row("200", f"{_ANY} 451 502 530"),
        # RFC 2428; 504: RFC 2577 section 3
        "EPRT": _row("200", f"{_ANY} 502 503 504 522 530"),
        "EPSV": _row("200 229", f"{_ANY} 425 502 503 522 530"),
        # RFC 2640, RFC 7151
        "LANG": _row("200", f"{_ANY} 502 504 530"),
        "HOST": _row("220", f"{_ANY} 502 503 504 530"),
        # RFC 3659; 250 and 253 answer the form of MDTM that sets a time
        "MDTM": _row("213 250 253", f"{_FILES} {_BUSY}"),
        "SIZE": _row("213", f"{_FILES} {_BUSY} {_LONG} 504"),
        "MLST": _row("250", f"{_FILES} {_BUSY} 504"),
        "MLSD": _transfer("450 550", ""),
        # draft-somers-ftp-mfxx
        "MFMT": _DATED,
        "MFCT": _DATED,
        "MFF": _DATED,
        # draft-bryan-ftpext-hash, draft-bryan-ftp-range, draft-twine-ftpmd5 and the checksums of vendors
        "HASH": _row("213", f"{_FILES} {_BUSY} {_LONG} 504 551 552 553 556"),
        "RANG": _row("", f"{_ANY} 502 530 551 552", intermediate="350"),
        "MD5": _row("251", f"{_FILES} {_BUSY} {_LONG} 504"),
        "MMD5": _row("252", f"{_FILES} {_BUSY} {_LONG} 504"),
        **dict.fromkeys(("XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512"), _SUM),
        # draft-peterson-streamlined-ftp-command-extensions and what clients bring along
        "AVBL": _row("213", f"{_FILES} {_BUSY}"),
        "DSIZ": _row("213", f"{_FILES} {_BUSY} {_LONG}"),
        "RMDA": _row("250", f"{_FILES} {_BUSY} {_LONG}"),
        "CSID": _row("200", f"{_ANY} 502"),
        "THMB": _transfer(f"450 504 550 {_LONG}", ""),
        "COMB": _row("250", f"{_FILES} {_BUSY} {_FULL} {_LONG} 552 553"),
        "CLNT": _row("200", f"{_ANY} 502 530"),
        "PRET": _row("200", f"{_ANY} 502 530"),
    }
)
"""Verb in upper case to its legal replies."""

TRANSFERS = frozenset(verb for verb, sequence in SEQUENCES.items() if 150 in sequence.preliminary)
"""The verbs that move data over a data connection."""
