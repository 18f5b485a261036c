"""``fairlead config``: make, check and show configurations."""

from __future__ import annotations

import argparse
from pathlib import Path

from fairlead.cli.declaring import declare

_EXAMPLES = """\
examples:
  fairlead config init > fairlead.toml          a file that explains every setting
  fairlead config check fairlead.toml           is it right? (exit status 2 if not)
  fairlead config show --config fairlead.toml   what is in force, the environment included
  fairlead config schema > schema.json          for editors that complete and check
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its own verbs."""
    parser = declare(subparsers, "config", _EXAMPLES)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    init = verbs.add_parser("init", help="print a file that explains every setting, or write it")
    init.add_argument("file", nargs="?", metavar="FILE", help="a new file to write it to")
    init.set_defaults(run=run_init)
    check = verbs.add_parser("check", help="check a file, the environment and that the directories can be served")
    check.add_argument("file", metavar="FILE", help="the configuration file")
    check.set_defaults(run=run_check)
    show = verbs.add_parser("show", help="print the settings in force, from file, environment and defaults")
    show.add_argument("--config", metavar="FILE", help="the configuration file")
    show.add_argument("--json", action="store_true", help="print JSON in place of TOML")
    show.set_defaults(run=run_show)
    schema = verbs.add_parser("schema", help="print the JSON Schema of the file")
    schema.set_defaults(run=run_schema)
    for verb in (init, check, show, schema):
        verb.add_argument("--debug", action="store_true", help="show where an error comes from")


def run_init(args: argparse.Namespace) -> int:
    """Print or write the sample. Raises ConfigError when the file exists."""
    from fairlead.config.document import sample
    from fairlead.errors import ConfigError

    if args.file is None:
        print(sample(), end="")
        return 0
    try:
        with Path(args.file).open("x", encoding="utf-8") as file:
            file.write(sample())
    except FileExistsError as error:
        raise ConfigError(f"{args.file} exists and is left as it is; name a new file") from error
    print(f"wrote {args.file}; fairlead serve --config {args.file}")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Load and build what the file describes. Raises ConfigError."""
    from fairlead.config.build import build
    from fairlead.config.loader import load

    build(load(args.file))
    print(f"{args.file} is right")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the settings in force. Raises ConfigError."""
    import json

    from fairlead.config.document import as_toml, plain
    from fairlead.config.loader import load

    config = load(args.config)
    if args.json:
        print(json.dumps(plain(config), indent=2, ensure_ascii=False))
    else:
        print(as_toml(config), end="")
    return 0


def run_schema(_: argparse.Namespace) -> int:
    """Print the schema."""
    import json

    from fairlead.config.document import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0
