"""Users are found as `objects.get` finds them, though it is not asked."""

import importlib.util
import sys
from collections.abc import Callable
from functools import wraps
from types import CodeType
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models.lookups import Exact
from django.db.models.query import QuerySet
from django.db.models.signals import post_init
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.query import Query
from django.db.models.sql.where import WhereNode
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils import timezone

from yett.drf import users
from yett.drf.users import user_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann", email="a@example.com", last_login=timezone.now())


def outcome(ask: Callable[[], Any]) -> Any:
    """Return the queries and what came of it: all of a user, or the error."""
    with CaptureQueriesContext(connection) as queries:
        try:
            state = dict(vars(ask()))
            found = (vars(state.pop("_state")), state)
        except Exception as error:
            found = (type(error), error.args)
    return found, [each["sql"] for each in queries]


def is_as_ordinary(model: Any, field: str, value: Any) -> bool:
    """Return whether `get` was not asked; raise if anything is other than with `get`."""
    expected = outcome(lambda: model.objects.get(**{field: value}))
    with mock.patch.object(users, "_with_one_comparison", wraps=users._with_one_comparison) as way:
        assert outcome(lambda: user_by(model, field, value)) == expected
    assert way.call_count == 1
    try:
        return users._with_one_comparison(model, field, value) is not None
    except Exception:
        return True


@pytest.mark.parametrize("field", ["id", "username", "email", "pk", "username__iexact"])
def test_user_is_the_one_that_get_returns_by_the_same_query(ann: User, field: str) -> None:
    value = getattr(ann, field.partition("__")[0])
    assert is_as_ordinary(User, field, value) is (field in ("id", "username", "email"))


@pytest.mark.parametrize("value", ["1", 1, "0001", " 1", "2", -1, 2**63, str(2**70), 10**400])
def test_ids_that_nobody_has_are_nobodys(ann: User, value: Any) -> None:
    assert is_as_ordinary(User, "id", value)


@pytest.mark.parametrize("value", ["abc", "", "1\0", None, True, 1.0, [1], {"a": 1}, b"1"])
def test_values_that_are_no_ids_get_the_error_that_get_gives(ann: User, value: Any) -> None:
    assert is_as_ordinary(User, "id", value) is (type(value) is str)


def test_empty_text_is_left_to_get(ann: User) -> None:
    assert not is_as_ordinary(User, "username", "")


@pytest.mark.parametrize("field", ["nothing", "groups", "logentry", "password__"])
def test_names_that_are_no_column_get_the_error_that_get_gives(ann: User, field: str) -> None:
    assert not is_as_ordinary(User, field, "x")


@isolate_apps("django.contrib.auth")
def test_id_that_is_no_number_is_found_by_its_text() -> None:
    class Person(models.Model):
        id = models.UUIDField(primary_key=True)

        class Meta:
            app_label = "auth"
            db_table = "person"

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE person (id char(32) PRIMARY KEY)")
    known = Person.objects.create(id=uuid4()).id
    for each in (str(known), known.hex, str(known).upper(), str(UUID(int=1)), "1", 1):
        assert is_as_ordinary(Person, "id", each)


@isolate_apps("django.contrib.auth")
def test_field_of_a_parent_and_a_proxy_are_left_to_get(ann: User) -> None:
    class Child(User):
        class Meta:
            app_label = "auth"
            db_table = "child"

    class Stand(User):
        class Meta:
            app_label = "auth"
            proxy = True

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE child (user_ptr_id integer PRIMARY KEY)")
        cursor.execute("INSERT INTO child VALUES (%s)", [ann.pk])
    assert not is_as_ordinary(Child, "username", "ann")
    assert not is_as_ordinary(Child, "user_ptr", ann.pk)
    assert not is_as_ordinary(Stand, "username", "ann")


def test_several_users_under_one_value_are_an_error_as_ever(ann: User) -> None:
    User.objects.create(username="bob", email=ann.email)
    with pytest.raises(User.MultipleObjectsReturned, match="it returned 2"):
        user_by(User, "email", ann.email)


def test_changed_user_is_read_again(ann: User) -> None:
    assert user_by(User, "id", ann.pk).is_active
    User.objects.update(is_active=False)
    assert not user_by(User, "id", ann.pk).is_active
    User.objects.all().delete()
    with pytest.raises(User.DoesNotExist):
        user_by(User, "id", ann.pk)


def test_other_models_have_their_own(ann: User) -> None:
    group = Group.objects.create(pk=ann.pk, name="all")
    assert user_by(User, "id", ann.pk) == ann
    assert user_by(Group, "id", ann.pk) == group
    session = Session.objects.create(session_key="k", expire_date=timezone.now())
    assert is_as_ordinary(Session, "session_key", session.session_key)


