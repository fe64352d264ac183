"""The new layers on top of a base: the assignment's own, 32 hidden units and one output a class."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Head(nn.Module):
    """features -> standardized -> `hidden` ReLU units -> dropout -> logits.

    The features of different bases differ in scale by many powers of ten. They are standardized with
    the training pictures' mean and standard deviation, which are buffers: fixed, and saved with the
    weights.

    Parameters
    ----------
    feature_width : number of features. classes : number of classes.
    hidden : units of the hidden layer; 0 for a linear head.
    dropout : probability with which a hidden unit is silenced in training.
    seed : of the initial weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, feature_width: int, classes: int, *, hidden: int = 32, dropout: float = 0.5, seed: int = 0
    ) -> None:
        super().__init__()
        if classes < 2 or hidden < 0 or not 0 <= dropout < 1:
            raise ValueError(
                f"classes={classes}, hidden={hidden}, dropout={dropout}: "
                "a head needs 2 classes or more, hidden >= 0 and dropout in [0, 1)"
            )
        self.hidden, self.dropout = hidden, dropout
        self.register_buffer("mean", torch.zeros(feature_width))
        self.register_buffer("std", torch.ones(feature_width))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if hidden:
                self.layers = nn.Sequential(
                    nn.Linear(feature_width, hidden),
                    nn.ReLU(),
                    nn.Dropout(dropout),
                    nn.Linear(hidden, classes),
                )
            else:
                self.layers = nn.Sequential(nn.Linear(feature_width, classes))

    def standardize_by(self, features: Tensor) -> None:
        """Take mean and standard deviation from `features`, (n, feature_width).

        A feature that is the same for all pictures, but for float32's rounding (6e-8, some of which add up),
        is left unscaled; it carries nothing.
        """
        features = features.double()
        std = features.std(0, correction=0)
        self.mean.copy_(features.mean(0))
        self.std.copy_(torch.where(std > 1e-6 * features.abs().amax(0).clamp_min(1e-300), std, 1.0))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, (n, classes)."""
        logits: Tensor = self.layers((features - self.mean) / self.std)
        return logits
