"""FTP servers at the far end: Fairlead, and those of others as ``make peers`` unpacks them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.addresses import CONTROL_PORT, PASSIVE_PORTS, SERVER_NAME, Host
from lab.laboratory import Lab
from lab.listing import KNOWN_FILE, PASSWORD, USER
from tests.certificates import make

LARGE_FILE = "large.bin"
LARGE_SIZE = 16_000_000
"""More than the topology ``cutter`` lets through, and than the buffers of two systems hold: a server whose data were
all taken at once would be done while a client reads slowly."""
FAIRLEAD = Path(sys.executable).with_name("fairlead")
_UNPACKED = Path(__file__).parents[1] / ".cache" / "peers"
_OWNER, _OWNER_ID = "daemon", 1
_PRIVATE = Path("/etc/ssl/private")
"""Where Debian keeps keys; what a server finds there is its laboratory's own."""
_DEADLINE = 20.0


class Protection(StrEnum):
    """What the server thinks of TLS."""

    CLEAR = "clear"
    REQUIRED = "required"
    OFFERED = "offered"

    @property
    def tls(self) -> bool:
        """Whether the server has a certificate."""
        return self is not Protection.CLEAR


class Unavailable(Exception):
    """A server's program is not on this machine; the text names the Debian package."""


@dataclass(slots=True)
class Served:
    """A server that answers in a laboratory; ``extra`` are lines that were added to its configuration."""

    lab: Lab
    name: str
    protection: Protection
    process: subprocess.Popen[bytes]
    place: Path

    @property
    def certificate(self) -> Path:
        """What a client trusts."""
        return self.place / "server.pem"

    def log(self) -> str:
        """What the server wrote."""
        return (self.place / "log").read_text(errors="replace")


def program(name: str, package: str = "") -> str:
    """The path of a program; raises Unavailable where it is not there."""
    folders = [
        str(_UNPACKED / "usr/sbin"),
        str(_UNPACKED / "usr/bin"),
        os.environ.get("PATH", ""),
        "/usr/sbin",
        "/sbin",
    ]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        message = f"needs the Debian package {package or name}"
        raise Unavailable(message)
    return found


def _fairlead(lab: Lab, place: Path, protection: Protection, extra: Sequence[str]) -> list[str | Path]:
    words: list[str | Path] = [FAIRLEAD, "serve", place / "root", "--listen", f"[::]:{CONTROL_PORT}"]
    words += ["--passive-ports", f"{PASSIVE_PORTS.start}-{PASSIVE_PORTS[-1]}", "--log-format", "json"]
    words += ["--user", f"{USER}:{PASSWORD}", "--write", "--anonymous"]
    if lab.topology.announced:
        words += ["--public-address", lab.topology.announced]
    if protection.tls:
        words += ["--tls-cert", place / "server.pem", "--tls-key", place / "server.key"]
    if protection is Protection.REQUIRED:
        words.append("--require-tls")
    return [*words, *extra]


def _vsftpd(lab: Lab, place: Path, protection: Protection, extra: Sequence[str]) -> list[str | Path]:
    # The users come from PAM; the file stands in for Debian's own in the server's mount namespace only.
    (place / "pam").write_text(
        f"auth requisite pam_succeed_if.so quiet user = {USER}\n"
        "auth required pam_permit.so\naccount required pam_permit.so\n"
    )
    (place / "empty").mkdir(exist_ok=True)
    settings = {
        "listen_port": CONTROL_PORT,
        "background": "NO",
        "anonymous_enable": "NO",
        "local_enable": "YES",
        "guest_enable": "YES",
        "guest_username": _OWNER,
        "virtual_use_local_privs": "YES",
        "local_root": place / "root",
        "chroot_local_user": "YES",
        "allow_writeable_chroot": "YES",
        "write_enable": "YES",
        "pam_service_name": "other",
        "secure_chroot_dir": place / "empty",
        "max_clients": 0,
        "max_per_ip": 0,
        "pasv_min_port": PASSIVE_PORTS.start,
        "pasv_max_port": PASSIVE_PORTS[-1],
        "connect_from_port_20": "YES",
        "seccomp_sandbox": "NO",
    }
    if lab.topology.announced:
        settings["pasv_address"] = lab.topology.announced
    if protection.tls:
        needed = "YES" if protection is Protection.REQUIRED else "NO"
        settings |= {
            "ssl_enable": "YES",
            "rsa_cert_file": place / "server.pem",
            "rsa_private_key_file": place / "server.key",
            "force_local_data_ssl": needed,
            "force_local_logins_ssl": needed,
            "require_ssl_reuse": "YES",
            "ssl_ciphers": "HIGH",
        }
    # One process for each family: one that listens on both announces 0.0.0.0 in place of its pasv_address.
    listening = {
        "v4": {"listen": "YES", "listen_address": lab.plan.server},
        "v6": {"listen": "NO", "listen_ipv6": "YES", "listen_address6": lab.plan.server_v6},
    }
    binary = program("vsftpd")
    for family, where in listening.items():
        lines = [f"{key}={value}" for key, value in (settings | where).items()]
        (place / f"{family}.conf").write_text("\n".join([*lines, *extra]) + "\n")
    both = 'mount --bind "$0" /etc/pam.d/other && { "$1" "$2" & exec "$1" "$3"; }'
    return ["sh", "-c", both, place / "pam", binary, place / "v6.conf", place / "v4.conf"]


