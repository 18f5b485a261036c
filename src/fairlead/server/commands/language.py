"""The language of replies: LANG (RFC 2640 section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import UnsupportedError
from fairlead.proto.language import parse_tag
from fairlead.proto.reply import Reply
from fairlead.server.language import DEFAULT, TAGS, language
from fairlead.server.registry import Argument, command

if TYPE_CHECKING:
    from fairlead.server.session import Session


def _feature(session: Session) -> str:
    return "LANG " + ";".join(f"{tag}*" if tag == session.language else tag for tag in TAGS)


@command("LANG", syntax="[tag]", argument=Argument.OPTIONAL, login=False, feature=_feature)
async def choose_language(session: Session, argument: str) -> Reply:
    """Choose the language of replies; without a tag, the default one."""
    tag = parse_tag(argument)[0] if argument else DEFAULT
    if tag not in TAGS:
        raise UnsupportedError(f"Replies come in {', '.join(TAGS)}")
    session.speak(tag, await session.server.in_thread(language, tag) if tag != DEFAULT else None)
    return Reply(200, "Replies are in English from now on.")