def test_wrappers_of_execution_and_signals_see_it(ann: User) -> None:
    seen: list[Any] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(tuple(params))
        return execute(sql, params, many, context)

    def heard(sender: Any, instance: Any, **_more: Any) -> None:
        seen.append(instance.username)

    post_init.connect(heard, sender=User)
    try:
        with connection.execute_wrapper(wrapper):
            user_by(User, "id", str(ann.pk))
    finally:
        post_init.disconnect(heard, sender=User)
    assert seen == [(ann.pk,), "ann"]


def test_query_itself_is_the_one_that_get_makes(ann: User) -> None:
    # Backends without SQL read it in place of what the compiler writes.
    asked: list[dict[str, Any]] = []
    execute = SQLCompiler.execute_sql

    def noted(self: Any, *args: Any, **options: Any) -> Any:
        where = self.query.where
        asked.append({**vars(self.query), "where": [str(where), *map(vars, where.children)]})
        return execute(self, *args, **options)

    with mock.patch.object(SQLCompiler, "execute_sql", noted):
        User.objects.get(username="ann")
        user_by(User, "username", "ann")
    ordinary, ours = asked
    # Three notes that queries make to themselves while they are built.
    notes = {"_annotation_select_cache", "_lookup_joins", "filter_is_sticky"}
    assert {name: ordinary[name] for name in ordinary.keys() - notes} == {
        name: ours[name] for name in ours.keys() - notes
    }


def test_a_fields_own_comparison_is_used_for_every_user(ann: User) -> None:
    class Folded(Exact):
        def get_prep_lookup(self) -> Any:
            return str(super().get_prep_lookup()).lower()

    field: Any = User._meta.get_field("username")
    field.register_lookup(Folded, "exact")
    try:
        assert is_as_ordinary(User, "username", "ANN")
        assert user_by(User, "username", "ANN") == ann
    finally:
        field._unregister_lookup(Folded, "exact")


def test_query_that_brings_a_condition_is_left_to_get(ann: User) -> None:
    # Who was found by an OR in front of the comparison would be anybody.
    anybody = QuerySet(User).filter(is_active=True) | QuerySet(User).filter(is_superuser=True)
    with (
        mock.patch.object(type(User.objects), "get_queryset", lambda _users: anybody.all()),
        mock.patch.object(users, "_is_as_written", return_value=True),
    ):
        assert not is_as_ordinary(User, "id", 999)


def test_field_makes_its_column_as_for_get(ann: User) -> None:
    field: Any = User._meta.get_field("username")
    calls: list[Any] = []

    def get_col(alias: str, output_field: Any = None) -> Any:
        calls.append((alias, output_field))
        return type(field).get_col(field, alias, output_field)

    with mock.patch.object(field, "get_col", get_col, create=True):
        User.objects.get(username="ann")
        ordinary, calls[:] = list(calls), []
        user_by(User, "username", "ann")
    assert calls == ordinary


@pytest.mark.parametrize("name", ["__iter__", "__len__", "__getitem__"])
def test_query_set_is_read_as_get_reads_it(ann: User, name: str) -> None:
    def nobody(_users: Any, *_: Any) -> Any:
        return {"__iter__": iter(()), "__len__": 0, "__getitem__": None}[name]

    with mock.patch.object(QuerySet, name, nobody):
        assert is_as_ordinary(User, "id", ann.pk)


class Delegating:
    """Passes everything on to a manager."""

    def __getattr__(self, name: str) -> Any:
        return getattr(User._base_manager, name)


def test_manager_that_is_none_or_anothers_is_asked_itself(ann: User) -> None:
    for each in (Delegating(), Group.objects):
        with mock.patch.object(User, "objects", each):
            assert not is_as_ordinary(User, "id", ann.pk)


class Active(models.Manager[User]):
    """Hides who is inactive."""

    def get_queryset(self) -> QuerySet[User]:
        return super().get_queryset().filter(is_active=True)


class Quiet(QuerySet[User]):
    """Finds nobody."""

    def get(self, *_args: Any, **_kwargs: Any) -> User:
        raise User.DoesNotExist


@pytest.mark.parametrize("kind", [Active, models.Manager.from_queryset(Quiet)])
def test_manager_of_a_project_is_asked_for_every_user(ann: User, kind: Any) -> None:
    own = kind()
    own.model = User
    User._base_manager.update(is_active=False)
    with mock.patch.object(User, "objects", own), pytest.raises(User.DoesNotExist):
        user_by(User, "id", ann.pk)


