"""Captures read as a person would: which sessions there were, which data connections belong to them, what failed."""
