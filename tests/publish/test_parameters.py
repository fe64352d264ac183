"""The typed parameters of a notebook."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.publish.parameters import Parameter, ParameterError, fill_in, read_parameters, unknown_name

CELL = """\
# The parameters of this section.
seed: int = 0  # of the weights
rate: float = 1e-3  # step size
deep: bool = True
name: str = "a # b"  # not part of the name
sizes: list[int] = [
    3,
    -1,
]  # units
rates: list[float] = [0.5, 2]
words: list[str] = []
"""


def test_a_cell_declares_names_types_defaults_and_help() -> None:
    read = {p.name: (p.type, p.default, p.help) for p in read_parameters(CELL)}
    assert read == {
        "seed": ("int", 0, "of the weights"),
        "rate": ("float", 0.001, "step size"),
        "deep": ("bool", True, ""),
        "name": ("str", "a # b", "not part of the name"),
        "sizes": ("list[int]", [3, -1], "units"),
        "rates": ("list[float]", [0.5, 2.0], ""),
        "words": ("list[str]", [], ""),
    }


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("n = 3", "line 1: expected `name: type = literal`"),
        ("n: int = 3\nm: int = n * 2", "line 2: the default of 'm' must be a literal"),
        ("n: int = __import__('os').getpid()", "must be a literal"),
        ("n: complex = 3j", "type 'complex' of 'n' is not one of int, float"),
        ("n: int = 'three'", "'n' is of type int; 'three' is not"),
        ("n: int = True", "'n' is of type int; True is not"),
        ("n: int = 1\nn: int = 2", "declared twice"),
        ("n: int", "expected"),
        ("print('hello')", "expected"),
        ("n: int = (", "line 1"),
    ],
)
def test_a_cell_with_anything_else_is_refused_with_the_line_named(cell: str, complaint: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        read_parameters(cell)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "-7", -7),
        ("float", "1e-3", 0.001),
        ("float", "3", 3.0),
        ("bool", "False", False),
        ("bool", "yes", True),
        ("str", "007", "007"),
        ("list[int]", "1,2, 3", [1, 2, 3]),
        ("list[int]", "[4, 5]", [4, 5]),
        ("list[int]", "", []),
        ("list[float]", "0.5,2", [0.5, 2.0]),
        ("list[str]", "a,b", ["a", "b"]),
    ],
)
def test_text_stands_for_a_value_of_the_declared_type(kind: str, text: str, value: object) -> None:
    parsed = Parameter("p", kind, 0, "").parse(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "hello"),
        ("int", "3.0"),
        ("int", ""),
        ("float", "nan"),
        ("float", "inf"),
        ("bool", "2"),
        ("list[int]", "1,two"),
        ("list[int]", "[1, 2"),
        ("list[int]", "[1.5]"),
        ("list[float]", "1,,2"),
    ],
)
def test_text_of_the_wrong_type_is_refused_with_name_and_type(kind: str, text: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        Parameter("layers", kind, 0, "").parse(text)
    assert "'layers'" in str(refusal.value)
    assert kind in str(refusal.value)


@given(st.lists(st.integers(), max_size=5))
@settings(deadline=None, max_examples=30)
def test_a_list_is_read_back_as_it_was_written(numbers: list[int]) -> None:
    parameter = Parameter("p", "list[int]", [], "")
    assert parameter.parse(repr(numbers)) == numbers
    assert parameter.parse(",".join(map(str, numbers))) == numbers


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None, max_examples=30)
def test_a_float_is_read_back_as_it_was_written(number: float) -> None:
    assert Parameter("p", "float", 0.0, "").parse(repr(number)) == number


def test_numpy_values_become_python_values() -> None:
    assert type(Parameter("n", "int", 0, "").check(np.int64(7))) is int
    assert Parameter("n", "list[float]", [], "").check(np.array([0.5, 1.5])) == [0.5, 1.5]
    with pytest.raises(ParameterError):
        Parameter("n", "int", 0, "").check(np.float64(7.5))


@pytest.mark.parametrize(
    ("kind", "comment", "names_input"),
    [
        ("str", "folder of the pictures", True),
        ("str", "a .pth file", True),
        ("str", "the profile", False),
        ("str", "", False),
        ("int", "files in a folder", False),
    ],
)
def test_a_text_names_an_input_where_its_comment_says_so(kind: str, comment: str, names_input: bool) -> None:
    assert Parameter("p", kind, "", comment).names_input is names_input


@pytest.mark.parametrize(("kind", "text"), [("str", "a\udcff"), ("list[str]", "a,\udcff")])
def test_a_text_that_is_not_utf_8_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ParameterError, match=r"'data'.*\\udcff.*not UTF-8"):
        Parameter("data", kind, "", "").parse(text)


def test_defaults_are_filled_in_and_unknown_names_refused() -> None:
    parameters = read_parameters("seed: int = 1\nrate: float = 0.5")
    assert fill_in(parameters, {"rate": 2}) == {"seed": 1, "rate": 2.0}
    with pytest.raises(ParameterError, match="did you mean 'seed'"):
        fill_in(parameters, {"sede": 2})


def test_an_unknown_name_comes_with_the_valid_ones() -> None:
    assert "Valid names: alpha, beta" in str(unknown_name("parameter", "zzz", ["alpha", "beta"]))
    assert "Valid names: none" in str(unknown_name("parameter", "zzz", []))
