"""`yett.jwt` takes the time from `time.time`, at each call."""

import datetime
import time
from unittest import mock

import freezegun
import pytest
import time_machine

from yett import jwt

SECRET = "a secret of more than thirty-two bytes"
TOKEN = jwt.encode({"iat": 1000, "nbf": 1000, "exp": 2000}, SECRET)


def decode_at(now, **arguments):
    with mock.patch("time.time", return_value=now):
        return jwt.decode(TOKEN, SECRET, algorithms=["HS256"], **arguments)


@pytest.mark.parametrize("now", [1000, 1000.0, 1999, 1999.999])
def test_a_token_is_valid_from_its_begin_to_its_end(now):
    assert decode_at(now)


def test_at_its_end_a_token_is_over():
    for now in (2000, 2000.5, 3000, 1e300):
        with pytest.raises(jwt.ExpiredSignatureError):
            decode_at(now)


def test_before_its_begin_a_token_is_not_valid():
    for now in (999.999, 0, -1e300):
        with pytest.raises(jwt.ImmatureSignatureError):
            decode_at(now)


@pytest.mark.parametrize("leeway", [10, 10.0, 9.1, datetime.timedelta(seconds=10)])
def test_leeway_is_for_both_ends_and_rounded_up(leeway):
    assert decode_at(990, leeway=leeway)
    assert decode_at(2009, leeway=leeway)
    with pytest.raises(jwt.ExpiredSignatureError):
        decode_at(2010, leeway=leeway)
    with pytest.raises(jwt.ImmatureSignatureError):
        decode_at(989, leeway=leeway)


@pytest.mark.parametrize("leeway", [-1, -0.5, float("nan"), datetime.timedelta(seconds=-1)])
def test_negative_leeway_is_an_error(leeway):
    with pytest.raises(ValueError):
        decode_at(1500, leeway=leeway)


def test_an_endless_leeway_is_only_very_long():
    assert decode_at(4_000_000_000, leeway=float("inf"))


def test_a_clock_that_is_no_number_is_an_error():
    with pytest.raises(TypeError):
        decode_at("now")


@pytest.mark.parametrize("now", [float("nan"), float("inf"), float("-inf")])
def test_a_clock_without_a_finite_time_is_an_error(now):
    with pytest.raises(ValueError, match=r"time\.time"):
        decode_at(now)


@pytest.mark.parametrize("leeway", [10**400, -(10**400)])
def test_a_leeway_beyond_all_numbers_is_an_error(leeway):
    with pytest.raises(ValueError, match="leeway"):
        decode_at(1500, leeway=leeway)


def test_freezegun_freezes_it():
    with freezegun.freeze_time(datetime.datetime.fromtimestamp(1500, datetime.timezone.utc)):
        assert jwt.decode(TOKEN, SECRET, algorithms=["HS256"])


def test_time_machine_moves_it():
    with time_machine.travel(1500):
        assert jwt.decode(TOKEN, SECRET, algorithms=["HS256"])


def test_afterwards_it_is_now_again():
    test_freezegun_freezes_it()
    assert time.time() > 2000
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(TOKEN, SECRET, algorithms=["HS256"])
