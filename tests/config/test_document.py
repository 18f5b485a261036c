from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from fairlead.config.document import as_toml, plain, sample, schema
from fairlead.config.loader import load
from fairlead.config.models import Config
from fairlead.config.types import fields_of

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(
        f"""
        [server]
        banner = 'with "quotes", \\ and ünï'
        listen = [":21"]
        public_address = [{{ address = "10.0.0.5", clients = "10.0.0.0/8" }}]
        grace = 1.5
        active_source_port = 20
        [storage]
        root = "/srv"
        [[users]]
        name = "alice"
        password = "{HASH}"
        rules = [{{ path = "/in", rights = ["create", "list"] }}]
        [[hosts]]
        name = "a.example"
        aliases = ["b.example"]
        [[hosts]]
        name = "c.example"
        """
    )
    config = load(first, environment={})

    second.write_text(as_toml(config).replace("(not shown)", HASH))

    assert load(second, environment={}) == config


def test_hashes_of_passwords_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "fairlead.toml"
    file.write_text(f'[[users]]\nname = "alice"\npassword = "{HASH}"\naccount = "{HASH}"\naccount_at = "login"\n')
    config = load(file, environment={})

    assert "argon2" not in as_toml(config)
    assert "argon2" not in json.dumps(plain(config))


def test_the_sample_explains_every_setting_and_changes_none(tmp_path: Path) -> None:
    file = tmp_path / "fairlead.toml"
    file.write_text(sample())
    config = load(file, environment={})

    assert config == Config()
    for section in ("server", "storage", "anonymous", "log"):
        for name in fields_of(fields_of(Config)[section]):
            assert re.search(rf"^# {name} (=|is unset)", sample(), re.MULTILINE)


def test_the_defaults_in_the_sample_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "fairlead.toml"
    settings = re.sub(r"^# (?=\w+ = |\[\[users)", "", sample(), flags=re.MULTILINE)
    file.write_text(settings.split("# A named user.")[0])

    assert tomllib.loads(file.read_text())["server"]["workers"] == 1
    config = load(file, environment={})
    assert config.storage.root == str(tmp_path)
    assert config.server == Config().server


def test_the_schema_knows_every_setting_its_default_and_the_short_forms() -> None:
    described = schema()
    server = described["$defs"]["Server"]["properties"]

    assert set(server) == set(fields_of(fields_of(Config)["server"]))
    assert described["$defs"]["Server"]["additionalProperties"] is False
    assert server["workers"] == {
        "type": "integer",
        "minimum": 0,
        "default": 1,
        "description": "processes that serve; 0 for one per core",
    }
    assert server["passive_ports"]["default"] == "61000-65535"
    assert [form["type"] for form in server["listen"]["anyOf"]] == ["array", "string"]
    assert {"$ref": "#/$defs/AddressRule"} in server["public_address"]["anyOf"][0]["items"]["anyOf"]
    assert described["$defs"]["User"]["required"] == ["name", "password"]
    json.dumps(described)
