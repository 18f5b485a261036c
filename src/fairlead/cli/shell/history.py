"""What may be kept of a line that was typed: passwords never."""

from __future__ import annotations

import re
from difflib import get_close_matches

from fairlead.cli.shell.verbs import Kind, Verb, find, names
from fairlead.cli.shell.words import Word, needs_quotes, quoted, split
from fairlead.client.trace import SECRET_VERBS
from fairlead.errors import ArgumentError, ConfigError
from fairlead.proto.url import parse_url

_LOGIN = re.compile(r"((?:[a-z]+://)?[^/@:\s]*):[^/\s]*@", re.IGNORECASE)
_SECRETIVE = {Kind.SECRET, Kind.URL, Kind.COMMAND, Kind.VERB}


def redacted(line: str) -> str:
    """``line`` without what is secret in it; empty where nothing of it may be kept."""
    if line.lstrip().startswith(("#", "!")):
        return line
    try:
        return _redacted(line, split(line))
    except ConfigError:  # a slip of the pen, to be corrected
        return line if _harmless(line) else ""


def _harmless(line: str) -> bool:
    """Whether what was meant by ``line`` is a verb that is told no secrets."""
    first = line.split(maxsplit=1)[0]
    meant = first if first in names() else next(iter(get_close_matches(first, names(), 1)), None)
    return meant is not None and _SECRETIVE.isdisjoint(place.kind for place in find(meant).parameters)


def _redacted(line: str, words: list[Word]) -> str:
    if not words:
        return line
    verb, *rest = words
    kept: list[str] = [verb]
    while rest and find(verb).takes_verb:  # proxy VERB … has a verb behind a verb
        verb = rest.pop(0)
        kept.append(verb)
    clean = _without_secrets(find(verb), rest)
    if clean is None:
        return ""
    if clean == rest:
        return line
    return " ".join(quoted(word) if needs_quotes(word) else word for word in (*kept, *clean))


def _without_secrets(verb: Verb, words: list[Word]) -> list[str] | None:
    """The words behind ``verb`` that anybody may see; None where it is not certain which these are."""
    shown: list[str] = []
    index = 0
    secretive = any(place.kind is Kind.SECRET for place in verb.parameters)
    beyond = Kind.SECRET if secretive else Kind.WORD  # a password with a space in it, without quotes
    for word in words:
        if word in verb.flags:
            shown.append(word)
            continue
        place = verb.kind_at(index)
        kind = place.kind if place is not None else beyond
        index += 1
        if kind is Kind.COMMAND and word.upper() in SECRET_VERBS:
            return None
        if kind is Kind.SECRET:
            continue
        if kind is Kind.URL and "@" in word:
            if not _is_url(word):
                return None
            shown.append(_LOGIN.sub(r"\1@", word, count=1))
        else:
            shown.append(word)
    return shown


def _is_url(text: str) -> bool:
    try:
        parse_url(text if "://" in text else f"ftp://{text}")
    except ArgumentError:
        return text.startswith("@")
    return True
