"""``fairlead user``: the users in a configuration file."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.declaring import declare

if TYPE_CHECKING:
    from fairlead.config.models import User

_EXAMPLES = """\
examples:
  fairlead user add alice --config fairlead.toml --write
  echo "$PASSWORD" | fairlead user passwd alice --config fairlead.toml
  fairlead user list --config fairlead.toml
"""
_LATER = "a running server takes it up on SIGHUP"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its own verbs."""
    parser = declare(subparsers, "user", _EXAMPLES)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="add a user, with the hash of a password that is asked for or read from a pipe")
    add.add_argument("--write", action="store_true", help="let the user change files")
    add.set_defaults(run=run_add)
    passwd = verbs.add_parser("passwd", help="give a user another password, asked for or read from a pipe")
    passwd.set_defaults(run=run_passwd)
    show = verbs.add_parser("show", help="print the settings of a user, but for the hash of the password")
    show.set_defaults(run=run_show)
    remove = verbs.add_parser("remove", help="remove a user; the files of the user stay")
    remove.set_defaults(run=run_remove)
    for verb in (add, passwd, show, remove):
        verb.add_argument("name", metavar="NAME", help="the name to log in with")
    every = verbs.add_parser("list", help="print the users, one on each line")
    every.set_defaults(run=run_list)
    for verb in (every, show):
        verb.add_argument("--json", action="store_true", help="print JSON")
    for verb in (add, passwd, show, remove, every):
        made = "; made when there is none" if verb is add else ""
        verb.add_argument("--config", metavar="FILE", required=True, help=f"the configuration file{made}")
        verb.add_argument("--debug", action="store_true", help="show where an error comes from")


def run_add(args: argparse.Namespace) -> int:
    """Append the user to the file. Raises ConfigError when the name is taken or the file cannot be added to."""
    from fairlead.accounts.hashed import hash_password
    from fairlead.config.user_tables import with_user
    from fairlead.config.values import UserName
    from fairlead.errors import ConfigError

    file = Path(args.config).resolve()
    try:
        UserName(args.name)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    text = ""
    if file.exists():
        if any(user.name == args.name for user in _users(args.config)):
            raise ConfigError(
                f"{args.config} has a user {args.name!r} already; `fairlead user passwd` changes the password"
            )
        text = file.read_text("utf-8")

    def add(password_hash: str) -> str:
        return with_user(text, args.name, password_hash, write=args.write)

    _edit(args, lambda: add(""))  # whether it can be done, before a password is asked for
    _replace(file, add(hash_password(_password(args.name))))
    print(f"added {args.name} to {args.config}; {_LATER}")
    return 0


def run_passwd(args: argparse.Namespace) -> int:
    """Change the password in the file. Raises ConfigError."""
    from fairlead.accounts.hashed import hash_password
    from fairlead.config.user_tables import with_password

    _users(args.config)
    file = Path(args.config).resolve()
    text = file.read_text("utf-8")
    _edit(args, lambda: with_password(text, args.name, ""))
    _replace(file, with_password(text, args.name, hash_password(_password(args.name))))
    print(f"changed the password of {args.name} in {args.config}; {_LATER}")
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """Take the user out of the file. Raises ConfigError."""
    from fairlead.config.user_tables import without_user

    _users(args.config)
    file = Path(args.config).resolve()
    _replace(file, _edit(args, lambda: without_user(file.read_text("utf-8"), args.name)))
    print(f"removed {args.name} from {args.config}; {_LATER}, for sessions to come")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print the users. Raises ConfigError."""
    import json

    from fairlead.config.document import plain

    users = _users(args.config)
    if args.json:
        print(json.dumps([plain(user) for user in users], indent=2, ensure_ascii=False))
        return 0
    width = max((len(user.name) for user in users), default=0)
    for user in users:
        print(f"{user.name:{width}}  {', '.join(_described(user))}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the settings of a user. Raises ConfigError."""
    import json

    from fairlead.config.document import plain, table_as_toml
    from fairlead.errors import ConfigError

    found = [user for user in _users(args.config) if user.name == args.name]
    if not found:
        raise ConfigError(f"{args.config} has no user {args.name!r}; `fairlead user list` shows who there is")
    if args.json:
        print(json.dumps([plain(user) for user in found], indent=2, ensure_ascii=False))
    else:
        print("\n".join(table_as_toml("[[users]]", plain(user)) for user in found), end="")
    return 0


def _edit(args: argparse.Namespace, edit: Callable[[], str]) -> str:
    """The text that ``edit`` makes; its ConfigError names the file."""
    from fairlead.errors import ConfigError

    try:
        return edit()
    except ConfigError as error:
        raise ConfigError(f"{args.config}: {error}") from error


def _users(file: str) -> list[User]:
    """Those in ``file``, which is right as a whole. Raises ConfigError."""
    from fairlead.config.loader import load

    return load(file, environment={}).users


def _described(user: User) -> list[str]:
    """What a person wants to know of ``user``, in few words."""
    said = [{True: "reads and writes", False: "reads", None: "writes when --write is given"}[user.write]]
    if user.rules:
        said.append("rights by path")
    if user.root:
        said.append(f"in {user.root}")
    if user.hosts:
        said.append(f"at {' '.join(user.hosts)}")
    if user.certificates:
        said.append("certificate")
    if user.admin:
        said.append("admin")
    if user.allow_fxp:
        said.append("third parties")
    return said


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
