"""fairlead_client.py ROW PORT REMOTE LOCAL: what a row asks for, by Fairlead's blocking client."""

from __future__ import annotations

import sys
from pathlib import Path

import fairlead


def mirror(ftp: fairlead.Client, remote: str, local: Path) -> None:
    local.mkdir(exist_ok=True)
    for entry in ftp.scandir(remote):
        if entry.kind == "directory":
            mirror(ftp, f"{remote}/{entry.name}", local / entry.name)
        elif entry.kind == "file":
            ftp.download(f"{remote}/{entry.name}", local / entry.name)


def main(row: str, port: str, remote: str, local: Path) -> None:
    with fairlead.Client(f"ftp://bench:bench@127.0.0.1:{port}") as ftp:
        match row:
            case "client-get":
                ftp.download(remote, local / "file")
            case "client-put":
                ftp.upload(local / "file", remote)
            case "client-get-many" | "client-mirror":
                mirror(ftp, remote, local)
            case "client-put-many":
                for path in sorted(local.iterdir()):
                    ftp.upload(path, f"{remote}/{path.name}")
            case "client-list":
                for entry in ftp.scandir(remote):
                    print(entry.kind, entry.size, entry.modified, entry.name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
