"""One file in several sessions at once."""
