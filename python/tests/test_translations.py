"""The catalogues of `yett.drf` are whole, compiled, and used by Django."""

import ast
import re
import subprocess
import sys
from importlib import util
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from django.utils import translation

import yett.drf
from yett.drf.authentication import JWTAuthentication
from yett.drf.exceptions import InvalidToken

PACKAGE = Path(yett.drf.__file__).parent
SCRIPT = PACKAGE.parents[2] / "xtask" / "catalogues.py"
CATALOGUES = sorted(PACKAGE.glob("locale/*/LC_MESSAGES/django.po"))

#: A name of RFC 7519, the same in every language.
NOT_TRANSLATED = {"jti"}


def read(catalogue: Path) -> dict[str, str]:
    """Return the messages of a catalogue by their original, without its header."""
    found = util.spec_from_file_location("catalogues", SCRIPT)
    assert found is not None and found.loader is not None
    script = util.module_from_spec(found)
    found.loader.exec_module(script)
    messages: dict[str, str] = script.read(catalogue.read_text(encoding="utf-8"))
    del messages[""]
    return messages


def messages() -> set[str]:
    """Return the messages in the sources: what is given to `_()`."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="_"), args=[ast.Constant(value=text), *_]):
                    found.add(text)
    return found


def placeholders(text: str) -> list[Any]:
    """Return what is filled in, of both kinds of formatting."""
    return sorted(
        [
            *re.findall(r"%\(\w+\)s", text),
            *(str(n) for _text, n, _spec, _conv in Formatter().parse(text)),
        ]
    )


def test_there_are_catalogues() -> None:
    assert {file.parts[-3] for file in CATALOGUES} >= {"de", "es", "fr", "ja", "pt_BR", "zh_Hans"}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: str(file.parts[-3]))
def test_every_message_is_translated_with_its_placeholders(catalogue: Path) -> None:
    translated = read(catalogue)
    assert translated.keys() == messages() - NOT_TRANSLATED
    for original, text in translated.items():
        assert set(placeholders(text)) == set(placeholders(original)), original
        assert original.endswith(".") == text.endswith((".", "\u3002")), original


def test_compiled_catalogues_are_up_to_date() -> None:
    ran = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das Token ist ung\u00fcltig oder abgelaufen"),
        ("de-at", "Das Token ist ung\u00fcltig oder abgelaufen"),
        ("pt-br", "O token \u00e9 inv\u00e1lido ou expirou"),
        ("zh-hans", "\u4ee4\u724c\u65e0\u6548\u6216\u5df2\u8fc7\u671f"),
        ("sv", "Token is invalid or expired"),
        ("en", "Token is invalid or expired"),
    ],
)
def test_messages_are_in_the_language_of_the_request(
    language: str, text: str, settings: Any
) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "yett.drf"]
    with translation.override(language):
        assert str(InvalidToken().detail["detail"]) == text  # type: ignore[index, call-overload]


def test_without_the_app_messages_are_english() -> None:
    with translation.override("de"):
        assert str(InvalidToken().detail["detail"]) == "Token is invalid or expired"  # type: ignore[index, call-overload]
    assert JWTAuthentication.www_authenticate_realm == "api"
