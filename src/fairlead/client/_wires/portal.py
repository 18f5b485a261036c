"""From blocking code into work that is done side by side, once for each whole operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def enter(operation: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What ``operation`` gives, run on an event loop of its own; in a thread where this one has a loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(operation())
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: asyncio.run(operation())).result()
