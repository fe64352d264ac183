from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from coursework.gradients.scaled import Scaled

numbers = st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-12)
quick = settings(deadline=None, max_examples=50)


@given(st.lists(numbers, min_size=1, max_size=6), st.lists(numbers, min_size=6, max_size=6))
@quick
def test_products_and_sums_equal_those_of_floats(xs: list[float], ys: list[float]) -> None:
    x, y = np.array(xs), np.array(ys[: len(xs)])
    product = Scaled.of(x) * Scaled.of(y)
    assert np.array_equal(product.to_float(), x * y)
    total = Scaled.of(x).sum(axis=0)
    assert float(total.to_float()) == pytest.approx(math.fsum(xs), abs=1e-13 * sum(map(abs, xs)))


@given(st.floats(-5000, 5000))
@quick
def test_exp_agrees_with_fifty_digits_where_floats_underflow(x: float) -> None:
    with mp.workdps(50):
        expected = float(mpf(x) / mp.log(10))
    assert float(Scaled.exp(x).log10_abs()) == pytest.approx(expected, rel=1e-13, abs=1e-13)


def test_a_power_far_under_the_smallest_float_comes_back_whole() -> None:
    tiny = Scaled.of(1.0)
    for _ in range(10_000):
        tiny = tiny * 0.25
    assert float(tiny.log10_abs()) == pytest.approx(-20_000 * math.log10(2), rel=1e-14)
    assert tiny.to_float() == 0
    assert not tiny.is_zero
    for _ in range(10_000):
        tiny = tiny * 4.0
    assert float(tiny.to_float()) == 1.0


def test_a_sum_keeps_the_larger_of_two_hugely_different_numbers() -> None:
    small, large = Scaled.exp(-4000.0), Scaled.exp(-2000.0)
    assert float((small + large).log10_abs()) == float(large.log10_abs())


def test_a_sum_with_zero_or_of_opposites() -> None:
    tiny = Scaled.exp(-9000.0)
    assert float((tiny + Scaled.of(0.0)).log10_abs()) == float(tiny.log10_abs())
    cancelled = tiny + -tiny
    assert cancelled.is_zero
    assert cancelled.log10_abs() == -math.inf


def test_the_inverse_root_holds_far_out_of_range_and_keeps_masked_numbers_zero() -> None:
    x = Scaled.exp(np.array([-9000.0, -9001.0, 0.0, 7000.0]))
    expected = np.array([4500.0, 4500.5, 0.0, -3500.0]) / math.log(10)
    assert x.inverse_sqrt().log10_abs() == pytest.approx(expected, rel=1e-13, abs=1e-13)
    masked = Scaled.of(np.array([0.0, 4.0])).inverse_sqrt(np.array([True, False]))
    assert masked.to_float().tolist() == [0.0, 0.5]


def test_infinite_and_missing_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Scaled.of([1.0, math.nan])
    with pytest.raises(ValueError, match="smaller weights"):
        Scaled.exp(1e300)


def test_whole_numbers_of_any_size_keep_their_leading_digits() -> None:
    numbers = [0, 1, -3, 2**53 - 1, 7**4000, -(7**4000), 2**60 - 1]
    scaled = Scaled.of_whole(np.array(numbers, dtype=object))
    assert scaled.is_zero.tolist() == [n == 0 for n in numbers]
    assert scaled.sign.tolist() == [0, 1, -1, 1, 1, -1, 1]
    assert scaled[4].log10_abs() == pytest.approx(4000 * np.log10(7), rel=1e-15)
    assert scaled[:4].to_float().tolist() == numbers[:4]
    assert scaled[6].to_float() == 2.0**60
