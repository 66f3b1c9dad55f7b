"""Finds the user of a token; the SELECT for it is written once for each connection.

Every request with a token reads its user, and Django spends two thirds of that on writing the same
SQL again. What it wrote is kept here. All that is left is still done by Django: the look-up
prepares the value, the compiler executes and converts, the model makes the user. So wrappers of
execution, counted queries, routers and signals see what they always do.

That holds for a manager that is Django's own in all that counts. Whoever overrides or patches
what makes the query, for tenants or to hide the deleted, is asked for every user.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet, manager, query
from django.db.models.lookups import Exact
from django.db.models.sql import compiler as compilers
from django.db.models.sql import query as queries


def user_by(model: Any, field: str, value: Any) -> Any:
    """Return `model.objects.get(**{field: value})`, and raise what that raises."""
    try:
        found = _select_for(model, field, value).users(value)
    except _Unfit:
        return model.objects.get(**{field: value})
    if not found:
        raise model.DoesNotExist(f"{model._meta.object_name} matching query does not exist.")
    # The ordinary way says of several how many they are.
    return found[0] if len(found) == 1 else model.objects.get(**{field: value})


class _Unfit(Exception):
    """The ordinary way is to be gone."""


class _Select:
    """One SELECT as one connection's compiler wrote it, for any value of its one parameter."""

    def __init__(self, asked: QuerySet[Any], alias: str) -> None:
        """Write it as it is for one value; raise `_Unfit` if others would need another."""
        self.connection = connections[alias]
        self._model, self._alias = asked.model, alias
        self._compiler = asked.query.get_compiler(using=alias)
        self._sql, parameters = self._compiler.as_sql()
        condition = asked.query.where.children[0]
        if not isinstance(condition, Exact) or type(self._compiler).as_sql is not _AS_SQL:
            raise _Unfit
        self._lookup, self._column = type(condition), condition.lhs
        if self._prepared(condition) != tuple(parameters):
            raise _Unfit

    def users(self, value: Any) -> list[Any]:
        """Return whom the database has under this value."""
        try:
            parameters = self._prepared(self._lookup(self._column, value))
        except EmptyResultSet:
            # No column of this kind can hold it.
            return []
        query: Any = _Written(self._compiler, self._sql, parameters)
        return list(QuerySet(self._model, query, self._alias))

    def _prepared(self, lookup: Exact) -> tuple[Any, ...]:
        placeholder, parameters = lookup.process_rhs(self._compiler, self.connection)
        if placeholder != "%s":
            raise _Unfit
        return tuple(parameters)


class _Written:
    """What a `QuerySet` needs of its query when the SQL is there already."""

    def __init__(self, compiler: Any, sql: str, parameters: tuple[Any, ...]) -> None:
        self._compiler, self._answer = compiler, (sql, parameters)

    def get_compiler(self, using: str) -> Any:
        """Return a compiler that has nothing left to write."""
        compiler = copy.copy(self._compiler)
        compiler.as_sql = lambda: self._answer
        return compiler


class _Kept(threading.local):
    """The SELECTs of one thread, as its connections are its own; one for each kind of question."""

    def __init__(self) -> None:
        self.selects: dict[tuple[Any, ...], _Select] = {}


_kept = _Kept()


def _select_for(model: Any, field: str, value: Any) -> _Select:
    users: Any = getattr(model, "objects", None)
    # Other values have an SQL of their own: NULL, a sub-query, on Oracle also the empty text.
    if type(value) not in (int, str) or value == "" or not _is_djangos(users):
        raise _Unfit
    everybody = users.get_queryset()
    alias = everybody.db
    question = (model, model._meta.db_table, field, alias)
    select = _kept.selects.get(question)
    if select is None or select.connection is not connections[alias]:
        try:
            asked = everybody.using(alias).filter(**{field: value}).order_by()
            asked.query.set_limits(high=query.MAX_GET_RESULTS)
            select = _Select(asked, alias)
        except Exception as error:
            # Whatever is wrong with the value, the field or the database: the ordinary way says so.
            raise _Unfit from error
        _kept.selects[question] = select
    return select


def _is_djangos(users: Any) -> bool:
    """Return whether Django's own code makes the query, as it was written."""
    kind = type(users)
    return (
        getattr(users, "_queryset_class", None) is QuerySet
        and vars(users).keys().isdisjoint(_OF_MANAGERS)
        and all(_is_of(getattr(kind, name), manager) for name in _OF_MANAGERS)
        and all(_is_of(getattr(owner, name), module) for owner, name, module in _OF_ALL)
    )


#: What makes a query. An instance of a manager may have been given its own.
_OF_MANAGERS = ("get", "get_queryset")
_OF_ALL = (
    (QuerySet, "get", query),
    (QuerySet, "filter", query),
    (QuerySet, "_fetch_all", query),
    (queries.Query, "get_compiler", queries),
    (compilers.SQLCompiler, "as_sql", compilers),
)
_AS_SQL = compilers.SQLCompiler.as_sql


def _is_of(function: Callable[..., Any], module: Any) -> bool:
    """Return whether a function was written in that module; one that wraps it was not."""
    return getattr(function, "__globals__", None) is vars(module)
