"""The benchmark's arithmetic."""

import pytest

from harness.figures import Spread, foreign_share, per_request, percentile, spread


def test_percentile_is_a_latency_that_was_seen():
    histogram = [(10, 98), (20, 1), (500, 1)]
    assert percentile(histogram, 0.5) == 10
    assert percentile(histogram, 0.98) == 10
    assert percentile(histogram, 0.99) == 20
    assert percentile(histogram, 0.999) == 500
    assert percentile(histogram, 1) == 500


def test_percentile_does_not_depend_on_the_order_of_the_histogram():
    assert percentile([(500, 1), (10, 99)], 0.5) == 10


def test_smallest_percentile_is_the_smallest_latency():
    assert percentile([(7, 1), (9, 1)], 0) == 7


def test_nothing_has_no_percentile():
    assert percentile([], 0.99) is None


def test_median_of_an_odd_number_is_the_middle_one():
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_median_of_an_even_number_lies_between_the_middle_ones():
    assert spread([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0)


def test_no_rounds_have_no_median():
    assert spread([]) is None


def test_cpu_is_shared_by_the_requests():
    assert per_request(0.5, 1000) == pytest.approx(500)
    assert per_request(0.5, 0) is None


def test_foreign_share_is_what_is_left_of_the_machine():
    assert foreign_share(busy=3.0, ours=2.0, wall=2.0, cores=2) == pytest.approx(0.25)


def test_clocks_that_tick_apart_give_no_negative_share():
    assert foreign_share(busy=1.99, ours=2.0, wall=1.0, cores=2) == 0