def names(*owners: Any) -> list[tuple[Any, str]]:
    """Return where each function stands that is not called here."""
    watched = {id(each) for each in users._WRITTEN}
    every = [(owner, name) for owner in owners for name in dir(owner)]
    return [each for each in every if id(getattr(*each)) in watched]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        *names(models.Manager, QuerySet, Query, WhereNode, users.query),
        (models.Q, "__init__"),
        (users.query.sql, "Query"),
        (users.sql, "JoinPromoter"),
        (users.sql, "WhereNode"),
        (User.objects, "get"),
        (User.objects, "get_queryset"),
        (type(User.objects), "get_queryset"),
    ],
)
def test_what_was_patched_is_called_for_every_user(ann: User, owner: Any, name: str) -> None:
    ordinary = getattr(owner, name)

    def patched(*args: Any, **options: Any) -> Any:
        return ordinary(*args, **options)

    with mock.patch.object(owner, name, patched):
        assert not is_as_ordinary(User, "id", ann.pk)
    assert is_as_ordinary(User, "id", ann.pk)


def test_every_function_that_is_not_called_is_watched(ann: User) -> None:
    def called(ask: Callable[[], Any]) -> set[CodeType]:
        codes = set()
        ask()
        before = sys.getprofile()
        sys.setprofile(lambda frame, *_: codes.add(frame.f_code))
        try:
            ask()
        finally:
            sys.setprofile(before)
        return codes

    ours = called(lambda: user_by(User, "id", ann.pk))
    missed = called(lambda: User.objects.get(id=ann.pk)) - ours
    watched = {each.__code__ for each in users._WRITTEN if hasattr(each, "__code__")}
    kinds: list[Any] = [type(User.objects), QuerySet, Query, WhereNode, models.Q]
    written = [value for kind in kinds for owner in kind.__mro__ for value in vars(owner).values()]
    codes = {getattr(getattr(each, "__func__", each), "__code__", None) for each in written}
    # It says whether an argument is one of three words.
    harmless = getattr(models.Q, "_check_connector", None)
    assert codes & missed - {getattr(harmless, "__code__", None)} == watched - ours


@pytest.mark.parametrize("function", users._FUNCTIONS, ids=lambda each: each.__qualname__)
def test_function_whose_code_was_exchanged_is_called_for_every_user(
    ann: User, function: Any
) -> None:
    ordinary = function.__code__
    function.__code__ = ordinary.replace(co_filename="elsewhere.py")
    try:
        assert not is_as_ordinary(User, "id", ann.pk)
        assert not users._is_djangos()
    finally:
        function.__code__ = ordinary
    assert is_as_ordinary(User, "id", ann.pk)


def test_nobody_is_returned_for_a_query_that_lost_the_comparison(ann: User) -> None:
    # Each look at the query makes another one, and nobody notices the patch.
    ordinary: Any = vars(QuerySet)["query"]
    copies = property(lambda users: ordinary.fget(users).clone(), ordinary.fset)
    with (
        mock.patch.object(QuerySet, "query", copies),
        mock.patch.object(users, "_is_as_written", return_value=True),
    ):
        assert not is_as_ordinary(User, "id", 999)


def test_nobody_is_returned_for_a_query_that_got_another_condition(ann: User) -> None:
    def add(self: Any, data: Any, connector: str) -> Any:
        self.children.extend((data, data))
        return data

    with (
        mock.patch.object(WhereNode, "add", add),
        mock.patch.object(users, "_is_as_written", return_value=True),
    ):
        assert users._with_one_comparison(User, "id", ann.pk) is None


def test_django_without_one_of_the_functions_is_left_to_get(ann: User) -> None:
    ordinary = importlib.util.find_spec("yett.drf.users")
    assert ordinary and ordinary.loader
    with mock.patch.object(Query, "trim_joins"):
        del Query.trim_joins
        module = importlib.util.module_from_spec(ordinary)
        ordinary.loader.exec_module(module)
    assert not module._IS_DJANGOS
    assert module.user_by(User, "id", ann.pk) == ann


@isolate_apps("django.contrib.auth")
@pytest.mark.parametrize("name", ["a__b", "self"])
def test_field_that_get_cannot_name_is_not_found_by_its_name(name: str) -> None:
    fields = {name: models.IntegerField(), "__module__": __name__}
    meta = {"Meta": type("Meta", (), {"app_label": "auth"})}
    model: Any = type("Odd", (models.Model,), fields | meta)
    assert not is_as_ordinary(model, name, 1)


def test_function_that_another_wraps_is_not_djangos() -> None:
    assert users._IS_DJANGOS
    ordinary = Query.build_filter

    @wraps(ordinary)
    def patched(*args: Any, **options: Any) -> Any:
        return ordinary(*args, **options)

    assert users._is_of(ordinary, users.sql)
    assert not users._is_of(patched, users.sql)
    assert not users._is_of(mock.MagicMock(__globals__=vars(users.sql)), users.sql)
