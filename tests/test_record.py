"""Records: declared as dataclasses are, without a class of methods for each."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from fairlead.record import Record


class Point(Record):
    x: int
    y: int = 0


class Named(Point):
    name: str = ""


def test_fields_come_in_order_and_by_name() -> None:
    assert (Point(1, 2), Point(x=1, y=2)) == (Point(1, y=2), Point(y=2, x=1))


def test_what_is_not_given_has_its_default() -> None:
    assert (Point(1).y, Point(1)) == (0, Point(1, 0))


def test_fields_of_bases_come_first() -> None:
    assert Named._fields == ("x", "y", "name")
    assert Named(1, 2, "origin").name == "origin"


@pytest.mark.parametrize(("values", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"z": 3})])
def test_fields_that_lack_or_that_there_are_not(values: tuple[int, ...], named: dict[str, int]) -> None:
    made: Any = Point
    with pytest.raises(TypeError, match="Point"):
        made(*values, **named)


def test_a_record_does_not_change() -> None:
    with pytest.raises(AttributeError, match="replace"):
        Point(1).x = 2  # type: ignore[misc]


def test_another_is_made_by_replacing_fields() -> None:
    assert Point(1, 2).replace(y=3) == Point(1, 3)
    with pytest.raises(TypeError, match="Point"):
        Point(1).replace(z=1)


def test_records_are_equal_by_class_and_fields() -> None:
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert len({Point(1), Point(1, 0), Point(2)}) == 2


def test_it_shows_its_fields() -> None:
    assert repr(Named(1, name="a")) == "Named(x=1, y=0, name='a')"


class Login(Record, hidden=("password",)):
    user: str
    password: str = ""

    def __post_init__(self) -> None:
        if not self.user:
            raise ValueError("a login has a user")


class TimedLogin(Login, hidden=("token",)):
    token: str = ""


def test_it_shows_no_secrets() -> None:
    assert repr(TimedLogin("me", "secret", "123456")) == "TimedLogin(user='me')"


def test_what_a_class_refuses_is_refused_however_it_is_made() -> None:
    assert Login("me").replace(password="x").password == "x"
    makers: list[Callable[[], Login]] = [
        lambda: Login(""),
        lambda: TimedLogin(user=""),
        lambda: Login("me").replace(user=""),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="user"):
            make()


def test_copies_are_equal() -> None:
    assert copy.copy(Point(1, 2)) == Point(1, 2)
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)
