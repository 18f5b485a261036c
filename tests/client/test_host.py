"""HOST and LANG around the login."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from fairlead.errors import ConnectError
from tests.certificates import make
from tests.client.script import HOST, HOST6, LOGIN, NO_FEATURES, on, stage
from tests.client.secure import begin_tls, server_context

pytestmark = pytest.mark.req("C-7151-HOST-1")


@pytest.mark.parametrize(
    ("url", "said"),
    [("ftp://me:secret@Files.Example", "Files.Example"), ("", HOST), (f"ftp://me:secret@[{HOST6}]", f"[{HOST6}]")],
)
@pytest.mark.parametrize("answer", ["220 here", "500 what?", "502 not here"])
def test_host_goes_before_user_as_it_was_typed(url: str, said: str, answer: str) -> None:
    host = HOST6 if "[" in said else HOST
    steps = (on(f"HOST {said}", answer), *LOGIN, *NO_FEATURES)
    on_stage = stage(*steps, url=url, host=host, names={"Files.Example": [HOST]}, virtual_host=True)
    with on_stage.ftp:
        pass
    on_stage.play.done()


@pytest.mark.parametrize("answer", ["504 no such host", "501 what?", "421 go away", "530 no"])
def test_refused_host_ends_it_before_the_password_goes_out(answer: str) -> None:
    on_stage = stage(on(f"HOST {HOST}", answer), virtual_host=True)
    with pytest.raises(Exception, match=answer[:3]) as caught, on_stage.ftp:
        pass
    assert "USER me" not in on_stage.play.heard
    assert not on_stage.ftp.connected
    if not answer.startswith("421"):
        assert caught.type is ConnectError
        assert "check the name" in str(caught.value)


def test_host_is_told_again_after_rein_only() -> None:
    on_stage = stage(
        on(f"HOST {HOST}", "220 here"),
        *LOGIN,
        *NO_FEATURES,
        on("REIN", "220 anew"),
        on(f"HOST {HOST}", "220 here"),
        *LOGIN,
        *NO_FEATURES,
        virtual_host=True,
    )
    with on_stage.ftp as ftp:
        ftp.command("REIN")
        ftp.login()
    on_stage.play.done()


@pytest.mark.parametrize("by_name", [False, True], ids=["address", "name"])
def test_host_goes_before_auth_where_tls_cannot_name_it(tmp_path: Path, by_name: bool) -> None:
    pair = make(tmp_path, "server", HOST, "files.example")
    context = server_context(pair, ssl.TLSVersion.TLSv1_3)
    name = "files.example" if by_name else HOST
    tell, upgrade = on(f"HOST {name}", "220 here"), on("AUTH TLS", "234 go on", begin_tls(context))
    first = (upgrade, tell) if by_name else (tell, upgrade)
    on_stage = stage(
        *first,
        *LOGIN,
        on("PBSZ 0", "200 ok"),
        on("PROT P", "200 ok"),
        *NO_FEATURES,
        url=f"ftp://me:secret@{name}",
        names={name: [HOST]},
        tls="require",
        ca=pair.certificate,
        virtual_host=True,
    )
    with on_stage.ftp:
        pass
    on_stage.play.done()


def test_nothing_is_said_unless_asked_for() -> None:
    on_stage = stage(*LOGIN, on("FEAT", "211-Features:\r\n HOST\r\n LANG EN*;DE\r\n211 End"))
    with on_stage.ftp:
        pass
    on_stage.play.done()


@pytest.mark.parametrize("answer", ["200 gut", "500 what?", "502 not here", "504 not this one"])
def test_language_is_asked_for_once_host_and_features_are_known(answer: str) -> None:
    on_stage = stage(
        on(f"HOST {HOST}", "220 here"),
        *LOGIN,
        on("FEAT", "211-Features:\r\n LANG EN*;DE\r\n211 End"),
        on("LANG de", answer),
        virtual_host=True,
        language="de",
    )
    with on_stage.ftp:
        pass
    on_stage.play.done()
