import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS, UnknownActivation, activation

EXACT = {
    "sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)),
    "relu": lambda a: a if a > 0 else mpmath.mpf(0),
    "tanh": mpmath.tanh,
    "softplus": lambda a: mpmath.log(1 + mpmath.exp(a)),
    "identity": lambda a: a,
    "sin": mpmath.sin,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(a=st.floats(-30, 30).filter(lambda a: abs(a) > 1e-3))
@settings(deadline=None, max_examples=40)
def test_value_and_derivative_agree_with_fifty_digits(name, a):
    with mpmath.workdps(50):
        value = EXACT[name](mpmath.mpf(a))
        derivative = mpmath.diff(EXACT[name], a)
        record = ACTIVATIONS[name]
        assert float(abs(record.h(np.array(a)) - value)) <= 1e-14 * max(1e-300, float(abs(value)))
        # cos passes through zero, where only the absolute error is small
        slack = 1e-14 * float(abs(derivative)) + (1e-14 if name == "sin" else 0)
        assert float(abs(record.h_prime(np.array(a)) - derivative)) <= slack


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("a", [-12.5, -0.3, 0.7, 25.0])
def test_complex_step_of_h_is_h_prime(name, a):
    record = ACTIVATIONS[name]
    step = 2.0**-332
    found = record.h(np.array(a + 1j * step)).imag / step
    assert found == pytest.approx(float(record.h_prime(np.array(a))), rel=1e-13)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "relu"])
def test_nothing_overflows_far_out(name):
    record = ACTIVATIONS[name]
    with np.errstate(over="raise", invalid="raise"):
        far = np.array([-1e4, 1e4])
        assert np.all(np.isfinite(record.h(far)))
        assert np.all(record.h_prime(far) >= 0)
        assert np.all(np.isfinite(record.h(far.astype(complex))))


def test_sigmoid_keeps_its_derivative_where_one_minus_sigma_would_be_zero():
    assert ACTIVATIONS["sigmoid"].h_prime(np.array(40.0)) == pytest.approx(np.exp(-40.0), rel=1e-12)


def test_relu_is_flat_at_its_kink():
    relu = ACTIVATIONS["relu"]
    assert relu.h_prime(np.array([-1.0, 0.0, 1.0])).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_the_type_of_the_numbers_is_kept(name, dtype):
    a = np.array([-1.5, 0.5], dtype=dtype)
    assert ACTIVATIONS[name].h(a).dtype == dtype
    assert ACTIVATIONS[name].h_prime(a).dtype == dtype


def test_an_unknown_activation_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownActivation, match=r"'swish' is not in the table; take one of sigmoid, relu"):
        activation("swish")


def test_the_derivative_is_printed_with_the_unit_it_belongs_to():
    assert activation("sigmoid").prime_at("a_1", "z_1") == r"z_1\bigl(1-z_1\bigr)"
    assert activation("relu").prime_at("a_1", "z_1") == r"\bigl[a_1>0\bigr]"


@pytest.mark.parametrize("record", ACTIVATIONS.values(), ids=list(ACTIVATIONS))
@pytest.mark.parametrize("nan", [np.nan, complex(np.nan, 0.0)])
def test_what_is_not_a_number_stays_so(record, nan):
    # numpy may warn of it, and that is as well
    with np.errstate(invalid="ignore"):
        assert np.isnan(record.h(np.array([nan, 1.0]))).tolist() == [True, False]
