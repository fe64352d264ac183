"""Figures of section 3, each with the words for a reader who cannot see it."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coursework.finetune.images import Images, read_picture
from coursework.finetune.training import History

# colour-blind safe (Okabe and Ito 2008)
BLUE, ORANGE = "#0072B2", "#D55E00"


def picture_sheet(images: Images, columns: int = 7) -> tuple[Figure, str]:
    """Return the first training pictures of each class, a row a class, and the text alternative."""
    rows = len(images.classes)
    figure = Figure(figsize=(columns * 1.45, rows * 1.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for label, name in enumerate(images.classes):
        paths = [
            path for path, at in zip(images.train.paths, images.train.labels, strict=True) if at == label
        ]
        for column in range(columns):
            ax = axes[label, column]
            ax.set_xticks([])
            ax.set_yticks([])
            if column >= len(paths):
                ax.set_axis_off()
                continue
            picture = read_picture(paths[column], at_least=160)
            picture.thumbnail((220, 220))
            ax.imshow(np.asarray(picture))
            if column == 0:
                ax.set_ylabel(name, parse_math=False)  # a dollar sign is one
    names = ", ".join(images.classes)
    return figure, f"The first {columns} training pictures of each class, a row a class: {names}."


def epochs_figure(frozen: History, trained: History) -> tuple[Figure, str]:
    """Return accuracy against epoch for both phases, and the text alternative with the last values."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    words = []
    for ax, history, title in zip(axes, (frozen, trained), ("base frozen", "base trained too"), strict=True):
        numbers = [row.epoch for row in history.epochs]
        curves = {
            "training": ([row.train_accuracy for row in history.epochs], BLUE, "o-"),
            "validation": ([row.validation_accuracy for row in history.epochs], ORANGE, "s--"),
        }
        for label, (values, colour, style) in curves.items():
            ax.plot(numbers, values, style, color=colour, ms=3, label=label)
        ax.set_title(title)
        ax.set_xlabel("epoch")
        ax.set_ylim(0, 1.03)
        ax.grid(alpha=0.3)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        last = history.epochs[-1]
        words.append(
            f"{title}, after {last.epoch} epochs: training accuracy {last.train_accuracy:.2f}, "
            f"validation accuracy {last.validation_accuracy:.2f}"
        )
    axes[0].set_ylabel("accuracy")
    axes[0].legend(loc="lower right")
    return figure, "Accuracy against epoch. " + "; ".join(words) + "."
