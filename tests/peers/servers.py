"""Servers that nobody here wrote, each on loopback, with one account and a directory of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.peers.process import free_port, passive_ports, running, wait_for_banner
from tests.peers.programs import UNPACKED, need_root, program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.certificates import Pair

USER, PASSWORD = "tester", "secret word"
OWNER, OWNER_ID = "daemon", 1
"""Who the files belong to, since some servers refuse to work as root; vsftpd wants a home that exists, too."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server of others speaks TLS: one version only, ``1.2`` or ``1.3``, and never in clear."""

    pair: Pair
    version: str

    def environment(self, place: Path) -> dict[str, str]:
        """What makes a server's OpenSSL speak that version only."""
        settings = place / "openssl.cnf"
        settings.write_text(
            "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = limits\n"
            f"[limits]\nMinProtocol = TLSv{self.version}\nMaxProtocol = TLSv{self.version}\n"
        )
        return {**os.environ, "OPENSSL_CONF": str(settings)}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: ``root`` is the directory that its user sees as ``/``."""

    name: str
    host: str
    port: int
    root: Path
    passive: range
    user: str = USER
    password: str = PASSWORD

    @property
    def url(self) -> str:
        """Its address without user and password, as ``ftp://[::1]:2121``."""
        return f"ftp://[{self.host}]:{self.port}" if ":" in self.host else f"ftp://{self.host}:{self.port}"


@contextlib.contextmanager
def workshop(name: str, within: Path | None = None) -> Iterator[tuple[Path, Path]]:
    """A directory to keep a server's files in, and below it the one to serve; other users may enter both."""
    prefix = f"fairlead-{name}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=within, ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        place.chmod(0o755)
        root = place / "root"
        root.mkdir()
        if os.geteuid() == 0:
            os.chown(root, OWNER_ID, OWNER_ID)
        yield place, root


