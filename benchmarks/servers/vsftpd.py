"""vsftpd 3.0.3, as set up by a careful administrator, and tuned for speed."""

from __future__ import annotations

from benchmarks.servers.account import GID, HASH, NAME, UID
from benchmarks.servers.declared import Family, Protection, Server

_ACCOUNT = {
    "passwd": f"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    f"{NAME}:x:{UID}:{GID}::{{root}}:/bin/sh\n",
    "shadow": f"{NAME}:{HASH}:20000:0:99999:7:::\n",
    "pam.d/bench": "auth required pam_unix.so\naccount required pam_unix.so\n",
}

_BASE = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
chroot_local_user=YES
allow_writeable_chroot=YES
secure_chroot_dir={scratch}/empty
pam_service_name=bench
max_clients=0
max_per_ip=0
"""

_TUNED = """\
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
xferlog_enable=NO
session_support=NO
tcp_wrappers=NO
setproctitle_enable=NO
dirmessage_enable=NO
pasv_promiscuous=YES
"""

_TLS = """\
ssl_enable=YES
rsa_cert_file={certificate}
force_local_data_ssl=YES
force_local_logins_ssl=YES
ssl_ciphers=HIGH
"""

# Its account exists in a mount namespace only: the machine's own passwd and PAM stay as they are.
_COMMAND = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    (
        "chmod 755 {scratch} && chmod 644 {scratch}/passwd && mkdir -p {scratch}/empty"
        " && mount --bind {scratch}/passwd /etc/passwd && mount --bind {scratch}/shadow /etc/shadow"
        " && mount --bind {scratch}/pam.d /etc/pam.d && exec {vsftpd} {scratch}/vsftpd.conf"
    ),
)

_WITHOUT = dict.fromkeys(("mlsd-10k", "mlsd-100k"), "vsftpd has no MLSD")

SERVERS = (
    Server(
        name="vsftpd",
        title="vsftpd, tuned",
        family=Family.C,
        command=_COMMAND,
        files={**_ACCOUNT, "vsftpd.conf": _BASE + _TUNED},
        needs=("vsftpd",),
        needs_root=True,
        tls=Protection(files={"vsftpd.conf": _TLS}),
        without=_WITHOUT,
        remark="Every isolation is off, which more than doubles its logins. The password goes through PAM.",
    ),
    Server(
        name="vsftpd-plain",
        title="vsftpd, its defaults",
        family=Family.C,
        command=_COMMAND,
        files={**_ACCOUNT, "vsftpd.conf": _BASE},
        needs=("vsftpd",),
        needs_root=True,
        tls=Protection(files={"vsftpd.conf": _TLS}),
        without=_WITHOUT,
        optional=True,
    ),
)
