from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from coursework.gradients.monitor.norms import CHUNK, chunks_of, log10_norm
from coursework.gradients.monitor.reader import NormReader

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def both_ways(tensor: Tensor) -> tuple[float, float]:
    """Return log10 of the norm read alone and among others."""
    others: list[Tensor | None] = [None, torch.ones(3), tensor, torch.ones(40, 40)]
    return log10_norm(tensor), float(NormReader().read(others).log10[2])


def sparse(places: list[int], values: list[Any], shape: tuple[int, ...]) -> Tensor:
    return torch.sparse_coo_tensor(torch.tensor([places]), torch.tensor(values), shape, check_invariants=True)


@pytest.mark.parametrize("entry", [1e-44, 1e-30, 1e-23, 1.0, 1e30])
@pytest.mark.parametrize("shape", [(1,), (4, 4), (300, 300)])
def test_norms_are_right_where_the_squares_leave_float32(entry: float, shape: tuple[int, ...]) -> None:
    gradient = torch.full(shape, entry)
    expected = math.log10(float(gradient.flatten()[0])) + math.log10(gradient.numel()) / 2
    assert both_ways(gradient) == pytest.approx((expected, expected), abs=2e-5)
    if gradient.numel() > 1:  # the usual norm is why the monitor has its own
        assert (float(gradient.norm()) in (0.0, math.inf)) == (entry != 1.0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_smallest_subnormal_and_the_largest_number_have_norms(dtype: torch.dtype) -> None:
    for value in (torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps, torch.finfo(dtype).max):
        for count in (1, 2000):
            gradient = torch.full((count,), value, dtype=dtype)
            expected = math.log10(value) + math.log10(count) / 2
            assert both_ways(gradient) == pytest.approx((expected, expected), abs=2e-5)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(FLOATS),
    st.lists(st.floats(-300, 300), min_size=1, max_size=6),
    st.sampled_from([1, 7, 1500]),
)
def test_norms_agree_with_exact_logarithms_at_every_scale(
    dtype: torch.dtype, decades: list[float], repeat: int
) -> None:
    numbers = torch.tensor([10.0**decade for decade in decades], dtype=torch.float64).to(dtype)
    numbers = torch.where(numbers.isfinite(), numbers, torch.ones_like(numbers)).repeat(repeat)
    exact = [math.log10(abs(value)) for value in numbers.double().tolist() if value]
    largest = max(exact, default=0.0)
    relative = math.fsum(10 ** (2 * (log - largest)) for log in exact)
    expected = largest + math.log10(relative) / 2 if exact else -math.inf
    for found in both_ways(numbers):
        assert found == pytest.approx(expected, abs=2e-5)


def test_many_equal_entries_keep_four_digits_where_one_float32_sum_does_not() -> None:
    gradient = torch.full((3000, 1000), 1.1)
    exact = math.log10(float(gradient[0, 0])) + math.log10(3e6) / 2
    assert both_ways(gradient) == pytest.approx((exact, exact), abs=1e-5)
    assert abs(math.log10(float(torch._foreach_norm([gradient])[0])) - exact) > 1e-4


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("count", [5, 3000])
def test_what_is_not_finite_has_no_norm_and_is_counted(bad: float, count: int) -> None:
    gradient = torch.ones(count)
    gradient[[1, 3]] = bad
    assert all(math.isnan(value) for value in both_ways(gradient))
    assert list(NormReader().read([None, gradient, torch.ones(2)]).nonfinite) == [-1, 2, 0]


def test_complex_and_sparse_gradients_and_empty_ones_have_norms() -> None:
    assert both_ways(torch.full((2,), 3 + 4j)) == pytest.approx((math.log10(5 * math.sqrt(2)),) * 2)
    tiny = math.log10(5e-40) + math.log10(2000) / 2
    assert both_ways(torch.full((2000,), 3e-40 + 4e-40j)) == pytest.approx((tiny, tiny), abs=1e-5)
    words = sparse([1, 4, 1], [[3.0], [8.0], [3.0]], (9, 1))
    assert both_ways(words) == pytest.approx((1.0, 1.0))  # 6 and 8: what stands twice is added first
    assert both_ways(torch.empty(0, 3)) == (-math.inf, -math.inf)
    assert both_ways(torch.zeros(1500)) == (-math.inf, -math.inf)


@pytest.mark.parametrize("number", [torch.float32, torch.float64])
def test_gradients_are_cut_into_views_and_never_copied(number: torch.dtype) -> None:
    torch.manual_seed(0)
    plain = torch.randn(3, CHUNK, dtype=number)
    last = torch.randn(8, 64, 40, 40, dtype=number).contiguous(memory_format=torch.channels_last)
    gaps = torch.randn(800, 640, dtype=number)[:, ::2]
    for tensor, pieces in ((plain, 3), (last, 13), (gaps, 1)):
        chunks = chunks_of(tensor)
        assert len(chunks) == pieces
        assert {chunk.untyped_storage().data_ptr() for chunk in chunks} == {
            tensor.untyped_storage().data_ptr()
        }
        # torch's float32 sum over the 256,000 entries with gaps, which are one piece, is 3e-5 off
        assert log10_norm(tensor) == pytest.approx(math.log10(float(tensor.double().norm())), abs=5e-5)


def test_a_reader_follows_gradients_that_come_and_go() -> None:
    reader = NormReader()
    one, two = torch.tensor([3.0, 4.0]), torch.full((2000,), 2.0, dtype=torch.float64)
    np.testing.assert_allclose(reader.read([one, None]).norm, [5, np.nan])
    np.testing.assert_allclose(reader.read([one, two]).norm, [5, math.sqrt(8000)])
    np.testing.assert_allclose(reader.read([None, two]).norm, [np.nan, math.sqrt(8000)])
    np.testing.assert_allclose(reader.read([sparse([0], [7.0], (2,)), two]).norm, [7, math.sqrt(8000)])
    assert len(reader.read([None, None]).norm) == 2


def test_what_was_lifted_at_the_last_step_is_right_wherever_it_goes_next() -> None:
    torch.manual_seed(0)
    steady, moving = torch.randn(3000), torch.randn(2 * CHUNK + 5)
    reader = NormReader()
    for scale in (1.0, 1e-30, 1e-42, 0.0, 1e-20, 1e30, 1e-30, 1.0, math.nan, 1e-38):
        one, two = steady.clone(), moving * scale
        norms = reader.read([one, two])
        exact = float(two.double().norm())
        assert norms.norm[0] == pytest.approx(float(one.double().norm()), rel=1e-5)
        assert norms.norm[1] == pytest.approx(exact, rel=1e-5, abs=0, nan_ok=True), scale
        expected = -math.inf if exact == 0 else math.log10(exact)
        assert norms.log10[1] == pytest.approx(expected, abs=1e-5, nan_ok=True), scale
    # the type of memory may change from one step to the next: with gaps, what is small is lifted afterwards
    gaps = (torch.randn(3000, 2) * 1e-30)[:, 0]
    low = NormReader()
    for gradient in (gaps.contiguous(), gaps, gaps.contiguous()):
        assert low.read([gradient]).norm[0] == pytest.approx(float(gaps.double().norm()), rel=1e-4)
