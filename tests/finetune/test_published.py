"""The published tables, as numbers of pictures."""

import pytest

from coursework.finetune.published import PUBLISHED

SIZES = {"A": 32, "B": 32, "C": 224}


def is_share(value: float, whole: int) -> bool:
    """Whether `value`, given to four decimals, is so many of `whole`."""
    return abs(round(value * whole) / whole - value) <= 0.50001e-4


@pytest.mark.parametrize(("run", "pictures", "steps"), [("A", 32, 1), ("B", 32, 1), ("C", 224, 7)])
def test_every_accuracy_is_a_whole_number_of_pictures(run: str, pictures: int, steps: int) -> None:
    history = PUBLISHED[run]
    assert f"published {run}" in history.phase
    assert history.steps == steps == pictures // 32
    assert [row.epoch for row in history.epochs] == [1, 2, 3, 4, 5]
    for row in history.epochs:
        assert is_share(row.train_accuracy, pictures)
        assert is_share(row.validation_accuracy, 96)
    # of any other number near it they are not
    accuracies = [row.validation_accuracy for row in history.epochs]
    assert not all(is_share(value, 97) for value in accuracies)


def test_the_last_epochs_in_pictures() -> None:
    last = {run: history.epochs[-1] for run, history in PUBLISHED.items()}
    assert {run: round(row.validation_accuracy * 96) for run, row in last.items()} == {
        "A": 26,
        "B": 57,
        "C": 86,
    }
    assert round(last["C"].train_accuracy * 224) == 186


def test_the_training_pictures_that_were_right_in_each_epoch() -> None:
    right = {
        run: [round(row.train_accuracy * whole) for row in PUBLISHED[run].epochs]
        for run, whole in SIZES.items()
    }
    assert right == {
        "A": [13, 16, 15, 18, 16],
        "B": [14, 10, 17, 17, 19],
        "C": [114, 180, 179, 183, 186],
    }


def test_the_losses_as_printed() -> None:
    assert [row.train_loss for row in PUBLISHED["A"].epochs] == [1.1317, 0.9963, 1.1019, 0.9927, 0.9829]
    assert [row.validation_loss for row in PUBLISHED["B"].epochs] == [1.3524, 1.1783, 1.0440, 1.1133, 0.8825]
    assert [row.validation_loss for row in PUBLISHED["C"].epochs] == [0.7100, 0.4352, 0.4607, 0.4027, 0.2946]
