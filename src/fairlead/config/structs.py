"""The models as msgspec knows them: for what is wrong with values, and for the JSON Schema."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from fairlead.config.section import Meta, Section
from fairlead.config.types import annotations_of, section_of
from fairlead.config.values import Form

_SIMPLE = (str, int, float, bool, type(None))


_structs: dict[str, type[msgspec.Struct]] = {}
"""Those made so far: a section that is met again must be the same class."""


def struct_of(section: type[Section]) -> type[msgspec.Struct]:
    """``section`` as a class of msgspec, with the same name, fields, bounds, descriptions and defaults."""
    if section.__name__ not in _structs:
        fields: list[Any] = []
        for name, annotation in annotations_of(section).items():
            defaults = [section._field_defaults[name]] if name in section._field_defaults else []
            fields.append((name, _typed(annotation), *map(_default, defaults)))
        _structs[section.__name__] = msgspec.defstruct(
            section.__name__, fields, namespace={"__doc__": section.__doc__}, kw_only=True, forbid_unknown_fields=True
        )
    return _structs[section.__name__]


def _default(value: Any) -> Any:
    return value if type(value) in _SIMPLE or value == [] else msgspec.field(default_factory=lambda: value)


def _typed(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        base, *metas = get_args(kind)
        return Annotated[(_typed(base), *map(_meta, metas))]
    if get_origin(kind) is list:
        return list[_typed(get_args(kind)[0])]  # type: ignore[misc]
    if get_origin(kind) in {Union, UnionType}:
        return Union[tuple(map(_typed, get_args(kind)))]  # noqa: UP007 - of as many as there are
    section = section_of(kind)
    return kind if section is None else struct_of(section)


def _meta(meta: Meta) -> msgspec.Meta:
    said = {name: getattr(meta, name) for name in meta._fields}
    return msgspec.Meta(**{name: value for name, value in said.items() if value not in {None, ""}})


def fault_of(values: Any, section: type[Section]) -> msgspec.ValidationError:
    """What is wrong with ``values`` as those of ``section``, which :mod:`fairlead.config.reading` has refused."""
    try:
        msgspec.convert(values, struct_of(section), dec_hook=_form)
    except msgspec.ValidationError as error:
        return error
    raise AssertionError(f"nothing is wrong with {values!r}")


def _form(kind: type, value: Any) -> Any:
    assert issubclass(kind, Form)
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    return kind(value)
