import runpy

import numpy as np
import pytest

from coursework._common.files import PROJECT_ROOT


@pytest.fixture(scope="module")
def benchmark():
    return runpy.run_path(str(PROJECT_ROOT / "benchmarks" / "backprop.py"))


def test_what_is_timed_computes_the_same_gradients(benchmark):
    small, deep, wide, *_ = benchmark["problems"]()
    for problem, names in [
        (small, ("fast", "readable", "torch")),
        (deep, ("fast", "readable", "torch", "plain floats")),
        (wide, ("fast", "readable")),
    ]:
        for name in names:
            set_up, fits = benchmark["CONTESTANTS"][name]
            assert fits(problem)
            benchmark["check_equal"](name, problem, set_up(problem)())


def test_a_contestant_with_other_numbers_is_not_timed(benchmark):
    small, *_ = benchmark["problems"]()
    wrong = {l: dw * (1 + 1e-8) for l, dw in benchmark["readable_lines"](small)().items()}
    with pytest.raises(ValueError, match=r"mine, 3-3-3-1 sigmoid: dE/dw\^\(1\) is .* off"):
        benchmark["check_equal"]("mine", small, wrong)


def test_what_was_not_measured_is_no_target_met(benchmark):
    table = {
        "3-3-3-1": {"fast": 10.0, "jax jit": 20.0},
        "chain": {"fast": 10.0, "plain floats": 5.0},
        "784": {"fast": 115.0, "matrix products": 100.0},
    }
    shares = list(benchmark["targets"](table).values())
    assert shares[2] is None
    np.testing.assert_allclose([shares[0], shares[1], shares[3]], [0.5, 10 / 6, 1.0])
