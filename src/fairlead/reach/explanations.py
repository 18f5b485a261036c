"""What each cause means to a person: declared here once; reports, documentation and help are derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fairlead.reach.cause import Cause


class Owner(StrEnum):
    """Who can do something about a cause; in the order of least effort."""

    YOU = "you"
    YOUR_NETWORK = "your network"
    SERVERS_NETWORK = "server's network"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cause in words."""

    sentence: str
    """What happens, in one plain sentence."""
    owner: Owner
    """Who is the first that could change it."""
    hint: str
    """What to do, in one sentence."""


EXPLANATIONS: Mapping[Cause, Explanation] = MappingProxyType(
    {
        Cause.OK: Explanation(
            "The data connection was made, the data arrived and the server confirmed it.",
            Owner.YOU,
            "There is nothing to do.",
        ),
        Cause.CONTROL_UNRESOLVED: Explanation(
            "The server's name has no address.",
            Owner.YOU,
            "Check the spelling of the name and the name servers of this machine.",
        ),
        Cause.CONTROL_TIMEOUT: Explanation(
            "The call to the control port was never answered: the host is down, or a firewall drops the call.",
            Owner.SERVERS_NETWORK,
            "Let the control port in at the server's firewall, and out at yours.",
        ),
        Cause.CONTROL_REFUSED: Explanation(
            "The call to the control port was refused: nothing listens there, or a firewall rejects the call.",
            Owner.SERVER,
            "Check the port in the URL, and that the FTP server runs.",
        ),
        Cause.CONTROL_LOST: Explanation(
            "The control connection was closed in the middle of the dialogue.",
            Owner.SERVER,
            "Look into the server's log for the reason; a limit of sessions and an inspecting firewall are usual ones.",
        ),
        Cause.NOT_FTP: Explanation(
            "What listens on the control port does not speak FTP.",
            Owner.YOU,
            "Check the port; where TLS comes first (usually port 990) the URL begins with ftps://.",
        ),
        Cause.LOGIN_REFUSED: Explanation(
            "The server refuses the user name or the password.",
            Owner.YOU,
            "Check the user name and the password.",
        ),
        Cause.TLS_REQUIRED: Explanation(
            "The server refuses to go on in clear and asks for TLS.",
            Owner.YOU,
            "Use TLS: ftpes:// in the URL, or the option of your client that requires TLS.",
        ),
        Cause.TLS_FAILED: Explanation(
            "TLS could not be agreed on for the control connection.",
            Owner.SERVER,
            "Let the server offer TLS 1.2 or 1.3 with a certificate, and nothing in between inspect the dialogue.",
        ),
        Cause.CERTIFICATE_INVALID: Explanation(
            "The server's certificate is not one that this machine trusts for that name.",
            Owner.SERVER,
            "Give the server a certificate for the name that clients use, or name its authority to the client.",
        ),
        Cause.NOT_SUPPORTED: Explanation(
            "The server does not know the command.",
            Owner.YOU,
            "Use another mode.",
        ),
        Cause.FAMILY_UNSUPPORTED: Explanation(
            "The command cannot serve the family of addresses that the control connection uses.",
            Owner.YOU,
            "Use EPSV or EPRT, which serve IPv6 and IPv4 alike.",
        ),
        Cause.REFUSED_BY_POLICY: Explanation(
            "The server knows the command and is set to refuse it.",
            Owner.SERVER,
            "Use another mode, or have the server's settings changed.",
        ),
        Cause.PASSIVE_DROPPED: Explanation(
            "Your call to the port that the server announced was never answered: a firewall drops it.",
            Owner.SERVERS_NETWORK,
            "Let the server's passive ports in at the firewall before the server.",
        ),
        Cause.PASSIVE_REJECTED: Explanation(
            "Your call to the port that the server announced was refused by a firewall or a router on the way.",
            Owner.SERVERS_NETWORK,
            "Let the server's passive ports in at the firewall before the server, and forward them at its router.",
        ),
        Cause.PASSIVE_PRIVATE_ADDRESS: Explanation(
            "The server announces an address at which it cannot be reached from here.",
            Owner.SERVER,
            "Tell the server its public address; until then, use EPSV, which announces none.",
        ),
        Cause.PASSIVE_REWRITTEN: Explanation(
            "Something between you and the server changes the port that the server announces.",
            Owner.SERVERS_NETWORK,
            "Switch the FTP inspection of the routers and firewalls in between off, or hide the dialogue by TLS.",
        ),
        Cause.PASSIVE_RANGE_PARTLY_OPEN: Explanation(
            "Some of the ports that the server announces can be reached and some cannot.",
            Owner.SERVERS_NETWORK,
            "Let the whole passive range in at the firewall, or make the server's range as small as what is let in.",
        ),
        Cause.PASSIVE_EXHAUSTED: Explanation(
            "The server has no port left for a passive data connection.",
            Owner.SERVER,
            "Give the server a larger range of passive ports.",
        ),
        Cause.ACTIVE_DROPPED: Explanation(
            "The server's call never arrived here: a firewall on the way drops it.",
            Owner.YOU,
            "Use passive mode; else let the server's call in at your firewall, and out at the server's.",
        ),
        Cause.ACTIVE_REJECTED: Explanation(
            "The server's call was refused on its way here.",
            Owner.YOU,
            "Use passive mode; else let the server's call in at your firewall, and out at the server's.",
        ),
        Cause.ACTIVE_PRIVATE_ADDRESS: Explanation(
            "You announce an address at which the server cannot reach you: a router translates yours.",
            Owner.YOU,
            "Use passive mode; else announce the router's public address and let it forward the ports.",
        ),
        Cause.HELPER_BLIND: Explanation(
            "It works in clear and fails under TLS, which hides the dialogue from a router or firewall that reads it.",
            Owner.SERVERS_NETWORK,
            "Open or forward the data ports by fixed rules that need no look into the dialogue.",
        ),
        Cause.DATA_TLS_FAILED: Explanation(
            "The data connection was made, but TLS could not be agreed on over it.",
            Owner.SERVER,
            "Look into the server's log; data connections need the same certificate and versions as the control one.",
        ),
        Cause.DATA_TLS_NOT_RESUMED: Explanation(
            "The server wants the TLS session of the control connection resumed on the data connection.",
            Owner.YOU,
            "Use a client that resumes the session, or have the server's demand for it switched off.",
        ),
        Cause.DATA_PEER_REFUSED: Explanation(
            "The server closed the data connection because it came from another address than the control connection.",
            Owner.YOUR_NETWORK,
            "Let both connections leave through the same public address.",
        ),
        Cause.DATA_STALLED: Explanation(
            "The data connection was made, and then nothing came over it.",
            Owner.YOUR_NETWORK,
            "Look for a limit on the size of packets (path MTU) or an inspecting firewall in between.",
        ),
        Cause.DATA_CUT: Explanation(
            "The data connection was cut in the middle of the transfer.",
            Owner.SERVERS_NETWORK,
            "Look for a limit on the size or the duration of connections in the firewalls in between.",
        ),
        Cause.CONTROL_FORGOTTEN: Explanation(
            "The control connection was dead after a long transfer: a firewall forgot it while it was idle.",
            Owner.YOUR_NETWORK,
            "Let firewalls remember idle connections longer, or send TCP keep-alives more often.",
        ),
    }
)
