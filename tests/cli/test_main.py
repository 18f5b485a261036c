from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest

import fairlead
from fairlead import accelerator, cli
from fairlead.cli import VERBS, main
from fairlead.errors import ConfigError, ConnectError, SessionLost, TlsError


def test_help_lists_every_verb_without_importing_one() -> None:
    program = (
        "import sys; from fairlead.cli import VERBS, main; status = main(['--help']);"
        "print(sorted(n for n in sys.modules if n.startswith(('fairlead.cli.', 'fairlead.server', 'fairlead.client'))))"
        "; sys.exit(status)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)

    assert all(f"    {verb} " in result.stdout for verb in VERBS)
    assert result.stdout.endswith("[]\n")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0

    text = capsys.readouterr().out
    assert text.startswith(f"usage: fairlead {verb} ")
    assert "examples:\n" in text


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_own_words_are_those_of_the_list(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    listed = capsys.readouterr().out
    main(["--help", verb])

    assert capsys.readouterr().out == listed


def test_script_of_the_interactive_client_needs_nothing_to_edit_lines_with() -> None:
    program = (
        "import sys; from fairlead.cli import main; main(['sh', '-c', 'help']);"
        "assert 'fairlead.cli.shell.dispatch' in sys.modules; assert 'prompt_toolkit' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True)


def test_a_verb_imports_its_own_module_only() -> None:
    program = (
        "import sys; from fairlead.cli import main; main(['ls', '--help']);"
        "assert 'fairlead.cli.serve' not in sys.modules; assert 'asyncio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True)


def test_the_version_is_shown_and_whether_the_accelerator_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    state, _ = accelerator.find()
    assert capsys.readouterr().out == f"Fairlead {fairlead.__version__}\naccelerator: {state.value}\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "fairlead: the following arguments are required: VERB; see fairlead --help"),
        (["serv"], "fairlead: there is no verb 'serv', did you mean serve?; see fairlead --help"),
        (["xyz"], "fairlead: there is no verb 'xyz'; see fairlead --help"),
        (["serve", "--xyz"], "fairlead serve: nobody knows --xyz; see fairlead serve --help"),
        (["serve", "a", "b"], "fairlead serve: nobody knows b; see fairlead serve --help"),
        (
            ["serve", "--work"],
            "fairlead serve: nobody knows --work, did you mean --workers?; see fairlead serve --help",
        ),
        (
            ["ls", "--mdoe", "pasv", "ftp://x/"],
            "fairlead ls: nobody knows --mdoe, did you mean --mode?; see fairlead ls --help",
        ),
        (["get", "--jsno=x"], "fairlead get: nobody knows --jsno, did you mean --json?; see fairlead get --help"),
        (
            ["get", "ftp://x/a", "b"],
            (
                "fairlead get: argument URL: 'b' is no URL, write ftp://[user@]host/path; -o FILE names the file here; "
                "see fairlead get --help"
            ),
        ),
        (["serve", "--config"], "fairlead serve: argument --config: expected one argument; see fairlead serve --help"),
        (["config"], "fairlead config: the following arguments are required: VERB; see fairlead config --help"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"{error}\n"


@pytest.fixture
def verb_that_raises(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The verb ``serve``, replaced by one that raises ``error``."""
    verb = SimpleNamespace(error=None)

    def run(_: argparse.Namespace) -> int:
        raise verb.error

    def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        parser = subparsers.add_parser("serve")
        parser.add_argument("--debug", action="store_true")
        parser.set_defaults(run=run)

    verb.add_parser = add_parser
    monkeypatch.setattr(
        cli, "import_module", lambda name: verb if name == "fairlead.cli.serve" else import_module(name)
    )
    return verb


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ConfigError("the setting is wrong"), 2, "fairlead: the setting is wrong\n"),
        (
            ConnectError("nobody answers"),
            3,
            "fairlead: nobody answers; try again later, or allow more time by --timeout\n",
        ),
        (ConnectError("nobody answers; ask"), 3, "fairlead: nobody answers; ask\n"),
        (SessionLost("it ended: 421 Gone."), 1, "fairlead: it ended: 421 Gone; try again later\n"),
        (
            TlsError("what came is not TLS"),
            3,
            "fairlead: what came is not TLS; check the port and --tls; fairlead doctor looks closer\n",
        ),
        (
            FileNotFoundError(2, "No such file or directory", "/x"),
            1,
            "fairlead: /x: No such file or directory; check the path\n",
        ),
        (OSError(28, "No space left on device", "/x"), 1, "fairlead: /x: No space left on device; make room\n"),
        (OSError(5, "Input/output error", "/x"), 1, "fairlead: /x: Input/output error\n"),
        (KeyboardInterrupt(), 130, "fairlead: interrupted\n"),
        (
            ZeroDivisionError("division by zero"),
            1,
            (
                "fairlead: an error that nobody foresaw, ZeroDivisionError('division by zero');"
                " --debug shows where it came from\n"
            ),
        ),
    ],
)
def test_an_exception_becomes_a_sentence_and_its_status(
    verb_that_raises: SimpleNamespace,
    error: BaseException,
    status: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb_that_raises.error = error

    assert main(["serve"]) == status
    assert capsys.readouterr().err == message


def test_debug_shows_where_an_error_came_from(
    verb_that_raises: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    verb_that_raises.error = ConfigError("the setting is wrong")
    assert main(["serve", "--debug"]) == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err

    verb_that_raises.error = ZeroDivisionError("unforeseen")
    with pytest.raises(ZeroDivisionError):
        main(["serve", "--debug"])
