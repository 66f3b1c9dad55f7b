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
from django.db.models.sql import where
from django.db.models.sql.query import Query
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
    # `get` reads a look-up in the one, and knows the other as a name of its own.
    if "__" in name or name == "self":
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
    if type(users) is not QuerySet or type(asked) is not Query:
        return None
    if asked.where or asked.is_sliced or asked.combinator:
        return None
    column = field.get_col(asked.get_initial_alias(), field)
    exact = column.get_lookup("exact")
    comparison = exact and exact(column, value)
    if not comparison or comparison.rhs is None or comparison.rhs == "":
        # Some databases know no empty text: it is written as NULL there.
        return None
    asked.where.add(comparison, where.AND)
    asked.clear_ordering(force=True)
    asked.set_limits(high=query.MAX_GET_RESULTS)
    # Whatever was patched: nobody is asked for by another query, nor by another condition.
    conditions = asked.where.children
    if users.query is not asked or len(conditions) != 1 or conditions[0] is not comparison:
        return None
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
        and all(map(is_, map(_code_of, _FUNCTIONS), _CODES))
    )


def _passed_over() -> tuple[Any, ...]:
    return (
        Manager.get,
        Manager.get_queryset,
        *_of_conditions(where.WhereNode),
        query_utils.Q.__init__,
        vars(QuerySet)["query"],
        vars(query)["Q"],
        vars(query)["sql"].Query,
        vars(sql)["JoinPromoter"],
        vars(sql)["WhereNode"],
        *_of_query_sets(QuerySet),
        *_of_queries(Query),
    )


#: What `objects.get` calls and `user_by` does not; the constructors `get` calls for each copy too.
_of_conditions = attrgetter("__init__", "add", "clone", "create.__func__")
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
_code_of = attrgetter("__code__")


def _is_of(function: Any, *modules: Any) -> bool:
    """Return whether a function was written in one of these; one that wraps it was not."""
    return type(function) is FunctionType and any(
        function.__globals__ is vars(each) and function.__code__.co_filename == each.__file__
        for each in modules
    )


def _is_djangos() -> bool:
    """Return whether nothing was patched by whoever was imported before this module."""
    return (
        vars(query)["Q"] is query_utils.Q
        and vars(query)["sql"].Query is Query
        and vars(sql)["WhereNode"] is where.WhereNode
        and _is_of(vars(sql)["JoinPromoter"].__init__, sql)
        and all(_is_of(each, manager) for each in (Manager.get, Manager.get_queryset))
        and all(_is_of(each, tree, where) for each in _of_conditions(where.WhereNode))
        and all(
            _is_of(each, query)
            for each in (vars(QuerySet)["query"].fget, *_of_query_sets(QuerySet))
        )
        and _is_of(query_utils.Q.__init__, query_utils)
        and all(_is_of(each, sql) for each in _of_queries(Query))
    )


try:
    _WRITTEN = _passed_over()
    _IS_DJANGOS = _is_djangos()
except (AttributeError, KeyError):
    # A Django that has others of them is left to itself.
    _WRITTEN, _IS_DJANGOS = (), False
#: The functions among them, and their code: it can be exchanged in its place.
_FUNCTIONS = tuple(each for each in _WRITTEN if type(each) is FunctionType)
_CODES = tuple(map(_code_of, _FUNCTIONS))
