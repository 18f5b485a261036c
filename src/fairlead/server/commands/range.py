"""Choosing octets of a file: RANG (draft-bryan-ftp-range)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import ArgumentError
from fairlead.proto.codec import is_identity
from fairlead.proto.reply import Reply
from fairlead.server.ranges import Range, octet_number
from fairlead.server.registry import Argument, command

if TYPE_CHECKING:
    from fairlead.server.session import Session

WHOLE = (1, 0)
"""The range that stands for the whole file."""


@command("RANG", syntax="first last", argument=Argument.REQUIRED, feature="RANG STREAM")
def choose_range(session: Session, argument: str) -> Reply:
    """Choose the octets, from 0 and the last one included, that the next RETR, STOR or HASH is about."""
    words = argument.split(" ")
    if len(words) != 2:
        raise ArgumentError("RANG takes the first and the last octet, such as 0 499; RANG 1 0 means all")
    first, last = map(octet_number, words)
    if (first, last) == WHOLE:
        return Reply(350, "The next transfer is about the whole file.")
    if first > last:
        raise ArgumentError("The range ends before it begins; the next transfer is about the whole file")
    if not is_identity(session.representation):
        return Reply(551, "RANG counts octets under TYPE I, STRU F and MODE S only.")
    session.range = Range(first, last + 1)
    return Reply(350, f"The next transfer begins at octet {first} and ends with octet {last}.")
