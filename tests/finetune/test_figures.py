"""The figures and the words that go with them."""

import io
from dataclasses import replace

import numpy as np
import pytest

from coursework.finetune.figures import epochs_figure, picture_sheet
from coursework.finetune.images import Images, Split
from coursework.finetune.training import Epoch, History


def history(*validation: float) -> History:
    rows = [Epoch(n, 1.0, value - 0.11, 1.0, value) for n, value in enumerate(validation, 1)]
    return History("phase", 3, tuple(rows))


def test_the_epochs_figure_draws_both_phases_and_says_where_they_end() -> None:
    figure, words = epochs_figure(history(0.4, 0.55, 0.61), history(0.7, 0.87))
    assert [ax.get_title() for ax in figure.axes] == ["base frozen", "base trained too"]
    drawn = [[list(line.get_ydata()) for line in ax.lines] for ax in figure.axes]
    assert drawn[0] == [pytest.approx([0.29, 0.44, 0.50]), [0.4, 0.55, 0.61]]
    assert drawn[1] == [pytest.approx([0.59, 0.76]), [0.7, 0.87]]
    assert [list(line.get_xdata()) for line in figure.axes[1].lines] == [[1, 2], [1, 2]]
    assert words == (
        "Accuracy against epoch. base frozen, after 3 epochs: training accuracy 0.50, validation accuracy "
        "0.61; base trained too, after 2 epochs: training accuracy 0.76, validation accuracy 0.87."
    )


def test_a_picture_sheet_has_a_row_a_class(images: Images) -> None:
    figure, words = picture_sheet(images, columns=3)
    axes = np.array(figure.axes).reshape(3, 3)
    assert all(len(ax.images) == 1 for ax in axes.flat)
    assert [ax.get_ylabel() for ax in axes[:, 0]] == list(images.classes)
    assert "first 3 training pictures" in words
    assert "basketball, hockey, soccer" in words


def test_a_dollar_sign_in_a_classs_name_begins_no_formula(images: Images) -> None:
    named = replace(images, classes=("$x^$", "b", "c"))
    figure, words = picture_sheet(named, columns=1)
    figure.savefig(io.BytesIO())
    assert "$x^$, b, c" in words


def test_a_class_with_few_pictures_leaves_its_row_short(images: Images) -> None:
    few = Split(images.train.paths[2:], images.train.labels[2:])  # two basketball pictures are left
    axes = np.array(picture_sheet(replace(images, train=few), columns=4)[0].axes).reshape(3, 4)
    assert [len(ax.images) for ax in axes[0]] == [1, 1, 0, 0]
    assert [ax.axison for ax in axes[0]] == [True, True, False, False]
    assert [len(ax.images) for ax in axes[1]] == [1, 1, 1, 1]