def _md5_crypt(password: str) -> str:
    done = subprocess.run(
        [program("openssl"), "passwd", "-1", "-stdin"], input=password, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@contextlib.contextmanager
def vsftpd(host: str, tls: Tls | None = None, *, third_parties: bool = False, sessions: int = 0) -> Iterator[Server]:
    """vsftpd, whose users come from PAM: a file of /etc/pam.d that lets one name in, whatever its password."""
    binary = program("vsftpd")
    need_root("vsftpd changes its root directory")
    with workshop("vsftpd") as (place, root):
        pam = Path("/etc/pam.d") / place.name
        pam.write_text(
            f"auth requisite pam_succeed_if.so quiet user = {USER}\n"
            "auth required pam_permit.so\naccount required pam_permit.so\n"
        )
        try:
            port, passive = free_port(host), passive_ports()
            (place / "empty").mkdir()
            v6 = ":" in host
            settings = {
                "listen": "NO" if v6 else "YES",
                "listen_ipv6": "YES" if v6 else "NO",
                "listen_address6" if v6 else "listen_address": host,
                "listen_port": port,
                "background": "NO",
                "anonymous_enable": "NO",
                "local_enable": "YES",
                "guest_enable": "YES",
                "guest_username": OWNER,
                "virtual_use_local_privs": "YES",
                "local_root": root,
                "chroot_local_user": "YES",
                "allow_writeable_chroot": "YES",
                "write_enable": "YES",
                "local_umask": "022",
                "pam_service_name": pam.name,
                "secure_chroot_dir": place / "empty",
                "max_clients": 0,
                "max_per_ip": sessions,
                "pasv_min_port": passive.start,
                "pasv_max_port": passive.stop - 1,
                "connect_from_port_20": "YES",
                "ftp_data_port": port - 1,
                "seccomp_sandbox": "NO",
                "ascii_upload_enable": "YES",
                "ascii_download_enable": "YES",
                "mdtm_write": "YES",
                "ls_recurse_enable": "YES",
            }
            if third_parties:
                settings |= {"pasv_promiscuous": "YES", "port_promiscuous": "YES"}
            if tls is not None:
                settings |= {
                    "ssl_enable": "YES",
                    "rsa_cert_file": tls.pair.certificate,
                    "rsa_private_key_file": tls.pair.key,
                    "force_local_data_ssl": "YES",
                    "force_local_logins_ssl": "YES",
                    "require_ssl_reuse": "NO" if third_parties else "YES",
                    "strict_ssl_read_eof": "YES",
                    "ssl_ciphers": "HIGH",
                }
            config = place / "vsftpd.conf"
            config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
            log = place / "log"
            with running(
                [binary, str(config)], log=log, env=tls.environment(place) if tls is not None else None
            ) as process:
                wait_for_banner(process, host, port, log)
                yield Server("vsftpd", host, port, root, passive)
        finally:
            pam.unlink()


@contextlib.contextmanager
def proftpd(host: str, tls: Tls | None = None, *, third_parties: bool = False, sessions: int = 0) -> Iterator[Server]:
    """ProFTPD with a user file of its own and the modules that bring commands.

    Under TLS it wants sessions resumed, which is its default.
    """
    binary = program("proftpd")
    need_root("ProFTPD changes its root directory")
    with workshop("proftpd") as (place, root):
        port, passive = free_port(host), passive_ports()
        users = place / "passwd"
        users.write_text(f"{USER}:{_md5_crypt(PASSWORD)}:{OWNER_ID}:{OWNER_ID}::{root}:/bin/false\n")
        users.chmod(0o600)
        config = place / "proftpd.conf"
        config.write_text(f"""
            ServerType standalone
            ServerName ProFTPD
            UseIPv6 {"on" if ":" in host else "off"}
            DefaultAddress {host}
            SocketBindTight on
            Port {port}
            PassivePorts {passive.start} {passive.stop - 1}
            User {OWNER}
            Group {OWNER}
            DefaultRoot ~
            MaxClientsPerHost {sessions or "none"}
            Umask 022
            AllowOverwrite on
            AllowStoreRestart on
            AllowRetrieveRestart on
            RequireValidShell off
            AuthOrder mod_auth_file.c
            AuthUserFile {users}
            PidFile {place}/pid
            ScoreboardFile {place}/scoreboard
            SystemLog {place}/system.log
            TransferLog none
            WtmpLog off
            DelayEngine off
            ControlsEngine off
            UseReverseDNS off
            RootRevoke off
            AllowForeignAddress {"on" if third_parties else "off"}
            LoadModule mod_copy.c
            LoadModule mod_deflate.c
            DeflateEngine on
            LoadModule mod_digest.c
            LoadModule mod_site_misc.c
            """)
        if tls is not None:
            config.write_text(f"""{config.read_text()}
                LoadModule mod_tls.c
                TLSEngine on
                TLSRequired on
                TLSProtocol TLSv{tls.version}
                TLSECCertificateFile {tls.pair.certificate}
                TLSECCertificateKeyFile {tls.pair.key}
                TLSLog {place}/tls.log
                {"TLSOptions NoSessionReuseRequired" if third_parties else ""}
                """)
        log = place / "log"
        command = [binary, "-n", "-q", "-c", str(config)]
        if binary.startswith(str(UNPACKED)):
            config.write_text(f"ModulePath {UNPACKED}/usr/lib/proftpd\n" + config.read_text())
        with running(command, log=log) as process:
            wait_for_banner(process, host, port, log)
            yield Server("proftpd", host, port, root, passive)


@contextlib.contextmanager
def pureftpd(host: str, tls: Tls | None = None, *, third_parties: bool = False, sessions: int = 0) -> Iterator[Server]:
    """Pure-FTPd with a database of its own; the hash is made elsewhere, since its own takes seconds."""
    binary, database_maker = program("pure-ftpd"), program("pure-pw")
    need_root("Pure-FTPd changes its root directory")
    with workshop("pureftpd") as (place, root):
        port, passive = free_port(host), passive_ports()
        users, database = place / "passwd", place / "passwd.pdb"
        users.write_text(f"{USER}:{_md5_crypt(PASSWORD)}:{OWNER_ID}:{OWNER_ID}::{root}/./::::::::::::\n")
        subprocess.run([database_maker, "mkdb", str(database), "-f", str(users)], check=True, capture_output=True)
        log = place / "log"
        options = ["-6" if ":" in host else "-4", "-S", f"{host},{port}", "-p", f"{passive.start}:{passive.stop - 1}"]
        options += ["-E", "-H", "-j", "-c", "1000", "-C", str(sessions or 1000), "-L", "200000:10", "-u", "1"]
        options += ["-l", f"puredb:{database}", "-g", str(place / "pid")]
        if third_parties:
            options += ["-w"]
        if tls is not None:
            both = place / "pure-ftpd.pem"
            both.write_bytes(tls.pair.key.read_bytes() + tls.pair.certificate.read_bytes())
            options += ["-Y", "3", "-2", str(both)]
        with running([binary, *options], log=log, env=tls.environment(place) if tls is not None else None) as process:
            wait_for_banner(process, host, port, log)
            yield Server("pureftpd", host, port, root, passive)


@contextlib.contextmanager
def pyftpdlib(host: str, tls: Tls | None = None) -> Iterator[Server]:
    """pyftpdlib, which needs no other user's rights."""
    with workshop("pyftpdlib") as (place, root):
        port, passive = free_port(host), passive_ports()
        command = [sys.executable, "-W", "ignore", "-m", "pyftpdlib", "-i", host, "-p", str(port), "-w"]
        command += ["-u", USER, "-P", PASSWORD, "-d", str(root), "-r", f"{passive.start}-{passive.stop - 1}"]
        if tls is not None:
            pytest.importorskip("OpenSSL")
            command += ["--tls", "--certfile", str(tls.pair.certificate), "--keyfile", str(tls.pair.key)]
            command += ["--tls-control-required", "--tls-data-required"]
        log = place / "log"
        with running(command, log=log, env=tls.environment(place) if tls is not None else None) as process:
            wait_for_banner(process, host, port, log)
            yield Server("pyftpdlib", host, port, root, passive)


SERVERS: dict[str, Callable[..., AbstractContextManager[Server]]] = {
    "vsftpd": vsftpd,
    "proftpd": proftpd,
    "pureftpd": pureftpd,
    "pyftpdlib": pyftpdlib,
}


def clear(root: Path) -> None:
    """Empty the directory ``root``."""
    for entry in root.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
