"""The reply to FEAT: written by a server, read by a client (RFC 2389 section 3)."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.errors import ProtocolError
from fairlead.proto.reply import Reply

_FEAT = 211


def feature_reply(features: Iterable[str]) -> Reply:
    """The 211 reply that lists ``features``, each a label and its parameters as in ``REST STREAM``.

    It has one line where there are none, as RFC 2389 section 3.2 demands.
    """
    lines = [f" {feature}" for feature in features]
    return Reply(_FEAT, "Features:", *lines, "End") if lines else Reply(_FEAT, "No features.")


def parse_features(reply: Reply) -> dict[str, str]:
    """The features of a 211 reply: label in upper case to parameters, which are ``""`` where there are none.

    The parameters of a label that has several lines (``AUTH TLS``, ``AUTH SSL``) are joined by ``;``. Any other reply
    says nothing about what the server has: raises ProtocolError.
    """
    if reply.code != _FEAT:
        raise ProtocolError(f"the reply to FEAT is {reply.code}, which lists no features")
    features: dict[str, str] = {}
    for line in reply.lines[1:-1]:
        label, _, parameters = line.strip().partition(" ")
        label = label.upper()
        if label:
            features[label] = ";".join(filter(None, (features.get(label, ""), parameters.strip())))
    return features
