"""Why a data connection fails: one vocabulary for server, client and doctor."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """A named reason; the value is what logs, metrics and ``--json`` carry."""

    OK = "ok"
    CONTROL_UNRESOLVED = "control-unresolved"
    CONTROL_TIMEOUT = "control-timeout"
    CONTROL_REFUSED = "control-refused"
    CONTROL_LOST = "control-lost"
    NOT_FTP = "not-ftp"
    LOGIN_REFUSED = "login-refused"
    TLS_REQUIRED = "tls-required"
    TLS_FAILED = "tls-failed"
    CERTIFICATE_INVALID = "certificate-invalid"
    NOT_SUPPORTED = "not-supported"
    FAMILY_UNSUPPORTED = "family-unsupported"
    REFUSED_BY_POLICY = "refused-by-policy"
    PASSIVE_DROPPED = "passive-dropped"
    PASSIVE_REJECTED = "passive-rejected"
    PASSIVE_PRIVATE_ADDRESS = "passive-private-address"
    PASSIVE_REWRITTEN = "passive-rewritten"
    PASSIVE_RANGE_PARTLY_OPEN = "passive-range-partly-open"
    PASSIVE_EXHAUSTED = "passive-exhausted"
    ACTIVE_DROPPED = "active-dropped"
    ACTIVE_REJECTED = "active-rejected"
    ACTIVE_PRIVATE_ADDRESS = "active-private-address"
    HELPER_BLIND = "helper-blind"
    DATA_TLS_FAILED = "data-tls-failed"
    DATA_TLS_NOT_RESUMED = "data-tls-not-resumed"
    DATA_PEER_REFUSED = "data-peer-refused"
    DATA_STALLED = "data-stalled"
    DATA_CUT = "data-cut"
    CONTROL_FORGOTTEN = "control-forgotten"
