"""Users are found as `objects.get` finds them, though the SELECT is written once."""

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection, connections, models
from django.db.models.query import QuerySet
from django.db.models.signals import post_init
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext, isolate_apps, override_settings
from django.utils import timezone

from yett.drf import users
from yett.drf.users import user_by

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    users._kept.selects.clear()


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann", email="a@example.com", last_login=timezone.now())


def outcome(ask: Any) -> Any:
    """Return the queries and what came of it: all of a user, or the kind of error."""
    with CaptureQueriesContext(connection) as queries:
        try:
            state = dict(vars(ask()))
            found = (vars(state.pop("_state")), state)
        except Exception as error:
            found = type(error)
    return found, [each["sql"] for each in queries]


def as_ordinary(model: Any, field: str, value: Any) -> bool:
    """Return whether a user is found twice as `objects.get` finds it, and raise if it is not so."""
    expected = outcome(lambda: model.objects.get(**{field: value}))
    for _ in range(2):
        assert outcome(lambda: user_by(model, field, value)) == expected
    return bool(users._kept.selects)


@pytest.mark.parametrize("field", ["id", "pk", "username", "email", "username__iexact"])
def test_user_is_the_one_that_get_returns_by_the_same_query(ann: User, field: str) -> None:
    value = getattr(ann, field.partition("__")[0])
    assert as_ordinary(User, field, value) is (field != "username__iexact")


@pytest.mark.parametrize("value", ["1", 1, "0001", " 1", "2", -1, 2**63, str(2**70), 10**400])
def test_ids_that_nobody_has_are_nobodys(ann: User, value: Any) -> None:
    user_by(User, "pk", ann.pk)
    assert as_ordinary(User, "pk", value)


@pytest.mark.parametrize("value", ["abc", "", "1\0", None, True, 1.0, [1], {"a": 1}, b"1"])
def test_values_that_are_no_ids_get_the_error_that_get_gives(ann: User, value: Any) -> None:
    user_by(User, "pk", ann.pk)
    assert as_ordinary(User, "pk", value)


def test_select_is_written_once(ann: User) -> None:
    with mock.patch.object(users, "_Select", wraps=users._Select) as written:
        for _ in range(3):
            assert user_by(User, "pk", ann.pk) == ann
    assert written.call_count == 1


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
        assert as_ordinary(Person, "id", each)


def test_several_users_under_one_value_are_an_error_as_ever(ann: User) -> None:
    User.objects.create(username="bob", email=ann.email)
    with pytest.raises(User.MultipleObjectsReturned, match="it returned 2"):
        user_by(User, "email", ann.email)


def test_changed_user_is_read_again(ann: User) -> None:
    assert user_by(User, "pk", ann.pk).is_active
    User.objects.update(is_active=False)
    assert not user_by(User, "pk", ann.pk).is_active
    User.objects.all().delete()
    with pytest.raises(User.DoesNotExist):
        user_by(User, "pk", ann.pk)


def test_changed_settings_of_time_count_at_once(ann: User) -> None:
    user_by(User, "pk", ann.pk)
    with override_settings(USE_TZ=False):
        assert as_ordinary(User, "pk", ann.pk)


def test_wrappers_of_execution_and_signals_see_it(ann: User) -> None:
    user_by(User, "pk", ann.pk)
    seen: list[Any] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(tuple(params))
        return execute(sql, params, many, context)

    def heard(sender: Any, instance: Any, **_more: Any) -> None:
        seen.append(instance.username)

    post_init.connect(heard, sender=User)
    try:
        with connection.execute_wrapper(wrapper):
            user_by(User, "pk", str(ann.pk))
    finally:
        post_init.disconnect(heard, sender=User)
    assert seen == [(ann.pk,), "ann"]


def test_other_models_have_their_own(ann: User) -> None:
    group = Group.objects.create(pk=ann.pk, name="all")
    assert user_by(User, "pk", ann.pk) == ann
    assert user_by(Group, "pk", ann.pk) == group
    session = Session.objects.create(session_key="k", expire_date=timezone.now())
    assert as_ordinary(Session, "session_key", session.session_key)


class Active(models.Manager[User]):
    """Hides who is inactive."""

    def get_queryset(self) -> QuerySet[User]:
        return super().get_queryset().filter(is_active=True)


def test_manager_of_a_project_is_asked_for_every_user(ann: User) -> None:
    hiding = Active()
    hiding.model = User
    with mock.patch.object(User, "objects", hiding):
        assert user_by(User, "pk", ann.pk) == ann
        User._base_manager.update(is_active=False)
        with pytest.raises(User.DoesNotExist):
            user_by(User, "pk", ann.pk)
    assert not users._kept.selects


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (User.objects, "get"),
        (User.objects, "get_queryset"),
        (type(User.objects), "get_queryset"),
        (models.Manager, "get"),
        (QuerySet, "get"),
        (QuerySet, "filter"),
        (QuerySet, "_fetch_all"),
        (SQLCompiler, "as_sql"),
    ],
)
def test_what_was_patched_is_called_for_every_user(ann: User, owner: Any, name: str) -> None:
    user_by(User, "pk", ann.pk)
    ordinary = getattr(owner, name)
    calls = []

    def patched(*args: Any, **options: Any) -> Any:
        calls.append(args)
        return ordinary(*args, **options)

    with mock.patch.object(owner, name, patched):
        for count in (1, 2):
            assert user_by(User, "pk", ann.pk) == ann
            assert len(calls) >= count


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_its_own(ann: User) -> None:
    user_by(User, "pk", ann.pk)
    [own] = users._kept.selects.values()
    theirs: list[Any] = []

    def ask(done: Callable[[], None] = connections.close_all) -> None:
        theirs.append(user_by(User, "pk", ann.pk))
        theirs.extend(users._kept.selects.values())
        done()

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    assert theirs[0] == ann
    assert theirs[1].connection is not own.connection


def test_connection_that_was_replaced_has_a_new_one(ann: User) -> None:
    user_by(User, "pk", ann.pk)
    [old] = users._kept.selects.values()
    replaced = connection.copy()
    replaced.connection = connections["default"].connection
    with mock.patch.object(users, "connections", {"default": replaced}):
        select = users._select_for(User, "pk", ann.pk)
    assert select is not old
    assert select.connection is replaced
