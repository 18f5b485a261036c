"""curl, lftp and ncftp, as they come; options only for what the row asks for and to keep them silent."""

from __future__ import annotations

from benchmarks.clients.declared import Client
from benchmarks.servers.declared import Family

_URL = "ftp://bench:bench@127.0.0.1:{port}/{remote}"
_NCFTP = ("-V", "-u", "bench", "-p", "bench", "-P", "{port}")
_CURL_MANY = ("{curl}", "-s", "--no-progress-meter", "-Z", "--parallel-max", "4")
_NO_TREES = "curl fetches no trees"


def _lftp(*commands: str) -> tuple[str, ...]:
    return ("{lftp}", "-c", "; ".join(("open -u bench,bench -p {port} 127.0.0.1", *commands)))


CLIENTS = (
    Client(
        name="curl",
        title="curl",
        family=Family.C,
        needs=("curl",),
        commands={
            "client-get": ("{curl}", "-s", "-o", "{local}/file", _URL),
            "client-put": ("{curl}", "-s", "-T", "{local}/file", _URL),
            "client-get-many": (*_CURL_MANY, "-o", "{local}/f#1", f"{_URL}/f[00000-{{last}}]"),
            "client-put-many": (*_CURL_MANY, "-T", "{local}/f[00000-{last}]", f"{_URL}/"),
            "client-list": ("{curl}", "-s", f"{_URL}/"),
        },
        without={
            "client-mirror": _NO_TREES,
            "client-mirror-x4": _NO_TREES,
            "client-mirror-again": _NO_TREES,
        },
        remark="It is told the names of the files in place of listing them, and takes four at a time: one at a time,"
        " this version waits for up to a second after each.",
    ),
    Client(
        name="lftp",
        title="lftp",
        family=Family.C,
        needs=("lftp",),
        commands={
            "client-get": _lftp("get -c /{remote} -o {local}/file"),
            "client-put": _lftp("put {local}/file -o /{remote}"),
            "client-get-many": _lftp("lcd {local}", "mget /{remote}/*"),
            "client-put-many": _lftp("lcd {local}", "mput -O /{remote} *"),
            "client-list": _lftp("ls /{remote}"),
            "client-mirror": _lftp("mirror /{remote} {local}"),
            "client-mirror-x4": _lftp("mirror -P4 /{remote} {local}"),
            "client-mirror-again": _lftp("mirror /{remote} {local}"),
        },
    ),
    Client(
        name="ncftp",
        title="ncftp",
        family=Family.C,
        needs=("ncftpget", "ncftpput", "ncftpls"),
        commands={
            "client-get": ("{ncftpget}", *_NCFTP, "127.0.0.1", "{local}", "/{remote}"),
            "client-put": ("{ncftpput}", *_NCFTP, "127.0.0.1", "/up", "{local}/file"),
            "client-get-many": ("{ncftpget}", "-R", *_NCFTP, "127.0.0.1", "{local}", "/{remote}"),
            "client-put-many": ("sh", "-c", " ".join(("cd {local} && exec {ncftpput}", *_NCFTP, "127.0.0.1 /up *"))),
            "client-list": (
                "{ncftpls}",
                "-l",
                "-u",
                "bench",
                "-p",
                "bench",
                "-P",
                "{port}",
                "ftp://127.0.0.1/{remote}/",
            ),
            "client-mirror": ("{ncftpget}", "-R", "-T", *_NCFTP, "127.0.0.1", "{local}", "/{remote}"),
        },
        without=dict.fromkeys(("client-mirror-x4", "client-mirror-again"), "ncftp has no mirror"),
    ),
)
