from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients.chain import run
from coursework.gradients.ensembles import ChainSpec, draw


def test_glorot_and_he_have_the_published_variance_and_look_at_the_links_that_exist() -> None:
    wide = {"depth": 3, "links": "full", "width": (6, 3, 2)}
    glorot = draw(ChainSpec(**wide, law="glorot"), 20_000, seed=1).w[1]
    assert glorot.var() == pytest.approx(2 / (6 + 3), rel=0.02)
    he = draw(ChainSpec(**wide, law="he"), 20_000, seed=1).w[1]
    assert he.var() == pytest.approx(2 / 6, rel=0.02)
    masked = draw(ChainSpec(depth=3, links=((1, 1), (0, 1)), law="he"), 20_000, seed=1).w[1]
    assert masked[0].var() == pytest.approx(2 / 2, rel=0.03)
    assert masked[1, 1].var() == pytest.approx(2 / 1, rel=0.03)
    assert np.all(masked[1, 0] == 0)
    chain = draw(ChainSpec(depth=3, law="he", width=5), 20_000, seed=1).w[1]
    assert chain.var() == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("width", [(3, 3, 3), (2, 5, 3)])
def test_orthogonal_weights_are_orthogonal_and_uniform_among_these(width: tuple[int, ...]) -> None:
    w = draw(ChainSpec(depth=3, links="full", width=width, law="orthogonal"), 4000, seed=1).w[1]
    rows, columns, _ = w.shape
    gram = np.einsum("jkb,jlb->klb" if rows >= columns else "jkb,lkb->jlb", w, w)
    np.testing.assert_allclose(gram, np.eye(len(gram))[..., np.newaxis] + 0 * gram, atol=1e-12)
    assert np.abs(w.mean(axis=-1)).max() < 0.05
    assert (w**2).mean(axis=-1) == pytest.approx(np.full((rows, columns), 1 / max(rows, columns)), abs=0.02)


def test_identity_weights_pass_the_input_through() -> None:
    trace = run(draw(ChainSpec(depth=9, links="full", activation="identity", law="identity"), 4, seed=1))
    np.testing.assert_array_equal(trace.a[10].to_float()[0], trace.z[1].to_float()[0])
    chains = draw(ChainSpec(depth=9, law="identity", scale=0.5), 4, seed=1)
    assert np.all(chains.w[3] == 0.5)
