"""What a classifier said about each picture, and how much of it can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax
from scipy.stats import binomtest


@dataclass(frozen=True, eq=False)
class Predictions:
    """The class scores of n pictures for c classes.

    Attributes
    ----------
    paths : the n files.
    labels : shape (n,), the true classes as numbers into `classes`.
    classes : the c names.
    scores : float64, shape (n, c); every row is a probability distribution.
    name : what the classifier is called in tables ("base frozen").

    Raises
    ------
    ValueError
        if the shapes disagree, a label is no class, or a row is no distribution (within 1e-6).
    """

    paths: Sequence[Path]
    labels: NDArray[np.int64]
    classes: Sequence[str]
    scores: NDArray[np.float64]
    name: str = "model"

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels, dtype=np.int64)
        scores = np.asarray(self.scores, dtype=np.float64)
        n, c = len(self.paths), len(self.classes)
        if n == 0 or scores.shape != (n, c) or labels.shape != (n,):
            raise ValueError(
                f"scores of shape {scores.shape} and labels of shape {labels.shape} for {n} pictures and "
                f"{c} classes: give at least one picture, scores ({n}, {c}) and labels ({n},)."
            )
        if labels.min() < 0 or labels.max() >= c:
            raise ValueError(f"labels from {labels.min()} to {labels.max()} for {c} classes: count from 0.")
        sums = scores.sum(axis=1)
        # written so that nan fails too
        wrong = ~((scores >= 0).all(axis=1) & (np.abs(sums - 1) <= 1e-6))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"scores of {self.paths[row]} are {scores[row].tolist()}, not a distribution that adds up to "
                "1: pass logits to Predictions.from_logits."
            )
        object.__setattr__(self, "paths", tuple(Path(path) for path in self.paths))
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "scores", scores)

    @classmethod
    def from_logits(
        cls,
        paths: Sequence[Path],
        labels: ArrayLike,
        classes: Sequence[str],
        logits: ArrayLike,
        name: str = "model",
    ) -> Predictions:
        """Return the predictions of a network's last layer, softmax taken in float64."""
        scores = np.exp(log_softmax(np.asarray(logits, dtype=np.float64), axis=1))
        return cls(paths, np.asarray(labels, dtype=np.int64), classes, scores, name)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The class with the highest score (the first of equal ones) for each picture, shape (n,)."""
        return np.asarray(np.argmax(self.scores, axis=1), dtype=np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one, shape (n,)."""
        return np.equal(self.predicted, self.labels)


@dataclass(frozen=True)
class Proportion:
    """So many of so many, with an interval for the share that the next pictures would show.

    Attributes
    ----------
    count, n : `count` of `n`.
    low, high : ends of the interval (Wilson 1927) of the given confidence.
    """

    count: int
    n: int
    low: float
    high: float
    confidence: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.n

    def __str__(self) -> str:
        interval = f"{self.confidence:.0%} interval {self.low:.3f} to {self.high:.3f}"
        return f"{self.value:.3f} ({self.count} of {self.n}; {interval})".replace("%", " %")


def proportion(count: int, n: int, confidence: float = 0.95) -> Proportion:
    """Return `count` of `n` with its Wilson interval."""
    interval = binomtest(count, n).proportion_ci(confidence_level=confidence, method="wilson")
    return Proportion(count, n, float(interval.low), float(interval.high), confidence)


def accuracy(predictions: Predictions, confidence: float = 0.95) -> Proportion:
    """Return the share of pictures whose predicted class is the true one."""
    return proportion(int(predictions.right.sum()), len(predictions), confidence)


def confusion_matrix(predictions: Predictions) -> NDArray[np.int64]:
    """Return the number of pictures of each true class (row) that went to each class (column)."""
    c = len(predictions.classes)
    pairs = predictions.labels * c + predictions.predicted
    return np.bincount(pairs, minlength=c * c).reshape(c, c)


def cross_entropy(predictions: Predictions) -> float:
    """Return the mean of -log(score of the true class), in nats; infinite if one of them is 0."""
    true = predictions.scores[np.arange(len(predictions)), predictions.labels]
    with np.errstate(divide="ignore"):
        return float(-np.log(true).mean())


@dataclass(frozen=True)
class McNemar:
    """Two classifiers on the same pictures.

    Attributes
    ----------
    both, only_first, only_second, neither : the number of pictures that are right in these.
    p_value : how probable a difference of `only_first` and `only_second` of this size or larger is
        if neither classifier is better: exact, two-sided (McNemar 1947).
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def mcnemar(first: Predictions, second: Predictions) -> McNemar:
    """Compare two classifiers on the same pictures.

    Raises
    ------
    ValueError
        if these are not the same pictures with the same labels in the same order.
    """
    if first.paths != second.paths or not np.array_equal(first.labels, second.labels):
        raise ValueError(
            f"{first.name!r} and {second.name!r} were not scored on the same pictures in the same order: "
            "score both on one Split."
        )
    a, b = first.right, second.right
    only_first, only_second = int((a & ~b).sum()), int((~a & b).sum())
    differing = only_first + only_second
    p_value = float(binomtest(only_first, differing).pvalue) if differing else 1.0
    return McNemar(int((a & b).sum()), only_first, only_second, int((~a & ~b).sum()), p_value)
