"""What is kept of lines that were typed."""

from __future__ import annotations

import pytest

from fairlead.cli.shell import verbs
from fairlead.cli.shell.history import redacted

verbs.load()


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("get 'two words'", "get 'two words'"),
        ("user me secret", "user me"),
        ("us me secret", "us me"),
        ("user me sec ret", "user me"),
        ("user 'my self' secret", r"user my\ self"),
        ("open ftp://me:secret@host/pub", "open ftp://me@host/pub"),
        ("open me:se@cret@host", "open me@host"),
        ("open --tls off ftp://me:secret@host", "open --tls off ftp://me@host"),
        ("open ftp://host:2121/a@b", "open ftp://host:2121/a@b"),
        ("open ftp://me:sec/ret@host", ""),
        ("proxy user me secret", "proxy user me"),
        ("proxy open ftp://me:secret@host", "proxy open ftp://me@host"),
        ("quote PASS secret", ""),
        ("quote pass secret", ""),
        ("literal ACCT secret", ""),
        ("proxy quote PASS secret", ""),
        ("quote NOOP", "quote NOOP"),
        ("uesr me secret", ""),
        ("gett me secret", "gett me secret"),
        ("login me secret", ""),
        ("user 'me secret", ""),
        ("get 'two words", "get 'two words"),
        ("# a note", "# a note"),
        ("", ""),
    ],
)
def test_passwords_are_never_kept(line: str, kept: str) -> None:
    assert redacted(line) == kept
