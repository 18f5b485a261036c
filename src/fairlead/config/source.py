"""One of the places that settings come from."""

from __future__ import annotations

from typing import Any

from fairlead.config.places import Keys, line_of, written


class Source:
    """Settings in the shape of the file, tables of tables, and where each was written; ``text`` is the file's own."""

    def __init__(self, values: dict[str, Any] | None = None, *, file: str = "", text: str = "") -> None:
        self.values: dict[str, Any] = {} if values is None else values
        self.file = file
        self.text = text
        self.names: dict[Keys, str] = {}
        """Outside of a file: the option or the variable that holds a setting."""

    def put(self, path: tuple[str, ...], value: Any, name: str) -> None:
        """Add a setting that was written as ``name``."""
        table = self.values
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
        self.names[path] = name

    def holds(self, path: Keys) -> bool:
        """Whether ``path`` is set here, itself or by something shorter that stands for it."""
        value: Any = self.values
        for key in path:
            if isinstance(value, dict):
                if key not in value:
                    return False
                value = value[key]
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
        return True

    def place(self, path: Keys) -> str:
        """Where ``path`` is set, for a person."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.names:
                return self.names[path[:length]]
        for named, name in self.names.items():
            if named[: len(path)] == path:
                return name
        line = line_of(self.text, path)
        return f"{self.file}{f', line {line}' if line else ''}: {written(path)}"