def _proftpd(lab: Lab, place: Path, protection: Protection, extra: Sequence[str]) -> list[str | Path]:
    done = subprocess.run(
        [program("openssl"), "passwd", "-1", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    )
    users = place / "passwd"
    users.write_text(f"{USER}:{done.stdout.strip()}:{_OWNER_ID}:{_OWNER_ID}::{place}/root:/bin/false\n")
    users.chmod(0o600)
    binary = program("proftpd", "proftpd-core")
    lines = [
        "ServerType standalone",
        "ServerName ProFTPD",
        "UseIPv6 on",
        "DefaultServer on",
        f"DefaultAddress {lab.plan.server}",
        f"Port {CONTROL_PORT}",
        f"PassivePorts {PASSIVE_PORTS.start} {PASSIVE_PORTS[-1]}",
        f"User {_OWNER}",
        f"Group {_OWNER}",
        "DefaultRoot ~",
        "AllowOverwrite on",
        "RequireValidShell off",
        "AuthOrder mod_auth_file.c",
        f"AuthUserFile {users}",
        f"PidFile {place}/pid",
        f"ScoreboardFile {place}/scoreboard",
        f"SystemLog {place}/system.log",
        "TransferLog none",
        "WtmpLog off",
        "DelayEngine off",
        "ControlsEngine off",
        "UseReverseDNS off",
        "RootRevoke off",
    ]
    if binary.startswith(str(_UNPACKED)):
        lines.insert(0, f"ModulePath {_UNPACKED}/usr/lib/proftpd")
    if lab.topology.announced:
        lines.append(f"MasqueradeAddress {lab.topology.announced}")
    if protection.tls:
        lines += [
            "LoadModule mod_tls.c",
            "TLSEngine on",
            f"TLSRequired {'on' if protection is Protection.REQUIRED else 'off'}",
            f"TLSECCertificateFile {place}/server.pem",
            f"TLSECCertificateKeyFile {place}/server.key",
            f"TLSLog {place}/tls.log",
        ]
    config = place / "proftpd.conf"
    config.write_text("\n".join([*lines, *extra]) + "\n")
    return [binary, "-n", "-q", "-c", config]


Starter = Callable[[Lab, Path, Protection, Sequence[str]], "list[str | Path]"]
SERVERS: Mapping[str, Starter] = {"fairlead": _fairlead, "vsftpd": _vsftpd, "proftpd": _proftpd}
"""By name: what writes a server's configuration and gives its command line."""


def _wait_for_greeting(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    def greeted(address: str) -> bool:
        with socket.create_connection((address, CONTROL_PORT), timeout=_DEADLINE) as control:
            return control.recv(64).startswith(b"220")

    def wait() -> bool:
        deadline = time.monotonic() + _DEADLINE
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                if all(greeted(address) for address in (lab.plan.server, lab.plan.server_v6)):
                    return True
            time.sleep(0.02)  # between two attempts to connect
        return False

    if not lab.inside(Host.SERVER, wait):
        log = next(iter(lab.scratch.glob("*/log")), None)
        message = f"{process.args!r} does not answer: {log.read_text(errors='replace') if log else ''}"
        raise RuntimeError(message)


@contextlib.contextmanager
def served(lab: Lab, name: str, protection: Protection, extra: Sequence[str] = ()) -> Iterator[Served]:
    """Run the server ``name`` in a laboratory as long as the block lasts.

    ``extra`` are further words of ``fairlead serve``, or further lines of another server's configuration file. Raises
    Unavailable where its program is missing, RuntimeError when it does not greet.
    """
    place = lab.scratch / f"{name}-{protection}"
    root = place / "root"
    root.mkdir(parents=True, exist_ok=True)
    (root / KNOWN_FILE).write_text("This file is here.\n")
    with (root / LARGE_FILE).open("wb") as large:
        large.truncate(LARGE_SIZE)
    for path in (root, *root.iterdir()):
        os.chown(path, _OWNER_ID, _OWNER_ID)
    if protection.tls and not (place / "server.pem").exists():
        pair = make(place, "server", SERVER_NAME, *lab.plan.names)
        pair.key.chmod(0o600)
    command = SERVERS[name](lab, place, protection, extra)
    if any(str(_PRIVATE) in line for line in extra):
        _make_pem(place / "private")
        command = ["sh", "-c", f'mount --bind "$0" {_PRIVATE} && exec "$@"', place / "private", *command]
    env = {key: value for key, value in os.environ.items() if not key.startswith("FAIRLEAD_")}
    with (place / "log").open("ab") as log:
        process = lab.start(Host.SERVER, command, output=log, env=env, cwd=place)
    try:
        _wait_for_greeting(lab, process)
        yield Served(lab, name, protection, process, place)
    finally:
        _end(process)


def _make_pem(folder: Path) -> None:
    """A certificate and its key in one file, as lines that somebody is told to add expect it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    pem = str(folder / "ftp.pem")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={SERVER_NAME}", "-keyout", pem, "-out"]
    subprocess.run([program("openssl"), *words, f"{pem}.certificate"], check=True, capture_output=True)
    with (folder / "ftp.pem").open("a") as both:
        both.write((folder / "ftp.pem.certificate").read_text())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, 9)
    process.wait(_DEADLINE)
