"""Files on the server: remove, rename, ask, change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.cli.shell.commands.dialogue import answered
from fairlead.cli.shell.commands.directories import is_pattern, matching
from fairlead.cli.shell.verbs import verb
from fairlead.errors import ConfigError
from fairlead.proto.entry import Kind

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell
    from fairlead.cli.shell.words import Word


@verb("delete", "REMOTE", aliases=("rm",), changes=True)
def delete(shell: Shell, remote: str) -> None:
    """Remove a file."""
    shell.client.remove(remote)


@verb("mdelete", "REMOTE...", changes=True)
def mdelete(shell: Shell, *remotes: Word) -> None:
    """Remove all files that the patterns match."""
    names: list[str] = []
    for word in remotes:
        if is_pattern(shell, word):
            names += [entry.name for entry in matching(shell, word) if entry.kind is not Kind.DIRECTORY]
        else:
            names.append(word)
    for name in shell.chosen("mdelete", names):
        shell.client.remove(name)


@verb("rename", "FROM TO", aliases=("mv",), changes=True)
def rename(shell: Shell, source: str, target: str) -> None:
    """Rename or move a file or a directory; a TO that ends with / is the directory to move it to."""
    name = source.rstrip("/").rpartition("/")[2]
    shell.client.rename(source, target + name if target.endswith("/") else target)


@verb("size", "REMOTE")
def size(shell: Shell, remote: str) -> None:
    """Print how many bytes a file has."""
    octets = shell.client.size(remote)
    if octets is None:
        message = f"the server tells no size of {remote}; ls shows whether it is there"
        raise ConfigError(message)
    print(octets)


@verb("modtime", "REMOTE")
def modtime(shell: Shell, remote: str) -> None:
    """Print when a file was changed, in UTC."""
    when = shell.client.mtime(remote)
    if when is None:
        message = f"the server tells no time of {remote}; ls shows whether it is there"
        raise ConfigError(message)
    print(f"{when:%Y-%m-%d %H:%M:%S}")


@verb("checksum", "REMOTE")
def checksum(shell: Shell, remote: str) -> None:
    """Print a checksum of a file that the server computes, and by what."""
    found = shell.client.checksum(remote)
    if found is None:
        raise ConfigError(f"the server computes no checksum of {remote}; features shows what it can")
    print(f"{found.digest}  {found.algorithm}  {remote}")


@verb("chmod", "MODE REMOTE", changes=True)
def chmod(shell: Shell, mode: str, remote: str) -> None:
    """Change who may read and write a file (SITE CHMOD); MODE is octal, such as 640."""
    answered(shell, "SITE", f"CHMOD {mode} {remote}")


@verb("umask", "[MODE]")
def umask(shell: Shell, mode: str = "") -> None:
    """Show which rights new files do not get, or set it (SITE UMASK)."""
    answered(shell, "SITE", f"UMASK {mode}".rstrip())
