"""Metrics for Prometheus: what is counted, and where it is fetched. Needs the extra ``metrics``."""
