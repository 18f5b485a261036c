"""Configurations written out: as TOML, as plain values, and the JSON Schema of the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from fairlead.config.models import Config, User
from fairlead.config.section import Section
from fairlead.config.types import annotations_of, fields_of, form_of, item_of, section_of
from fairlead.config.values import Form, PasswordHash

HIDDEN = "(not shown)"
"""In place of a password's hash."""


def plain(value: Any) -> Any:
    """``value`` as dictionaries, lists, text and numbers; hashes of passwords are not shown."""
    if isinstance(value, Section):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, PasswordHash):
        return HIDDEN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, Form) else value


def as_toml(config: Config) -> str:
    """``config`` as a file that sets everything, but for hashes of passwords and for what is unset."""
    values = plain(config)
    tables = [(f"[{name}]", table) for name, table in values.items() if isinstance(table, dict)]
    tables += [(f"[[{name}]]", each) for name, table in values.items() if isinstance(table, list) for each in table]
    return "\n".join(table_as_toml(head, table) for head, table in tables)


def table_as_toml(head: str, table: Mapping[str, Any]) -> str:
    """A table of plain values under its header, with a line end at its end; what is None is left out."""
    return "\n".join([head, *(f"{name} = {_toml(value)}" for name, value in table.items() if value is not None), ""])


def sample() -> str:
    """A file that explains every setting and changes none: it has the defaults as comments."""
    lines = ["# Settings of `fairlead serve --config FILE`. What stands here behind # is the default."]
    for name, kind in fields_of(Config).items():
        section = item_of(kind) or kind
        lines += ["", f"# {section.__doc__}"]
        if section is User:
            lines.append("# `fairlead user add NAME --config FILE` adds one, with the hash of a password.")
        lines.append(f"# [[{name}]]" if item_of(kind) else f"[{name}]")
        lines += _explained(section)
    return "\n".join(lines) + "\n"


def user_as_toml(name: str, password_hash: str, *, write: bool) -> str:
    """The table of one user."""
    lines = ["[[users]]", f"name = {_toml(name)}", f"password = {_toml(password_hash)}"]
    return "\n".join(lines + ["write = true"] * write) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    import msgspec  # noqa: PLC0415 - for this alone

    from fairlead.config.structs import struct_of  # noqa: PLC0415 - as msgspec

    whole = msgspec.json.schema(struct_of(Config), schema_hook=_schema_of_form)
    for section in _sections(Config):
        properties = whole["$defs"][section.__name__]["properties"]
        for name, default in defaults(section).items():
            if default is not None and not isinstance(default, dict):
                properties[name]["default"] = default
        for name, kind in fields_of(section).items():
            item = section_of(item_of(kind))
            if item and item.in_short:
                properties[name]["items"] = {"anyOf": [properties[name]["items"], {"type": "string"}]}
            if form_of(item_of(kind)) or (item and item.in_short):
                properties[name] = {"anyOf": [properties[name], {"type": "string"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Configuration of Fairlead", **whole}


def defaults(section: type[Section]) -> Mapping[str, Any]:
    """The defaults of ``section`` as plain values; what must be given is left out."""
    return {name: plain(value) for name, value in section._field_defaults.items()}


def _explained(section: type[Section]) -> Iterator[str]:
    """Each setting of ``section`` with its meaning and default, in comments."""
    known = defaults(section)
    bare = fields_of(section)
    for name, annotation in annotations_of(section).items():
        item = item_of(bare[name]) or bare[name]
        table = section_of(item)
        form = form_of(fields_of(table)[table.in_short] if table and table.in_short else item)
        yield f"# {': '.join(filter(None, [_description(annotation), form.description if form else '']))}"
        value = known[name] if name in known else form.examples[0] if form else None
        yield f"# {name} is unset" if value is None else f"# {name} = {_toml(value)}"


def _description(kind: Any) -> str:
    metas = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((meta.description for meta in metas if meta.description), "")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items() if each is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _schema_of_form(kind: type[Form]) -> dict[str, Any]:
    return {"type": "string", "description": kind.description, "examples": kind.examples}


def _sections(section: type[Section]) -> Iterator[type[Section]]:
    """``section`` and those that it is made of."""
    yield section
    for kind in fields_of(section).values():
        if inner := section_of(item_of(kind) or kind):
            yield from _sections(inner)
