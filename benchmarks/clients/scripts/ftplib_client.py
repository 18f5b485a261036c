"""ftplib_client.py ROW PORT REMOTE LOCAL: what a row asks for, by Python's ftplib."""

from __future__ import annotations

import sys
from ftplib import FTP
from pathlib import Path


def get(ftp: FTP, remote: str, local: Path) -> None:
    with local.open("wb") as file:
        ftp.retrbinary(f"RETR {remote}", file.write, 1 << 18)


def put(ftp: FTP, local: Path, remote: str) -> None:
    with local.open("rb") as file:
        ftp.storbinary(f"STOR {remote}", file, 1 << 18)


def mirror(ftp: FTP, remote: str, local: Path) -> None:
    local.mkdir(exist_ok=True)
    for name, facts in list(ftp.mlsd(remote)):
        if facts["type"] == "dir":
            mirror(ftp, f"{remote}/{name}", local / name)
        elif facts["type"] == "file":
            get(ftp, f"{remote}/{name}", local / name)


def main(row: str, port: str, remote: str, local: Path) -> None:
    with FTP() as ftp:
        ftp.connect("127.0.0.1", int(port))
        ftp.login("bench", "bench")
        match row:
            case "client-get":
                get(ftp, remote, local / "file")
            case "client-put":
                put(ftp, local / "file", remote)
            case "client-get-many" | "client-mirror":
                mirror(ftp, remote, local)
            case "client-put-many":
                for path in sorted(local.iterdir()):
                    put(ftp, path, f"{remote}/{path.name}")
            case "client-list":
                for name, facts in ftp.mlsd(remote):
                    if facts["type"] in {"file", "dir"}:
                        print(facts["type"], facts.get("size"), facts["modify"], name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
