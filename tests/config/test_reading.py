"""Settings are read without msgspec, and refused where msgspec refuses them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from fairlead.config.models import Config, Server
from fairlead.config.reading import NotPlain, made
from fairlead.config.structs import fault_of


def test_no_values_are_the_defaults() -> None:
    assert made({}, Config) == Config()


def test_values_become_what_they_stand_for() -> None:
    read = made({"server": {"idle_timeout": 5, "listen": [":21"], "active_source_port": 0}}, Config)
    assert (read.server.idle_timeout, read.server.listen[0].port, read.server.active_source_port) == (5.0, 21, 0)
    assert type(read.server.idle_timeout) is float


@pytest.mark.parametrize(
    "values",
    [
        3, {"servers": {}}, {"server": {"workers": 2.0}}, {"server": {"workers": True}}, {"server": {"workers": -1}},
        {"server": {"listen": []}}, {"server": {"listen": ["21"]}}, {"server": {"active_source_port": 65536}},
        {"log": {"format": "xml"}}, {"log": {"format": []}}, {"users": [{"name": "a"}]}, {"tls": {"key": [None]}},
    ],
)  # fmt: skip
def test_what_is_refused_has_a_fault(values: Any) -> None:
    with pytest.raises(NotPlain):
        made(values, Config)
    assert isinstance(fault_of(values, Config), msgspec.ValidationError)


def test_there_is_no_fault_in_what_is_read() -> None:
    assert made({"workers": 3}, Server).workers == 3
    with pytest.raises(AssertionError):
        fault_of({"workers": 3}, Server)


def test_a_server_starts_without_msgspec() -> None:
    program = (
        "import sys; from fairlead.config.loader import load; from fairlead.config.build import build;"
        " build(load(environment={})); sys.exit('msgspec' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
