"""Settings made of plain values: at once where all is well, which is nearly always.

What is not as it should be msgspec is left to find; so it is imported for those who need to be told.
"""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from fairlead.config.section import Meta
from fairlead.config.types import annotations_of, bare, form_of, item_of, metas_of, section_of


class NotPlain(Exception):
    """A value is not of its type, or out of its bounds."""


def made(value: Any, annotation: Any) -> Any:
    """``value``, of a file's tables, lists, text and numbers, as what ``annotation`` asks for. Raises NotPlain."""
    result = _made(value, bare(annotation))
    if not all(_within(result, meta) for meta in metas_of(annotation)):
        raise NotPlain
    return result


def _made(value: Any, kind: Any) -> Any:
    if section := section_of(kind):
        fields = annotations_of(section)
        if not _of_type(value, dict).keys() <= fields.keys() <= value.keys() | section._field_defaults.keys():
            raise NotPlain
        return section(**{name: made(each, fields[name]) for name, each in value.items()})
    if form := form_of(kind):
        try:
            return form(_of_type(value, str))
        except ValueError as error:
            raise NotPlain from error
    if item_of(kind) is not None:
        return [made(each, get_args(kind)[0]) for each in _of_type(value, list)]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise NotPlain
        return value
    return float(_of_type(value, int, float)) if kind is float else _of_type(value, kind)


def _of_type(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise NotPlain
    return value


def _within(value: Any, meta: Meta) -> bool:
    return (
        (meta.ge is None or value >= meta.ge)
        and (meta.gt is None or value > meta.gt)
        and (meta.le is None or value <= meta.le)
        and (meta.min_length is None or len(value) >= meta.min_length)
    )
