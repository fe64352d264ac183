"""Scores of pictures, counted by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.finetune.scoring import (
    Predictions,
    accuracy,
    confusion_matrix,
    cross_entropy,
    mcnemar,
    proportion,
)

CLASSES = ("ape", "cat", "dog")


def one_hot(predicted: list[int], labels: list[int], name: str = "model") -> Predictions:
    """Predictions that are sure of themselves."""
    paths = [Path(f"{i}.jpg") for i in range(len(labels))]
    return Predictions(paths, np.array(labels), CLASSES, np.eye(3)[predicted], name)


def test_the_highest_score_is_the_prediction() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    predictions = Predictions([Path("a"), Path("b")], np.array([1, 1]), CLASSES, scores)
    assert predictions.predicted.tolist() == [1, 0]
    assert predictions.right.tolist() == [True, False]


def test_logits_become_a_softmax_in_float64() -> None:
    logits = np.array([[0, math.log(2), math.log(5)]], dtype=np.float64)
    predictions = Predictions.from_logits([Path("a")], [2], CLASSES, logits)
    np.testing.assert_allclose(predictions.scores, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-15)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 3), min_size=1, max_size=6))
def test_logits_of_any_size_give_rows_that_add_up_to_one(rows: list[tuple[float, ...]]) -> None:
    n = len(rows)
    predictions = Predictions.from_logits([Path("a")] * n, [0] * n, CLASSES, np.array(rows, np.float32))
    np.testing.assert_allclose(predictions.scores.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("row", [[0.5, 0.4, 0.2], [1.2, -0.2, 0.0], [math.nan, 0.5, 0.5]])
def test_scores_that_are_no_distribution_are_refused_with_the_picture(row: list[float]) -> None:
    with pytest.raises(ValueError, match=r"scores of b.jpg are .*from_logits"):
        Predictions(
            [Path("a.jpg"), Path("b.jpg")], np.array([0, 0]), CLASSES, np.array([[1.0, 0.0, 0.0], row])
        )


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match=r"scores of shape \(1, 2\)"):
        Predictions([Path("a")], np.array([0]), CLASSES, np.array([[0.5, 0.5]]))


def test_a_label_beyond_the_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="labels from 3 to 3 for 3 classes"):
        one_hot([0], [3])


def test_the_published_accuracy_of_96_pictures_has_a_wide_interval() -> None:
    # 86 of 96: Wilson's formula by hand
    z, p, n = 1.959963984540054, 86 / 96, 96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    share = proportion(86, 96)
    assert share.value == 86 / 96
    assert share.low == pytest.approx(middle - half, rel=1e-9)
    assert share.high == pytest.approx(middle + half, rel=1e-9)
    assert str(share) == "0.896 (86 of 96; 95 % interval 0.819 to 0.942)"


def test_accuracy_counts_the_right_ones() -> None:
    share = accuracy(one_hot([0, 1, 2, 2], [0, 1, 1, 0]))
    assert (share.count, share.n) == (2, 4)


def test_the_confusion_matrix_has_true_classes_in_rows() -> None:
    matrix = confusion_matrix(one_hot([0, 1, 2, 2], [0, 1, 1, 0]))
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]


def test_cross_entropy_is_the_mean_of_minus_the_log_of_the_true_score() -> None:
    scores = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    predictions = Predictions([Path("a"), Path("b")], np.array([1, 1]), CLASSES, scores)
    assert cross_entropy(predictions) == pytest.approx(math.log(4) / 2, rel=1e-15)


def test_cross_entropy_of_a_sure_error_is_infinite() -> None:
    assert cross_entropy(one_hot([0], [1])) == math.inf


def test_mcnemar_is_the_exact_sign_test_on_what_differs() -> None:
    labels = [0] * 10
    first = one_hot([0] * 4 + [1] * 6, labels, "first")
    second = one_hot([0] * 3 + [1] + [0] * 5 + [1], labels, "second")
    result = mcnemar(first, second)
    assert (result.both, result.only_first, result.only_second, result.neither) == (3, 1, 5, 1)
    # of 6 that differ at most 1 or at least 5 on one side: 2 (1 + 6) / 64
    assert result.p_value == pytest.approx(14 / 64, rel=1e-12)


def test_mcnemar_of_equal_predictions_finds_nothing() -> None:
    same = one_hot([0, 1], [0, 2])
    assert mcnemar(same, same).p_value == 1


def test_mcnemar_refuses_other_pictures() -> None:
    with pytest.raises(ValueError, match="not scored on the same pictures"):
        mcnemar(one_hot([0], [0]), one_hot([0, 1], [0, 1]))
