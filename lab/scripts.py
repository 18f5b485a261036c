"""Listings by libraries, as their documentation shows it: a program that runs at the client of a laboratory.

``scripts.py LIBRARY HOST USER PASSWORD [CA]`` prints the names in the directory; with CA under TLS.
"""

from __future__ import annotations

import asyncio
import ftplib
import ssl
import sys


def _ftplib(host: str, user: str, password: str, context: ssl.SSLContext | None) -> None:
    ftp = ftplib.FTP(host) if context is None else ftplib.FTP_TLS(host, context=context)
    with ftp:
        ftp.login(user, password)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        ftp.retrlines("LIST")


def _aioftp(host: str, user: str, password: str, context: ssl.SSLContext | None) -> None:
    import aioftp  # noqa: PLC0415 - the other library needs not have it

    async def listed() -> None:
        client = aioftp.Client()
        await client.connect(host)
        if context is not None:
            await client.upgrade_to_tls(context)
        await client.login(user, password)
        for path, _ in await client.list():
            print(path)
        await client.quit()

    asyncio.run(listed())


def main() -> None:
    """List with the library that the command line names."""
    library, host, user, password, *ca = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca[0]) if ca else None
    {"ftplib": _ftplib, "aioftp": _aioftp}[library](host, user, password, context)


if __name__ == "__main__":
    main()
