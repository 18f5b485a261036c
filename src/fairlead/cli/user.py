"""``fairlead user``: the users in a configuration file."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

_EXAMPLES = """\
examples:
  fairlead user add alice --config fairlead.toml --write
  echo "$PASSWORD" | fairlead user add alice --config fairlead.toml
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its own verbs."""
    parser = subparsers.add_parser(
        "user",
        help="manage the users in a configuration file",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="add a user, with the hash of a password that is asked for or read from a pipe")
    add.add_argument("name", metavar="NAME", help="the name to log in with")
    add.add_argument("--config", metavar="FILE", required=True, help="the configuration file; made when there is none")
    add.add_argument("--write", action="store_true", help="let the user change files")
    add.add_argument("--debug", action="store_true", help="show where an error comes from")
    add.set_defaults(run=run_add)


def run_add(args: argparse.Namespace) -> int:
    """Append the user to the file. Raises ConfigError when the name is taken or the file cannot be added to."""
    from fairlead.accounts.hashed import hash_password
    from fairlead.config.document import user_as_toml
    from fairlead.config.loader import load
    from fairlead.config.values import UserName
    from fairlead.errors import ConfigError

    file = Path(args.config).resolve()
    try:
        UserName(args.name)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    text = ""
    if file.exists():
        if any(user.name == args.name for user in load(file, environment={}).users):
            raise ConfigError(f"{args.config} has a user {args.name!r} already; remove that table first")
        text = f"{file.read_text('utf-8').rstrip()}\n\n".lstrip()
    try:
        tomllib.loads(f"{text}[[users]]")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{args.config} sets users = […]; write each of them as a [[users]] table first") from error
    text += user_as_toml(args.name, hash_password(_password(args.name)), write=args.write)
    _replace(file, text)
    print(f"added {args.name} to {args.config}; a running server takes it up on SIGHUP")
    return 0


def _password(name: str) -> str:
    """What a person types twice, or the first line of a pipe."""
    from fairlead.errors import ConfigError

    if sys.stdin.isatty():
        password = getpass.getpass(f"Password of {name}: ")
        if getpass.getpass("Again: ") != password:
            raise ConfigError("the two passwords differ; nothing is changed")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise ConfigError("the password is empty; nothing is changed")
    return password


def _replace(file: Path, text: str) -> None:
    """Write ``text`` beside ``file`` and put it in its place, for its owner alone when it is new."""
    new = file.with_name(f".{file.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        if file.exists():
            known = file.stat()
            os.chmod(out.fileno(), known.st_mode & 0o7777)
            with suppress(PermissionError):
                os.chown(out.fileno(), known.st_uid, known.st_gid)
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
