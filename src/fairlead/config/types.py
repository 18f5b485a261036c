"""The types of settings, read from the models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from fairlead.config.models import Config, Section
from fairlead.config.places import Keys
from fairlead.config.values import Form


@cache
def fields_of(section: type[Section]) -> Mapping[str, Any]:
    """The names of the settings of ``section`` and their types, bare of constraints and of None."""
    return {field.name: _bare(field.type) for field in msgspec.structs.fields(section)}


def item_of(kind: Any) -> Any:
    """The type of what a list holds; None for what is no list."""
    return _bare(get_args(kind)[0]) if get_origin(kind) is list else None


def section_of(kind: Any) -> type[Section] | None:
    """``kind`` when it is a table of settings."""
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def form_of(kind: Any) -> type[Form] | None:
    """``kind`` when it is text of a certain form."""
    return kind if isinstance(kind, type) and issubclass(kind, Form) else None


def type_at(path: Keys) -> Any:
    """The type of the setting ``path``; None where there is no such setting."""
    kind: Any = Config
    for key in path:
        if isinstance(key, int):
            kind = item_of(kind)
        elif section := section_of(kind):
            kind = fields_of(section).get(key)
        else:
            return None
    return kind


def _bare(kind: Any) -> Any:
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in {Union, UnionType}:
            kind = next(each for each in get_args(kind) if each is not NoneType)
        else:
            return kind
