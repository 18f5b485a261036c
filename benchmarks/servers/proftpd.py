"""ProFTPD 1.3.8."""

from __future__ import annotations

from benchmarks.servers.account import GID, HASH, NAME, UID
from benchmarks.servers.declared import Family, Protection, Server

_CONFIGURATION = """\
ServerName bench
ServerType standalone
DefaultServer on
DefaultAddress 127.0.0.1
SocketBindTight on
Port {port}
UseIPv6 off
User nobody
Group nogroup
ModulePath {peers}/usr/lib/proftpd
AuthUserFile {scratch}/users
AuthGroupFile {scratch}/groups
AuthOrder mod_auth_file.c
AuthPAM off
RequireValidShell off
UseFtpUsers off
UseReverseDNS off
DefaultRoot ~
AllowOverwrite on
MaxInstances none
PidFile {scratch}/pid
ScoreboardFile none
SystemLog none
TransferLog none
WtmpLog off
UseSendfile on
<IfModule mod_delay.c>
  DelayEngine off
</IfModule>
<IfModule mod_ctrls.c>
  ControlsEngine off
</IfModule>
"""

_TLS = """\
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSECCertificateFile {certificate}
TLSECCertificateKeyFile {certificate}
TLSLog none
"""

SERVERS = (
    Server(
        name="proftpd",
        title="ProFTPD",
        family=Family.C,
        command=("{proftpd}", "-n", "-q", "-c", "{scratch}/proftpd.conf"),
        files={
            "proftpd.conf": _CONFIGURATION,
            "users": f"{NAME}:{HASH}:{UID}:{GID}::{{root}}:/bin/sh\n",
            "groups": f"{NAME}:x:{GID}:\n",
        },
        needs=("proftpd",),
        needs_root=True,
        tls=Protection(files={"proftpd.conf": _TLS}),
        remark="Its first process pauses for up to 0.2 s after a session has ended: that is what its login rows show.",
    ),
)
