"""Listings by our client, several at a time: a program that runs at the client of a laboratory.

``python -m lab.listing CA JOBS``: JOBS is a JSON list of objects with ``mode``, ``family`` (or null) and ``tls``; the
first is done alone, so that its time is its own. Prints a JSON list of ``[listing arrived, seconds, complaint]``, the
seconds counted from the login.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fairlead.client.sync import Client
from fairlead.errors import FairleadError
from lab.addresses import SERVER_NAME

USER, PASSWORD = "tester", "secret"
URL = f"ftp://{USER}:{PASSWORD}@{SERVER_NAME}/"
KNOWN_FILE = "readme.txt"
_STEP_LIMIT = 8.0


def _listed(job: dict[str, Any], ca: str) -> tuple[bool, float, str]:
    began = time.monotonic()
    client = Client(
        URL,
        mode=job["mode"],
        family=job["family"],
        tls=job["tls"],
        ca=ca or None,
        connect_timeout=_STEP_LIMIT,
        data_timeout=_STEP_LIMIT,
    )
    try:
        with client:
            began = time.monotonic()
            names = [entry.name for entry in client.scandir()]
            return KNOWN_FILE in names, time.monotonic() - began, ""
    except (FairleadError, OSError) as error:
        return False, time.monotonic() - began, str(error)


def main() -> None:
    """Do the jobs that the command line names."""
    ca, jobs = sys.argv[1], json.loads(sys.argv[2])
    with ThreadPoolExecutor(len(jobs)) as threads:
        results = [_listed(jobs[0], ca), *threads.map(lambda job: _listed(job, ca), jobs[1:])]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
