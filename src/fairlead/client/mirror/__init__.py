"""Mirrors: a tree of files here made like one on a server, or the other way round."""
