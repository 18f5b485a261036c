"""The table of verbs."""

from __future__ import annotations

import inspect
from pkgutil import iter_modules

import pytest

from fairlead.cli.shell import commands, verbs
from fairlead.cli.shell.verbs import GROUPS, VERBS, Kind, find, parameters
from fairlead.errors import ConfigError

verbs.load()
CLASSIC = """
open close user ls dir nlist mls cd cdup lcd lls pwd lpwd get put mget mput reget append delete mdelete rename mkdir
rmdir type ascii binary mode passive epsv quote site rhelp remotehelp status system size modtime chmod umask idle
verbose debug bell hash prompt tick glob case ntrans recv send newer page less cat proxy ladder doctor help ? exit quit
bye
"""


@pytest.mark.parametrize("name", CLASSIC.split())
def test_classic_verbs_are_there(name: str) -> None:
    assert find(name).summary


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_handlers_take_as_many_words_as_the_syntax_says(verb: verbs.Verb) -> None:
    signature = inspect.signature(verb.run)
    counts = [count for count in range(6) if verb.fits(count)]
    assert counts
    for count in counts:
        signature.bind(None, *["x"] * count, **({"flags": ()} if verb.flags else {}))


def test_what_begins_like_one_verb_only_is_that_verb() -> None:
    assert find("mk").name == "mkdir"
    assert find("remoteh").name == "rhelp"
    with pytest.raises(ConfigError, match="may be"):
        find("m")
    with pytest.raises(ConfigError, match="did you mean get"):
        find("gett")


def test_every_module_of_verbs_is_shown() -> None:
    assert sorted(GROUPS) == sorted(module.name for module in iter_modules(commands.__path__))
    shown = [verb.name for _, group in verbs.groups() for verb in group]
    assert sorted(shown) == sorted(VERBS)


def test_syntax() -> None:
    flag, remote = parameters("[-l] [REMOTE...]")
    assert (flag.name, flag.kind, flag.required) == ("-l", Kind.FLAG, False)
    assert (remote.name, remote.kind, remote.required, remote.repeated) == ("REMOTE", Kind.REMOTE, False, True)
    (choice,) = parameters("[on|off]")
    assert (choice.kind, choice.choices) == (Kind.CHOICE, ("on", "off"))
    source, local = parameters("REMOTE... LOCAL")
    assert source.required
    assert local.required


def test_words_that_fit() -> None:
    assert [find("get").fits(count) for count in range(4)] == [False, True, True, False]
    assert [find("mls").fits(count) for count in range(4)] == [False, False, True, True]
    assert [find("quit").fits(count) for count in range(2)] == [True, False]
