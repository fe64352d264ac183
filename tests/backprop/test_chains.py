import numpy as np
import pytest

from coursework.backprop.chains import bipartite, chain, two_chains


def test_the_assignments_chains_have_152_weights_a_chain_and_meet_in_the_output():
    network = two_chains()
    assert network.sizes == [2] * 152 + [1]
    assert sum(int((w != 0).sum()) for w in network.w.values()) == 304
    assert all(w[0, 1] == w[1, 0] == 0 for l, w in network.w.items() if l < 152)
    assert 152 not in network.masks
    assert network.w[152].all()


def test_the_two_chains_are_two_chains():
    network = two_chains(5, "tanh", seed=3)
    x, t = np.array([[0.5, -1.5]]), np.array([[0.2]])
    trace = network.forward(x)
    gradients = network.backward(trace, t)
    for j in range(2):
        z = x[0, j]
        for l in range(1, 5):
            z = np.tanh(network.w[l][j, j] * z)
        assert trace.z[5][0, j] == pytest.approx(z, rel=1e-14)
    assert all(not gradients.w[l][[0, 1], [1, 0]].any() for l in range(1, 5))
    assert all(gradients.w[l][[0, 1], [0, 1]].all() for l in range(1, 5))


def test_a_chain_is_one_wide_and_bipartite_links_are_all_there():
    assert chain(7, "relu").sizes == [1] * 8
    network = bipartite(4, "relu", biases=True, seed=1)
    assert network.sizes == [2, 2, 2, 2, 1]
    assert not network.masks
    assert all(w.all() for w in network.w.values())
    assert len(network.b) == 4


def test_weights_are_drawn_for_the_links_that_there_are():
    # one link into every unit, so N(0, 1), and not N(0, 1/2) as for two
    draws = np.concatenate([two_chains(200, seed=seed).parameters for seed in range(20)])
    assert np.std(draws[draws != 0]) == pytest.approx(1, abs=0.05)
