"""The types of settings, read from the models."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fairlead.config.models import Config
from fairlead.config.places import Keys
from fairlead.config.section import Meta, Section
from fairlead.config.values import Form


def fields_of(section: type[Section]) -> Mapping[str, Any]:
    """The names of the settings of ``section`` and their types, bare of constraints and of None."""
    return {name: bare(annotation) for name, annotation in annotations_of(section).items()}


def annotations_of(section: type[Section]) -> Mapping[str, Any]:
    """The names of the settings of ``section`` and their types with all that is said of them."""
    return {name: annotation for base in section.__mro__[-3::-1] for name, annotation in get_annotations(base).items()}


def metas_of(annotation: Any) -> tuple[Meta, ...]:
    """What is said of a setting beside its type."""
    if get_origin(annotation) is Annotated:
        inner, *metas = get_args(annotation)
        return (*metas, *metas_of(inner))
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(meta for each in get_args(annotation) for meta in metas_of(each))
    return ()


def item_of(kind: Any) -> Any:
    """The type of what a list holds; None for what is no list."""
    return bare(get_args(kind)[0]) if get_origin(kind) is list else None


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


def bare(kind: Any) -> Any:
    """The type alone, without what else is said of a setting and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in {Union, UnionType}:
            kind = next(each for each in get_args(kind) if each is not NoneType)
        else:
            return kind
