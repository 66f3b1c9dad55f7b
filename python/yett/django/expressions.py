"""Judges a URL's regular expression: can the edge match it exactly as Django does?

Django matches a URL piece by piece: each piece is searched in what the piece before left
over (`RoutePattern.match`, `RegexPattern.match`, Django 4.2 to 6.1). The edge does the
same with another engine, so only what both engines read alike is let through. Python's
own parser of expressions tells what is in one.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    from re import _constants as sre  # type: ignore[attr-defined]  # not in the stubs
    from re import _parser as sre_parser  # type: ignore[attr-defined]
else:
    import sre_constants as sre
    import sre_parse as sre_parser

_ENDS = (sre.AT_END, sre.AT_END_STRING)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_WITHOUT_SLASH = (sre.CATEGORY_DIGIT, sre.CATEGORY_WORD, sre.CATEGORY_SPACE)


class Reading(NamedTuple):
    """What an expression surely says."""

    #: Why it cannot be matched exactly, or `None`.
    objection: str | None
    #: The text with which every match begins.
    literal: str
    #: Whether the literal is all there is, so that the next piece goes on from it.
    is_literal: bool


def read(expression: str, *, is_last: bool) -> Reading:
    """Read one piece of a URL; `is_last` for the piece that ends in a view."""
    parsed: Any = sre_parser.parse(expression)
    items = list(parsed)
    if parsed.state.flags != re.UNICODE:
        return Reading("the expression sets flags", "", False)
    if _has_alternatives_at_top(expression):
        return Reading("the expression has alternatives at its top", "", False)
    if not expression.startswith("^") or not items or items[0] != (sre.AT, sre.AT_BEGINNING):
        return Reading("the expression is not anchored at its start", "", False)
    items = items[1:]
    ends = bool(items) and items[-1][0] is sre.AT and items[-1][1] in _ENDS
    body = items[:-1] if ends else items
    literal = "".join(_leading_literals(body))
    objection = next(_objections(body, is_last), None)
    if objection is None and ends and not is_last:
        objection = "the expression ends the path before its last piece"
    if objection is None and expression.endswith("$") and not ends:
        # Django sees the character and demands a full match.
        objection = "the expression ends in an escaped dollar sign"
    return Reading(objection, literal, len(literal) == len(body) and not ends)


def literal_start(expression: Any) -> str | None:
    """Return the text that paths without a newline must begin with to match, or `None`.

    That is all of it: an expression that says more gives `None`.
    """
    text = getattr(expression, "pattern", expression)
    flags = getattr(expression, "flags", re.UNICODE)
    if not isinstance(text, str) or flags != re.UNICODE or _has_alternatives_at_top(text):
        return None
    parsed: Any = sre_parser.parse(text)
    if parsed.state.flags != re.UNICODE:
        return None
    items = list(parsed)
    # `re.match`, so the first anchor says nothing.
    if items and items[0] == (sre.AT, sre.AT_BEGINNING):
        items = items[1:]
    literal = "".join(_leading_literals(items))
    rest = items[len(literal) :]
    anything = rest[:1] and rest[0][0] in _REPEATS and rest[0][1][:2] == (0, sre.MAXREPEAT)
    if anything and list(rest[0][1][2]) == [(sre.ANY, None)]:
        rest = rest[1:]
        if rest and rest[0][0] is sre.AT and rest[0][1] in _ENDS:
            rest = rest[1:]
    return None if rest else literal


def _leading_literals(items: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    for operation, argument in items:
        if operation is not sre.LITERAL:
            return
        yield chr(argument)


def _objections(items: Iterable[tuple[Any, Any]], is_last: bool) -> Iterator[str]:
    for operation, argument in items:
        if operation is sre.LITERAL:
            continue
        if operation in (sre.IN, sre.NOT_LITERAL, sre.ANY):
            if not is_last and _may_be_slash(operation, argument):
                yield "a piece before the last may match a slash"
        elif operation in _REPEATS:
            least_first = operation is sre.MIN_REPEAT
            repeated = list(argument[2])
            if not is_last and (least_first or len(repeated) != 1 or repeated[0] == _SLASH):
                yield "a piece before the last repeats more than one character"
            yield from _objections(repeated, is_last)
        elif operation is sre.SUBPATTERN:
            _, added, removed, inner = argument
            if added or removed:
                yield "the expression sets flags"
            yield from _objections(inner, is_last)
        elif operation is sre.BRANCH:
            if not is_last:
                yield "a piece before the last has alternatives"
            for branch in argument[1]:
                yield from _objections(branch, is_last)
        else:
            yield f"the expression uses {str(operation).lower()}"


_SLASH = (sre.LITERAL, ord("/"))


def _may_be_slash(operation: Any, argument: Any) -> bool:
    if operation is sre.ANY:
        return True
    if operation is sre.NOT_LITERAL:
        return bool(argument != ord("/"))
    members = list(argument)
    negated = members[0][0] is sre.NEGATE
    named = any(_names_slash(member) for member in members)
    if negated:
        # A negated category shuts out a set in which we do not look for the slash.
        return not any(member == _SLASH or _is_range_over_slash(member) for member in members)
    return named


def _names_slash(member: tuple[Any, Any]) -> bool:
    operation, argument = member
    if operation is sre.CATEGORY:
        return argument not in _WITHOUT_SLASH
    return member == _SLASH or _is_range_over_slash(member)


def _is_range_over_slash(member: tuple[Any, Any]) -> bool:
    operation, argument = member
    return bool(operation is sre.RANGE and argument[0] <= ord("/") <= argument[1])


def _has_alternatives_at_top(expression: str) -> bool:
    """Return whether a `|` stands outside every group, set and escape.

    Read from the text, because the parser folds some alternatives into other things.
    """
    depth, in_set, escaped, set_start = 0, False, False, -1
    for position, character in enumerate(expression):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_set:
            # A bracket that comes first in a set stands for itself.
            first = position == set_start + 1 or (
                position == set_start + 2 and expression[set_start + 1] == "^"
            )
            in_set = character != "]" or first
        elif character == "[":
            in_set, set_start = True, position
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            return True
    return False
