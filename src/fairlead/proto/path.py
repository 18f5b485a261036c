"""Virtual paths: ``/`` between names, ``/`` in front of the root, whatever the store is (RFC 3659 section 6).

A normalised path is absolute and has no empty name, no ``.``, no ``..``, and no ``/`` at its end but for the root.
"""

from __future__ import annotations

from fairlead.errors import PathError


def resolve(cwd: str, argument: str) -> str:
    """The normalised path that ``argument`` means in the directory ``cwd`` (itself normalised).

    ``..`` does not climb above the root. Raises PathError where the argument holds NUL or LF: no store can have such
    a name, or no listing could show it.
    """
    if "\0" in argument or "\n" in argument:
        raise PathError("a path holds no NUL and no line end")
    if "/" not in argument and argument not in _RELATIVE:
        return f"/{argument}" if cwd == "/" else f"{cwd}/{argument}"
    names: list[str] = []
    for name in (argument if argument.startswith("/") else f"{cwd}/{argument}").split("/"):
        if name == "..":
            del names[-1:]
        elif name not in _RELATIVE:
            names.append(name)
    return "/" + "/".join(names)


def is_pattern(path: str) -> bool:
    """Whether ``path`` holds what a shell takes for a pattern of names."""
    return any(mark in path for mark in "*?[")


def leaves_root(cwd: str, argument: str) -> bool:
    """Whether ``..`` would climb above the root, where :func:`resolve` stays there."""
    depth = 0
    for name in (argument if argument.startswith("/") else f"{cwd}/{argument}").split("/"):
        depth += -1 if name == ".." else name not in _RELATIVE
        if depth < 0:
            return True
    return False


_RELATIVE = frozenset(("", ".", ".."))


def split(path: str) -> tuple[str, str]:
    """The parent of a normalised path and its last name; the root gives ``("/", "")``."""
    parent, _, name = path.rpartition("/")
    return parent or "/", name


def join(parent: str, name: str) -> str:
    """The normalised path of ``name`` in the directory ``parent``."""
    return f"/{name}" if parent == "/" else f"{parent}/{name}"


def quote(path: str) -> str:
    """The path between quotes as 257 carries it, with each of its own quotes doubled (RFC 959 appendix II)."""
    return '"' + path.replace('"', '""') + '"'


def unquote_257(text: str) -> str:
    """The path in the text of a 257 reply: between the first quote and the quote that ends it.

    A server that does not quote is met half-way: the first word is the path. An end quote that is missing is supplied.
    """
    if '"' not in text:
        return text.split(" ", 1)[0]
    pieces = text.split('"')[1:]
    path = pieces.pop(0)
    while len(pieces) > 1 and not pieces[0]:
        path += '"' + pieces[1]
        del pieces[:2]
    return path
