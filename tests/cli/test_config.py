from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from fairlead.cli import main
from fairlead.config.document import sample, schema
from fairlead.config.models import Config

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fairlead.toml"


def test_init_prints_the_sample_or_writes_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "init"]) == 0
    assert capsys.readouterr().out == sample()

    assert main(["config", "init", str(file)]) == 0
    assert file.read_text("utf-8") == sample()


def test_init_leaves_a_file_that_is_there_as_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("# mine\n")

    assert main(["config", "init", str(file)]) == 2
    assert file.read_text() == "# mine\n"
    assert capsys.readouterr().err == f"fairlead: {file} exists and is left as it is; name a new file\n"


def test_check_says_that_a_file_is_right(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("[server]\nworkers = 2\n")

    assert main(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file} is right\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[server]\nworker = 2\n", "{}, line 2: server.worker: there is no such setting; did you mean workers?"),
        (
            '[storage]\nroot = "gone"\n',
            "cannot serve the directory '{.parent}/gone': No such file or directory; name another",
        ),
    ],
)
def test_check_says_what_is_wrong(file: Path, text: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(text)

    assert main(["config", "check", str(file)]) == 2
    assert capsys.readouterr().err == f"fairlead: {error.format(file)}\n"


def test_show_gives_what_is_in_force(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLEAD_SERVER__GRACE", "5")
    file.write_text(f'[server]\nworkers = 2\n[[users]]\nname = "alice"\npassword = "{HASH}"\n')

    assert main(["config", "show", "--config", str(file)]) == 0
    shown = tomllib.loads(capsys.readouterr().out)
    assert main(["config", "show", "--config", str(file), "--json"]) == 0
    as_json = json.loads(capsys.readouterr().out)

    assert shown["server"]["workers"] == as_json["server"]["workers"] == 2
    assert shown["server"]["grace"] == as_json["server"]["grace"] == 5
    assert shown["server"]["banner"] == Config().server.banner
    assert shown["users"][0]["password"] == as_json["users"][0]["password"] == "(not shown)"


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
