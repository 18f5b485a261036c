"""What a client is told: the mode, TLS, where it waits in active mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

_CURL_MODES = {
    "EPSV": "--ftp-pasv",
    "PASV": "--ftp-pasv --disable-epsv",
    "EPRT": "--ftp-port -",
    "PORT": "--ftp-port - --disable-eprt",
}
_LFTP_MODES = {
    "EPSV": "set ftp:passive-mode on; set ftp:prefer-epsv on",
    "PASV": "set ftp:passive-mode on; set ftp:prefer-epsv off",
    "EPRT": "set ftp:passive-mode off",
    "PORT": "set ftp:passive-mode off",
}

_IN_CLEAR = {
    "fairlead": "--tls off",
    "curl": "",
    "lftp": "set ftp:ssl-allow off",
    "filezilla": "General > Encryption: Only use plain FTP",
}


def mode(name: str, *, tls: Literal["auto", "require", "off"] = "auto") -> Mapping[str, str]:
    """Data connections by the mode ``name`` alone; ``tls`` says whether under TLS, or in clear whatever is offered."""
    kind = "Passive" if name in {"EPSV", "PASV"} else "Active"
    settings = {
        "fairlead": f"--mode {name.lower()}",
        "curl": _CURL_MODES[name],
        "lftp": _LFTP_MODES[name],
        "filezilla": f"Site Manager > Transfer Settings > Transfer mode: {kind}",
    }
    if tls == "auto":
        return settings
    more = required_tls() if tls == "require" else _IN_CLEAR
    return {
        key: (" " if key in {"fairlead", "curl"} else "; ").join(filter(None, (value, more[key])))
        for key, value in settings.items()
    }


def required_tls() -> Mapping[str, str]:
    """Nothing in clear."""
    return {
        "fairlead": "--tls require",
        "curl": "--ssl-reqd",
        "lftp": "set ftp:ssl-force on; set ftp:ssl-protect-data on; set ftp:ssl-protect-list on",
        "filezilla": "Site Manager > General > Encryption: Require explicit FTP over TLS",
    }


def active(ports: range, address: str = "") -> Mapping[str, str]:
    """Waiting for the server's call on ``ports``, announced at ``address`` where that is not our own."""
    first, last = ports[0], ports[-1]
    told = f" --active-address {address}" if address else ""
    lftp = f"set ftp:passive-mode off; set ftp:port-range {first}-{last}"
    filezilla = f"Edit > Settings > Connection > FTP > Active mode: limit local ports, from {first} to {last}"
    if address:
        lftp += f"; set ftp:port-ipv4 {address}"
        filezilla += f"; use the external IP address {address}"
    return {
        "fairlead": f"--active-ports {first}-{last}{told}",
        "curl": f"--ftp-port {address or '-'}:{first}-{last}",
        "lftp": lftp,
        "filezilla": filezilla,
    }
