"""Tries every way to a data connection from where it stands, and names the cause of each that fails."""
