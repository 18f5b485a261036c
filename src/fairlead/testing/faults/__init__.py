"""What a misbehaving server does wrong, one fault at a time; :data:`FAULTS` is the table of all of them."""

from fairlead.testing.faults import control, data, listing, tls
from fairlead.testing.faults.base import FAULTS, Fault, fault

__all__ = ["FAULTS", "Fault", "control", "data", "fault", "listing", "tls"]
