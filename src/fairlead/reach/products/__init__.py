"""The settings of FTP servers, clients and firewalls, by product, as each of them takes them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "fairlead": "Fairlead (command line)",
        "fairlead-config": "Fairlead (configuration file)",
        "vsftpd": "vsftpd (vsftpd.conf)",
        "proftpd": "ProFTPD (proftpd.conf)",
        "pure-ftpd": "Pure-FTPd (pure-ftpd.conf)",
        "pyftpdlib": "pyftpdlib",
        "iis": "IIS (in a console of an administrator)",
        "filezilla-server": "FileZilla Server",
        "nftables": "nftables",
        "iptables": "iptables",
        "ufw": "ufw",
        "firewalld": "firewalld",
        "aws": "AWS",
        "gcp": "Google Cloud",
        "azure": "Azure",
        "curl": "curl",
        "lftp": "lftp",
        "filezilla": "FileZilla",
    }
)
"""Every product that settings are given for, and what people call it."""
SERVERS = ("fairlead", "fairlead-config", "vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "iis", "filezilla-server")
NETWORKS = ("nftables", "iptables", "ufw", "firewalld", "aws", "gcp", "azure")
CLIENTS = ("fairlead", "curl", "lftp", "filezilla")
