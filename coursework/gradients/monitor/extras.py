"""Measurements that cost more than norms and are made on request: zeros, quantiles, updates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coursework.gradients.monitor.fetch import Floats
from coursework.gradients.monitor.reader import NormReader
from coursework.gradients.monitor.record import quantile_column

#: Quantiles are those of at most so many entries, evenly spaced.
SAMPLE = 2**16


@torch.no_grad()
def zero_shares(gradients: Sequence[Tensor | None]) -> Floats:
    """Return the share of entries that are exactly zero; NaN where there is no gradient."""
    present = [(i, g) for i, g in enumerate(gradients) if g is not None and g.numel()]
    shares = np.full(len(gradients), np.nan)
    if present:
        stored = [g if g.layout is torch.strided else g.coalesce().values() for _, g in present]
        counts = torch.stack([torch.count_nonzero(g).to(stored[0].device) for g in stored]).tolist()
        for (i, gradient), count in zip(present, counts, strict=True):
            shares[i] = 1 - count / gradient.numel()
    return shares


@torch.no_grad()
def quantiles_of(gradients: Sequence[Tensor | None], shares: Sequence[float]) -> dict[str, Floats]:
    """Return quantiles of the sizes of the entries as columns."""
    values = np.full((len(gradients), len(shares)), np.nan)
    for i, gradient in enumerate(gradients):
        if gradient is not None and gradient.numel():
            sizes = gradient.detach().coalesce().values() if gradient.is_sparse else gradient.detach()
            sizes = sizes.flatten()[:: max(1, sizes.numel() // SAMPLE)].abs()
            if sizes.numel():
                values[i] = np.quantile(sizes.to("cpu", torch.float64).numpy(), shares)
    return {quantile_column(share): values[:, k] for k, share in enumerate(shares)}


class UpdateReader:
    """Measure what an optimizer's step does to parameters, by a copy of them made before it."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = [parameter.detach() for parameter in parameters]
        self._copies = [torch.empty_like(parameter) for parameter in self._parameters]
        self._weights, self._updates = NormReader(), NormReader()

    @torch.no_grad()
    def before(self) -> None:
        """Copy the parameters."""
        torch._foreach_copy_(self._copies, self._parameters)

    @torch.no_grad()
    def after(self) -> dict[str, NDArray[np.float64]]:
        """Return the norms of the weights before the step and of what the step added."""
        weights = self._weights.read(self._copies)
        torch._foreach_sub_(self._copies, self._parameters)
        return {"weight_norm": weights.norm, "update_norm": self._updates.read(self._copies).norm}
