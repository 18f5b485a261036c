"""What firewalls and routers must let through, and how each of them is told."""
