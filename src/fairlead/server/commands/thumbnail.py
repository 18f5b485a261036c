"""Pictures of pictures: THMB (draft-peterson-streamlined-ftp-command-extensions)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError, UnsupportedError
from fairlead.proto.reply import Reply
from fairlead.server.dispatch import NOT_HERE
from fairlead.server.ranges import octet_number
from fairlead.server.registry import Argument, command
from fairlead.server.rights import permitted
from fairlead.server.sending import Content, send_chunks
from fairlead.server.thumbnails import MADE, can_make, thumbnail
from fairlead.server.work import Work

if TYPE_CHECKING:
    from fairlead.server.session import Session
    from fairlead.storage.base import Storage


def _feature(_: Session) -> str:
    return f"THMB {'|'.join(MADE)} max_width max_height pathname" if can_make() else ""


@command("THMB", syntax="JPEG|PNG width height path", argument=Argument.REQUIRED, data=True, feature=_feature)
async def send_thumbnail(session: Session, argument: str) -> Reply:
    """Send an image made small."""
    if not can_make():
        return NOT_HERE
    kind, *numbers, name = (argument.split(" ", 3) + [""] * 3)[:4]
    if not name:
        raise ArgumentError("THMB takes a format, the largest width and height, and a path")
    width, height = map(octet_number, numbers)
    if not width or not height:
        raise ArgumentError("A picture has at least one pixel")
    if kind.upper() not in MADE:
        raise UnsupportedError(f"Thumbnails are made as {' or '.join(MADE)}")
    path = permitted(session, name, Right.READ)
    image = await Work(session, "THMB", path).run(_pieces(session.storage, path, kind.upper(), width, height))
    return await send_chunks(
        session, "THMB", path, iter((image,)), inline=False, content=Content.PICTURE, opening="Here comes the picture."
    )


def _pieces(storage: Storage, path: str, kind: str, width: int, height: int) -> Generator[int, None, bytes]:
    with closing(storage.open(path)) as source:
        yield 0
        return thumbnail(source, path, kind, width, height)
