"""Records: values with named fields that do not change once they are made, such as events, settings and accounts.

They are declared as dataclasses are. A dataclass writes and compiles methods for each class, half a millisecond every
time the program starts; the methods of records are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """The base of records: the annotated names of a class are its fields, what is assigned to one is its default."""

    _fields: ClassVar[tuple[str, ...]] = ()
    """The names, those of bases first."""
    _all: ClassVar[frozenset[str]] = frozenset()
    _field_defaults: ClassVar[dict[str, Any]] = {}
    _hidden: ClassVar[frozenset[str]] = frozenset()
    """Fields that are secret, which :func:`repr` shows nothing of."""

    def __init_subclass__(cls, *, hidden: Iterable[str] = ()) -> None:
        cls._hidden |= frozenset(hidden)
        cls._fields += tuple(cls.__annotations__)
        cls._all = frozenset(cls._fields)
        cls._field_defaults = {name: getattr(cls, name) for name in cls._fields if hasattr(cls, name)}
        if cls.__post_init__ is not Record.__post_init__:
            cls.__init__ = _checked  # type: ignore[method-assign]

    def __init__(self, *values: Any, **named: Any) -> None:
        if values:
            if len(values) > len(self._fields):
                raise TypeError(f"{type(self).__name__} has no more fields than {', '.join(self._fields)}")
            named |= zip(self._fields, values, strict=False)
        if named.keys() != self._all:
            named = self._field_defaults | named
            if named.keys() != self._all:
                raise TypeError(f"{type(self).__name__} needs {', '.join(self._fields)}; what is given is {named!r}")
        self.__dict__.update(named)

    def __post_init__(self) -> None:
        """Called once the fields have their values, of classes that have it: the place to refuse them."""

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} does not change; replace makes one with another {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in self._fields if name not in self._hidden)
        return f"{type(self).__name__}({', '.join(fields)})"

    def replace(self, **changes: Any) -> Self:
        """The same but for ``changes``. Raises TypeError for a field that there is not."""
        return type(self)(**dict(zip(self._fields, self._values(), strict=True)) | changes)

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields)


_set = Record.__init__


def _checked(self: Record, *values: Any, **named: Any) -> None:
    _set(self, *values, **named)
    self.__post_init__()
