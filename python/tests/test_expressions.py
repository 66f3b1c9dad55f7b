"""Which URL expressions are let through to another engine, and what begins their matches."""

import re

import pytest
from django.http import HttpResponse
from django.urls import path

from yett.django.expressions import Reading, read

UUID = path("<uuid:id>/", lambda request: HttpResponse()).pattern.regex.pattern


@pytest.mark.parametrize(
    ("expression", "literal", "is_literal"),
    [
        ("^$", "", False),
        (r"^\Z", "", False),
        (r"^api/notes/\Z", "api/notes/", False),
        ("^api/", "api/", True),
        ("^", "", True),
        (r"^a\-b\.c\ d/", "a-b.c d/", True),
        (r"^notes/(?P<pk>[0-9]+)/\Z", "notes/", False),
        (r"^notes/(?P<pk>[^/.]+)/$", "notes/", False),
        (UUID, "", False),
        (r"^(?P<slug>[-\w]+)/$", "", False),
        (r"^files/(?P<rest>.+)\Z", "files/", False),
        (r"^x/(?:one|two)/$", "x/", False),
        (r"^x/(\d{4})(?:/(\d\d))?/?$", "x/", False),
        (r"^x/.*?end$", "x/", False),
        (r"^sch\u00f6n/$", "sch\u00f6n/", False),
        (r"^no/end", "no/end", True),
        (r"^a[|]b\|c/$", "a|b|c/", False),
        (r"^[]|]x$", "", False),
        (r"^[^]|]x$", "", False),
    ],
)
def test_plain_expression_is_let_through(expression: str, literal: str, is_literal: bool) -> None:
    assert read(expression, is_last=True) == Reading(None, literal, is_literal)


@pytest.mark.parametrize(
    ("expression", "objection", "literal"),
    [
        ("notes/$", "the expression is not anchored at its start", ""),
        (r"\Anotes/$", "the expression is not anchored at its start", ""),
        ("a|^b", "the expression has alternatives at its top", ""),
        ("^a/$|^b/$", "the expression has alternatives at its top", ""),
        ("^a$|^ab$", "the expression has alternatives at its top", ""),
        ("(?i)^a$", "the expression sets flags", ""),
        ("(?a)^a$", "the expression sets flags", ""),
        ("^a(?i:b)$", "the expression sets flags", "a"),
        ("^a(?=b)", "the expression uses assert", "a"),
        ("^a(?!b)", "the expression uses assert_not", "a"),
        (r"^(a)\1$", "the expression uses groupref", ""),
        (r"^(a)?(?(1)b|c)$", "the expression uses groupref_exists", ""),
        (r"^a\b/$", "the expression uses at", "a"),
        ("^a$b", "the expression uses at", "a"),
        (r"^price\$", "the expression ends in an escaped dollar sign", "price$"),
    ],
)
def test_expression_that_engines_read_differently_is_not(
    expression: str, objection: str, literal: str
) -> None:
    reading = read(expression, is_last=True)
    assert (reading.objection, reading.literal) == (objection, literal)


@pytest.mark.parametrize(
    "expression",
    [
        "^api/",
        r"^(?P<t>[^/]+)/",
        r"^(?P<n>[0-9]+)/",
        UUID.removesuffix(r"\Z"),
        r"^([-\w]+)/",
        "^[^/.]x/",
    ],
)
def test_piece_before_the_last_may_hold_plain_variables(expression: str) -> None:
    assert read(expression, is_last=False).objection is None


@pytest.mark.parametrize(
    ("expression", "objection"),
    [
        ("^(?P<p>.+)/", "a piece before the last may match a slash"),
        ("^[^.]+/", "a piece before the last may match a slash"),
        (r"^\D+/", "a piece before the last may match a slash"),
        (r"^[\w\W]+/", "a piece before the last may match a slash"),
        ("^[!-~]+/", "a piece before the last may match a slash"),
        ("^[^a]/", "a piece before the last may match a slash"),
        ("^(?:a/)*b/", "a piece before the last repeats more than one character"),
        ("^x/*", "a piece before the last repeats more than one character"),
        ("^[^/]+?/", "a piece before the last repeats more than one character"),
        ("^(?:a|b)/", "a piece before the last may match a slash"),
        ("^(?:one|two)/", "a piece before the last has alternatives"),
        ("^api/$", "the expression ends the path before its last piece"),
        (r"^api/\Z", "the expression ends the path before its last piece"),
    ],
)
def test_piece_before_the_last_must_be_plain(expression: str, objection: str) -> None:
    found = read(expression, is_last=False).objection
    # Python's parser turns alternatives of one letter into a set, which is plain.
    assert found == (None if expression == "^(?:a|b)/" else objection)


@pytest.mark.parametrize("expression", ["^a/(?P<x>[^/]+)/$", "^files/.+", "^(?:one|two)/$"])
def test_every_match_begins_with_the_literal(expression: str) -> None:
    literal = read(expression, is_last=True).literal
    for text in ("a/b/", "files/x/y", "one/", "two/", "b/", ""):
        if re.search(expression, text):
            assert text.startswith(literal)
