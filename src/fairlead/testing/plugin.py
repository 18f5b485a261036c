"""The pytest plugin: ``ftp_server``, a real server for the test at hand, and ``misbehaving_ftp_server``.

pytest finds it by its entry point as soon as Fairlead is installed; what it needs is imported by the test that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fairlead.testing.faults.base import Fault
    from fairlead.testing.misbehaving import MisbehavingServer
    from fairlead.testing.served import FtpServer

MARKER = "ftp_server(**options): what the fixture ftp_server is to be, as the arguments of fairlead.testing.serve"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def ftp_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpServer]:
    """A Fairlead server on a free port, with one user who may write and an empty directory of its own.

    ``@pytest.mark.ftp_server(tls="require", users={"ann": "pw"})`` makes it another one, see
    :func:`fairlead.testing.serve`; marks of a class or module hold unless the test's own say otherwise.
    """
    from fairlead.testing.served import serve  # noqa: PLC0415 - every run of pytest imports this module

    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("ftp_server"))):
        options |= mark.kwargs
    root = options.pop("root", None) or tmp_path_factory.mktemp("ftp")
    with serve(root, **options) as server:
        yield server


@pytest.fixture
def misbehaving_ftp_server() -> Iterator[Callable[..., MisbehavingServer]]:
    """Makes servers that do wrong: ``misbehaving_ftp_server("lost-226")``, see :func:`fairlead.testing.misbehave`."""
    from fairlead.testing.misbehaving import misbehave  # noqa: PLC0415 - as above

    with ExitStack() as stack:

        def make(*faults: Fault | str, **options: Any) -> MisbehavingServer:
            return stack.enter_context(misbehave(*faults, **options))

        yield make
