from collections import Counter

import pytest

from coursework.backprop.batches import two_batches
from coursework.backprop.line_mutations import LINE_SLIPS
from coursework.backprop.lines import backward_program, program_code, run_program
from coursework.backprop.network import DenseNetwork
from tests.backprop.masks import MASKS

NETWORKS = {
    "squared error": {"biases": True},
    "softmax": {"loss": "softmax"},
    "logistic, links missing": {"loss": "logistic", "masks": MASKS, "biases": True},
}


def network(name):
    return DenseNetwork([5, 3, 7, 2], "tanh", **NETWORKS[name])


def mutants(name):
    program = backward_program(network(name))
    return [(slip.name, mutant) for slip in LINE_SLIPS for mutant in slip.of(program)]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_mutation_score_is_100_percent(name):
    batches = two_batches(network(name))
    assert not batches.refute(backward_program(batches.network))
    made = mutants(name)
    assert [(slip, program_code(m)) for slip, m in made if not batches.refute(m)] == []
    assert len(made) >= 50


def test_every_slip_is_made_somewhere():
    made = Counter(slip for name in NETWORKS for slip, _ in mutants(name))
    assert {slip.name for slip in LINE_SLIPS} == made.keys()
    assert len(LINE_SLIPS) == len({slip.name for slip in LINE_SLIPS})


@pytest.mark.parametrize(
    "name",
    [
        "a of the batch before",
        "z of the batch before",
        "delta of the batch before",
        "targets of the batch before",
        "the weights updated before they are read",
        "delta += for =",
        "dw += for =",
        "db += for =",
        "the mean over the batch for the sum",
        "a line is missing",
    ],
)
def test_a_slip_in_time_runs_and_is_refuted_by_its_numbers(name):
    batches = two_batches(network("squared error"))
    made = [mutant for slip, mutant in mutants("squared error") if slip == name]
    assert made
    for mutant in made:
        batches.run(lambda state, mutant=mutant: run_program(mutant, state))
        assert batches.refute(mutant)


def test_a_slip_reads_as_numpy():
    code = {slip: program_code(mutant) for slip, mutant in mutants("squared error")}
    assert "dw[l] += delta[l + 1].T @ z[l]" in code["dw += for ="]
    assert "for l in range(2, L):" in code["from the input to the output"]
    assert "(delta[l + 1].sum(axis=0)) / len(t)" in code["the mean over the batch for the sum"]
    assert "db[l] = delta[l + 1][0]" in code["the bias of the first example"]
