"""Uploads that end while others are being flushed to the same disk: committed together by the next flush.

One thread works for each disk at a time. What is large is committed by itself, so that it holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fairlead.server.failures import AbortedError
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from asyncio import Future

    from fairlead.errors import StorageError
    from fairlead.storage.base import Together, Upload

LARGE = 1 << 20
"""Octets from which on an upload is committed by itself."""

InThread = Callable[..., "Future[Any]"]
"""``(function, *arguments)``, run in a thread."""


class Commits:
    """Commits uploads; for one event loop."""

    def __init__(self, in_thread: InThread) -> None:
        self._in_thread = in_thread
        self._waiting: dict[Together, list[tuple[Upload, Wait]]] = {}
        """For each disk that is at work, what ended meanwhile."""

    async def commit(self, upload: Upload) -> None:
        """As :meth:`fairlead.storage.base.Upload.commit`, without blocking the event loop."""
        together = upload.together
        if upload.prompt:
            upload.commit()
        elif together is None or upload.position >= LARGE:
            await self._in_thread(upload.commit)
        else:
            wait = Wait()
            if together in self._waiting:
                self._waiting[together].append((upload, wait))
            else:
                self._begin(together, [(upload, wait)])
            await wait

    def _begin(self, together: Together, group: Sequence[tuple[Upload, Wait]]) -> None:
        self._waiting[together] = []
        working = self._in_thread(together.commit_all, [upload for upload, _ in group])
        working.add_done_callback(lambda done: self._ended(together, group, done))

    def _ended(
        self, together: Together, group: Sequence[tuple[Upload, Wait]], done: Future[list[StorageError | None]]
    ) -> None:
        following = self._waiting.pop(together)
        if following:
            try:
                self._begin(together, following)
            except RuntimeError:  # the server has stopped meanwhile
                for _, wait in following:
                    wait.end(AbortedError("The server is shutting down"))
        fault = done.exception()
        failures: Sequence[BaseException | None] = [fault] * len(group) if fault is not None else done.result()
        for (_, wait), failure in zip(group, failures, strict=True):
            wait.end(failure if isinstance(failure, Exception) else None)
