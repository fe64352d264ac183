"""What a parameter's value must satisfy."""

from pathlib import Path
from typing import Any

import pytest

from coursework.backprop.activations import ACTIVATIONS
from coursework.finetune.bases import BASES
from coursework.publish.conditions import Condition, ConditionError
from coursework.publish.parameters import Parameter, ParameterError, fill_in, read_parameters
from coursework.publish.sections import find_sections

WORKBOOK = [(section.stem, parameter) for section in find_sections() for parameter in section.parameters]


def holds(text: str, folder: Path = Path(), **values: Any) -> bool:
    return Condition.read("x", text).holds(values, folder)


@pytest.mark.parametrize(
    ("text", "satisfied", "violated"),
    [
        ("0 <= x < 1", [0, 0.5], [-1, 1, 1e300]),
        ("x == 0 or x >= 75", [0, 75], [-1, 74]),
        ("not x > 3 and x != -1", [3, -2], [4, -1]),
        ("x in ('a', 'b')", ["a", "b"], ["c", "ab", "", "A"]),
        ("x not in ('a',)", ["b"], ["a"]),
        ("len(x) >= 2 and each >= 1", [[1, 1], [3, 2, 1]], [[], [1], [1, 0]]),
        ("1 < each < 9 or x == (1,)", [[2, 8], []], [[1], [2, 9]]),
        ("x == y", [7], [8]),
    ],
)
def test_a_condition_says_which_values_satisfy_it(
    text: str, satisfied: list[Any], violated: list[Any]
) -> None:
    assert all(holds(text, x=value, y=7) for value in satisfied)
    assert not any(holds(text, x=value, y=7) for value in violated)


def test_files_and_folders_are_looked_for_as_from_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "weights.pth").touch()
    for path, is_file, is_folder in [
        ("pictures", False, True),
        ("weights.pth", True, False),
        (str(tmp_path / "weights.pth"), True, False),
        ("data/sport3", False, True),  # the project's own
        ("nowhere", False, False),
        ("", False, False),
        (" ", False, False),
        ("a\0b", False, False),
        ("long" * 2000, False, False),
    ]:
        assert holds("is_file(x)", tmp_path, x=path) is is_file
        assert holds("is_folder(x)", tmp_path, x=path) is is_folder


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "open(x)",
        "x.real > 0",
        "x[0] > 0",
        "2 ** 9999 > x",
        "x > 1 if x else x",
        "[y for y in x]",
        "(lambda: x)()",
        "x is None",
        "len(x, x) > 1",
        "len > 1",
        "is_file(*x)",
        "f'{x}' == ''",
        "(y := 3) > x",
        "x >",
        "",
        "(" * 500 + "x" + ")" * 500,
        "x == b'a'",
    ],
)
def test_anything_but_a_condition_is_refused_and_never_run(text: str) -> None:
    with pytest.raises(ConditionError, match="condition"):
        Condition.read("x", text)


def test_a_comparison_without_sense_is_refused() -> None:
    with pytest.raises(ConditionError, match="makes no sense"):
        holds("x < 3", x="a")
    with pytest.raises(ConditionError, match="makes no sense"):
        holds("each < 3", x=7)


CELL = """\
size: int = 0  # side in pixels; 0 for what suits
# the weights | size == 0
#   or size >= 75

# a remark on what follows, of which | is no part
kind: str = "inception"  # of the base | kind in ("inception", "lite")
text: str = "a|b"  # |dE/dw| as text
"""


def test_a_comment_goes_on_in_the_lines_below_and_ends_with_the_condition() -> None:
    size, kind, text = read_parameters(CELL)
    assert size.help == "side in pixels; 0 for what suits the weights"
    assert size.condition is not None
    assert size.condition.text == "size == 0 or size >= 75"
    assert (
        str(size) == "size: int = 0  (side in pixels; 0 for what suits the weights | size == 0 or size >= 75)"
    )
    assert kind.condition is not None
    assert (text.help, text.condition) == ("|dE/dw| as text", None)


def test_a_value_against_its_condition_is_refused_with_what_is_possible() -> None:
    parameters = read_parameters(CELL)
    assert fill_in(parameters, {"size": 80})["size"] == 80
    with pytest.raises(ParameterError) as refusal:
        fill_in(parameters, {"size": 74})
    assert str(refusal.value) == (
        "parameter 'size' (side in pixels; 0 for what suits the weights) is of type int and cannot be 74: "
        "it must satisfy size == 0 or size >= 75"
    )
    with pytest.raises(ParameterError, match="cannot be 'light', did you mean 'lite': it must"):
        fill_in(parameters, {"kind": "light"})


def test_a_condition_on_two_parameters_names_the_others_value() -> None:
    parameters = read_parameters("n: int = 3\nm: int = 2  # | m < n")
    with pytest.raises(ParameterError, match=r"'m' is of type int and cannot be 2 with n = 2: it must"):
        fill_in(parameters, {"n": 2})


def test_a_name_that_is_right_with_another_value_is_not_suggested_again() -> None:
    parameters = read_parameters(
        "base: str = 'a'  # | base in ('a', 'b')\n"
        "kind: str = 'x'  # | kind == 'x' or base == 'a' and kind == 'y'"
    )
    with pytest.raises(ParameterError, match="cannot be 'y' with base = 'b': it must"):
        fill_in(parameters, {"base": "b", "kind": "y"})


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("n: int = 3  # number | n >", "line 1: the condition 'n >' cannot be read"),
        ("n: int = 3  # number | print(n)", "line 1: the condition 'print(n)' holds"),
        ("n: int = 3  # number | m > 2", "condition of 'n' speaks of 'm', which is no parameter"),
    ],
)
def test_a_declaration_with_a_wrong_condition_is_refused(cell: str, complaint: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        read_parameters(cell)
    assert complaint in str(refusal.value)


# --- the workbook's own --------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "parameter"), WORKBOOK, ids=lambda value: getattr(value, "name", value))
def test_every_parameter_of_the_workbook_that_is_no_truth_value_has_a_condition(
    section: str, parameter: Parameter
) -> None:
    assert (parameter.condition is None) == (parameter.type == "bool")


def test_every_default_of_the_workbook_satisfies_its_condition() -> None:
    for section in find_sections():
        assert section.values({}) == {parameter.name: parameter.default for parameter in section.parameters}


def _accepted(section: int, **given: object) -> bool:
    try:
        find_sections()[section - 1].values(given)
    except ParameterError:
        return False
    return True


def test_the_notebooks_offer_the_activations_and_the_bases_that_there_are() -> None:
    offered = {parameter.name: parameter for _, parameter in WORKBOOK}
    for name, table in (("activation", ACTIVATIONS), ("base", BASES)):
        condition = offered[name].condition
        assert condition is not None
        assert set(condition.texts) == set(table)


def test_each_base_is_offered_its_own_weights_stages_and_sizes() -> None:
    weights = {name for base in BASES.values() for name in base.weights}
    stages = {name: base.build("none").stage_names for name, base in BASES.items()}
    for name, base in BASES.items():
        for each in sorted(weights):
            assert _accepted(3, base=name, weights=each) == (each in base.weights)
        for each in {stage for some in stages.values() for stage in some}:
            assert _accepted(3, base=name, unfreeze_from=each) == (each in stages[name])
        assert _accepted(3, base=name, size=base.smallest)
        assert not _accepted(3, base=name, size=base.smallest - 1)
        assert _accepted(3, base=name, unfreeze_from="all", size=0, weights="")
