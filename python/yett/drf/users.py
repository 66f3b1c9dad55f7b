"""Finds the user of a token: `objects.get` without its general part.

Every request with a token reads its user. A quarter of the time of `objects.get(id=7)` goes into
finding out what `id` means: parsing the name, following relations, promoting joins, and copying the
query at each step. Here the one comparison is put into a new query as it is.

Nothing is kept from one request to the next. The manager makes the query set; from the comparison
on, all is Django's again: the look-up prepares the value, the compiler writes the SQL and executes
it, the model makes the user. What is passed over is listed at the end, in `_passed_over`; where
one of it, the manager or the query set is not as Django wrote it, `objects.get` is asked.
"""

from __future__ import annotations

from operator import attrgetter, is_
from types import FunctionType
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Manager, QuerySet, manager, query, query_utils
from django.db.models.sql import query as sql
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, WhereNode
from django.utils import tree


def user_by(model: Any, field: str, value: Any) -> Any:
    """Return `model.objects.get(**{field: value})`, and raise what that raises."""
    users: Any = _with_one_comparison(model, field, value)
    if users is None:
        return model.objects.get(**{field: value})
    # Counted and taken as `get` does: a patched loop or index counts there for nothing either.
    number = len(users)
    if number == 1:
        return users._result_cache[0]
    if number == 0:
        raise model.DoesNotExist(f"{model._meta.object_name} matching query does not exist.")
    # The ordinary way says how many they are.
    return model.objects.get(**{field: value})


def _with_one_comparison(model: Any, name: str, value: Any) -> QuerySet[Any] | None:
    """Return the query set that `get` would make, or `None` where only `get` knows."""
    everybody = model.objects
    # Lists, expressions and nothing at all mean something else than to be equal.
    if type(value) not in (int, str) or not _is_as_written(everybody, model):
        return None
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # A parent's field needs a join, and one that relates is compared in another way.
    if field.is_relation or field not in model._meta.local_concrete_fields:
        return None
    users: QuerySet[Any] = everybody.get_queryset()
    asked: Any = users.query
    if type(users) is not QuerySet or type(asked) is not Query or asked.where or asked.is_sliced:
        return None
    column = field.get_col(asked.get_initial_alias(), field)
    exact = column.get_lookup("exact")
    comparison = exact and exact(column, value)
    if not comparison or comparison.rhs is None or comparison.rhs == "":
        # Some databases know no empty text: it is written as NULL there.
        return None
    asked.where.add(comparison, AND)
    asked.clear_ordering(force=True)
    asked.set_limits(high=query.MAX_GET_RESULTS)
    return users


def _is_as_written(users: Any, model: Any) -> bool:
    """Return whether the manager is Django's own in what counts, and nothing has been patched."""
    kind = type(users)
    return (
        _IS_DJANGOS
        and issubclass(kind, Manager)
        and kind.__getattribute__ is object.__getattribute__
        and QuerySet.__getattribute__ is object.__getattribute__
        and users.model is model
        and users._queryset_class is QuerySet
        and kind.get is Manager.get
        and kind.get_queryset is Manager.get_queryset
        and vars(users).keys().isdisjoint(("get", "get_queryset"))
        and all(map(is_, _passed_over(), _WRITTEN))
    )


def _passed_over() -> tuple[Any, ...]:
    return (
        Manager.get,
        Manager.get_queryset,
        WhereNode.add,
        vars(query)["Q"],
        *_of_query_sets(QuerySet),
        *_of_queries(Query),
    )


#: What `objects.get` calls and `user_by` does not; the constructors `get` calls for each copy too.
_of_query_sets = attrgetter(
    "__init__",
    "_chain",
    "_clone",
    "_filter_or_exclude",
    "_filter_or_exclude_inplace",
    "_not_support_combined_queries",
    "filter",
    "get",
    "order_by",
)
_of_queries = attrgetter(
    "__init__",
    "_add_q",
    "_get_col",
    "add_ordering",
    "add_q",
    "build_filter",
    "build_lookup",
    "can_filter",
    "chain",
    "check_filterable",
    "check_related_objects",
    "clone",
    "demote_joins",
    "names_to_path",
    "promote_joins",
    "resolve_lookup_value",
    "setup_joins",
    "solve_lookup_type",
    "trim_joins",
)
_WRITTEN = _passed_over()


def _is_of(function: Any, module: Any) -> bool:
    """Return whether a function was written in that module; one that wraps it was not."""
    return type(function) is FunctionType and function.__globals__ is vars(module)


#: Whoever imports a patch before this module changes what we know as written.
_IS_DJANGOS = (
    all(_is_of(each, manager) for each in (Manager.get, Manager.get_queryset))
    and _is_of(WhereNode.add, tree)
    and vars(query)["Q"] is query_utils.Q
    and all(_is_of(each, query) for each in _of_query_sets(QuerySet))
    and all(_is_of(each, sql) for each in _of_queries(Query))
)
