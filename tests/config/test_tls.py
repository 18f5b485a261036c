"""The settings of TLS, from the file and from the command line to what the server is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from fairlead.cli import main
from fairlead.config import models
from fairlead.config.build import build
from fairlead.config.loader import load
from fairlead.errors import ConfigError
from fairlead.server.settings import Certificate, TlsSettings
from tests.certificates import Pair, make
from tests.cli.test_serve import config


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state/fairlead"


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make(tmp_path, "host", "ftp.example.com")


def built(tmp_path: Path, text: str) -> TlsSettings:
    file = tmp_path / "fairlead.toml"
    file.write_text(text)
    return build(load(file, environment={})).settings.tls


def test_every_setting_can_be_configured() -> None:
    made_of = {"certificate", "key", "self_signed"}
    assert set(models.Tls._fields) - made_of == set(TlsSettings._fields) - {"certificates"}


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    assert built(tmp_path, "") == TlsSettings()


def test_settings_are_taken_over(tmp_path: Path, pair: Pair) -> None:
    authority = make(tmp_path, "authority", authority=True)
    settings = built(
        tmp_path,
        """
        [tls]
        certificate = "host.pem"
        key = "host.key"
        required = true
        implicit = ["127.0.0.1:990", "[::]:990"]
        resumption = "require"
        client_ca = "authority.pem"
        minimum_version = "1.3"
        require_close_notify = false
        """,
    )

    assert settings == TlsSettings(
        certificates=(Certificate(str(pair.certificate), str(pair.key)),),
        required=True,
        implicit=(("127.0.0.1", 990), ("::", 990)),
        resumption="require",
        client_ca=str(authority.certificate),
        minimum_version="1.3",
        require_close_notify=False,
    )


def test_there_may_be_several_certificates_with_their_keys_beside_them(tmp_path: Path, pair: Pair) -> None:
    other = make(tmp_path, "other", "other.example.com")
    both = tmp_path / "both.pem"
    both.write_bytes(other.certificate.read_bytes() + other.key.read_bytes())

    assert built(tmp_path, '[tls]\ncertificate = "both.pem"').certificates == (Certificate(str(both)),)
    assert built(
        tmp_path, '[tls]\ncertificate = ["both.pem", "host.pem"]\nkey = ["both.pem", "host.key"]'
    ).certificates == (Certificate(str(both), str(both)), Certificate(str(pair.certificate), str(pair.key)))


def test_a_certificate_can_be_made(tmp_path: Path, state: Path) -> None:
    settings = built(tmp_path, "[tls]\nself_signed = true\n[server]\npublic_address = 'ftp.example.com'")

    assert settings.certificates == (Certificate(str(state / "self-signed.pem")),)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("required = true", "TLS needs a certificate; give --tls-cert"),
        ('implicit = ":990"', "TLS needs a certificate"),
        ('certificate = "host.pem"\nself_signed = true', "another is to be made"),
        ('certificate = "host.pem"', "holds no private key"),
        ('certificate = "missing.pem"', r"cannot read .*missing.pem: No such file or directory"),
        ('certificate = "host.pem"\nkey = "missing.key"', r"cannot read .*missing.key: No such file or directory"),
        ('certificate = "host.pem"\nkey = "other.key"', r"other.key does not belong to the certificate in .*host.pem"),
        ('certificate = "host.key"\nkey = "host.key"', r"host.key holds no certificate in PEM form"),
        ('certificate = "host.pem"\nkey = "host.pem"', r"host.pem holds no private key in PEM form"),
        ('certificate = "host.pem"\nkey = "other.pem"', r"other.pem holds no private key in PEM form"),
        ('certificate = "host.pem"\nkey = "locked.key"', "the key is protected by a password"),
        ('certificate = "host.pem"\nkey = ["host.key", "other.key"]', "there are 1 certificates and 2 keys"),
        ('certificate = "host.pem"\nkey = "host.key"\nclient_ca = "host.key"', r"host.key holds no certificate"),
        ('certificate = "host.pem"\nkey = "host.key"\nclient_ca = "missing"', r"cannot read .*missing"),
        ('minimum_version = "1.1"', "did you mean 1.3"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_served(tmp_path: Path, pair: Pair, text: str, error: str) -> None:
    make(tmp_path, "other")
    locked = pair.secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    (tmp_path / "locked.key").write_bytes(locked)

    with pytest.raises(ConfigError, match=error):
        built(tmp_path, f"[tls]\n{text}")


# The command line


def test_each_option_makes_its_setting() -> None:
    made = config(
        "--tls-cert=a,b.pem",
        "--tls-key=c.key",
        "--require-tls",
        "--implicit-tls=127.0.0.1:990",
        "--implicit-tls=:991",
        "--tls-resumption=off",
    ).tls

    assert (made.certificate, made.key) == (["a,b.pem"], ["c.key"])
    assert made.required
    assert made.implicit == ["127.0.0.1:990", ":991"]
    assert made.resumption == "off"


def test_a_certificate_of_the_command_line_goes_over_one_that_is_to_be_made() -> None:
    environment = {"FAIRLEAD_TLS__SELF_SIGNED": "true", "FAIRLEAD_TLS__KEY": "x.key"}
    made = config("--tls-cert=a.pem", environment=environment).tls

    assert (made.certificate, made.key, made.self_signed) == (["a.pem"], [], False)


def test_one_that_is_to_be_made_goes_over_a_certificate_of_the_environment() -> None:
    environment = {"FAIRLEAD_TLS__CERTIFICATE": "a.pem,b.pem", "FAIRLEAD_TLS__KEY": "x.key"}
    assert config(environment=environment).tls.certificate == ["a.pem", "b.pem"]

    made = config("--tls-self-signed", environment=environment).tls

    assert (made.certificate, made.key, made.self_signed) == ([], [], True)


def test_a_certificate_is_either_given_or_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--tls-cert", "a.pem", "--tls-self-signed"]) == 2

    assert "not allowed with argument" in capsys.readouterr().err


def test_tls_that_is_required_needs_a_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--require-tls"]) == 2

    assert capsys.readouterr() == (
        "",
        "fairlead: TLS needs a certificate; give --tls-cert and --tls-key, or --tls-self-signed to make one\n",
    )
