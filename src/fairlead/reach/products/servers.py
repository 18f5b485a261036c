"""What a server is told: its passive ports, its address, whom it takes data connections from."""

from __future__ import annotations

from collections.abc import Mapping

_FILEZILLA = "Server > Configure > Protocols settings > FTP and FTP over TLS (FTPS)"
_PEM = "/etc/ssl/private/ftp.pem"
_APPCMD = r"%windir%\system32\inetsrv\appcmd.exe set config"


def passive_ports(ports: range) -> Mapping[str, str]:
    """Passive ports from ``ports`` only."""
    first, last = ports[0], ports[-1]
    return {
        "fairlead": f"--passive-ports {first}-{last}",
        "fairlead-config": f'[server]\npassive_ports = "{first}-{last}"',
        "vsftpd": f"pasv_min_port={first}\npasv_max_port={last}",
        "proftpd": f"PassivePorts {first} {last}",
        "pure-ftpd": f"PassivePortRange {first} {last}",
        "pyftpdlib": f"FTPHandler.passive_ports = range({first}, {last + 1})",
        "iis": (
            f"{_APPCMD} -section:system.ftpServer/firewallSupport "
            f'/lowDataChannelPort:"{first}" /highDataChannelPort:"{last}" /commit:apphost\n'
            "net stop ftpsvc && net start ftpsvc"
        ),
        "filezilla-server": f"{_FILEZILLA} > Passive mode: Use custom port range, from {first} to {last}",
    }


def public_address(host: str) -> Mapping[str, str]:
    """``host`` in the replies to PASV."""
    return {
        "fairlead": f"--public-address {host}",
        "fairlead-config": f'[server]\npublic_address = ["{host}"]',
        "vsftpd": f"pasv_address={host}",
        "proftpd": f"MasqueradeAddress {host}",
        "pure-ftpd": f"ForcePassiveIP {host}",
        "pyftpdlib": f'FTPHandler.masquerade_address = "{host}"',
        "iis": (
            f"{_APPCMD} -section:system.applicationHost/sites "
            f'/siteDefaults.ftpServer.firewallSupport.externalIp4Address:"{host}" /commit:apphost'
        ),
        "filezilla-server": f"{_FILEZILLA} > Passive mode: Use the following host: {host}",
    }


def resumption_optional() -> Mapping[str, str]:
    """Data connections under TLS that need not resume the control connection's session."""
    return {
        "fairlead": "--tls-resumption warn",
        "fairlead-config": '[tls]\nresumption = "warn"',
        "vsftpd": "require_ssl_reuse=NO",
        "proftpd": "TLSOptions NoSessionReuseRequired",
    }


def any_caller() -> Mapping[str, str]:
    """Data connections from addresses other than the control connection's."""
    return {
        "fairlead": "--allow-fxp",
        "fairlead-config": "[server]\nallow_fxp = true",
        "vsftpd": "pasv_promiscuous=YES",
        "proftpd": "AllowForeignAddress on",
        "pure-ftpd": "AllowUserFXP yes",
        "pyftpdlib": "FTPHandler.permit_foreign_addresses = True",
    }


def active_served() -> Mapping[str, str]:
    """Active mode, from the port that firewalls expect."""
    return {
        "fairlead-config": "[server]\nactive = true",
        "vsftpd": "port_enable=YES\nconnect_from_port_20=YES",
    }


def passive_served() -> Mapping[str, str]:
    """Passive mode."""
    return {"vsftpd": "pasv_enable=YES"}


def tls_offered() -> Mapping[str, str]:
    """TLS, with a certificate that is there already or is made."""
    return {
        "fairlead": "--tls-self-signed",
        "fairlead-config": "[tls]\nself_signed = true",
        "vsftpd": f"ssl_enable=YES\nrsa_cert_file={_PEM}\nrsa_private_key_file={_PEM}",
        "proftpd": (
            f"LoadModule mod_tls.c\nTLSEngine on\nTLSRSACertificateFile {_PEM}\nTLSRSACertificateKeyFile {_PEM}"
        ),
        "pure-ftpd": f"TLS 1\nCertFile {_PEM}",
        "pyftpdlib": f'TLS_FTPHandler.certfile = "{_PEM}"',
        "filezilla-server": f"{_FILEZILLA} > Connection Security",
    }
