"""The new layers on top of a base."""

import pytest
import torch

from coursework.finetune.head import Head


def features(n: int = 20, width: int = 4, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


def test_the_default_head_is_the_assignments() -> None:
    head = Head(2048, 3)
    assert {name: tuple(value.shape) for name, value in head.named_parameters()} == {
        "layers.0.weight": (32, 2048),
        "layers.0.bias": (32,),
        "layers.3.weight": (3, 32),
        "layers.3.bias": (3,),
    }
    assert (head.hidden, head.dropout) == (32, 0.5)
    assert head(features(5, 2048)).shape == (5, 3)


def test_a_heads_logits_by_hand() -> None:
    head = Head(2, 2, hidden=2, dropout=0.0).eval()
    with torch.no_grad():
        head.mean.copy_(torch.tensor([1.0, 10.0]))
        head.std.copy_(torch.tensor([2.0, 5.0]))
        head.layers[0].weight.copy_(torch.tensor([[1.0, 1.0], [0.0, -1.0]]))
        head.layers[0].bias.copy_(torch.tensor([0.5, 0.0]))
        head.layers[3].weight.copy_(torch.tensor([[2.0, 1.0], [-1.0, 3.0]]))
        head.layers[3].bias.copy_(torch.tensor([0.0, 1.0]))
    # (5, 0) is standardized to (2, -2): hidden units max(0, 0.5) and max(0, 2)
    assert head(torch.tensor([[5.0, 0.0]])).tolist() == [[2 * 0.5 + 2, -0.5 + 3 * 2 + 1]]


def test_without_hidden_units_the_head_is_linear() -> None:
    head = Head(4, 3, hidden=0).train()
    x = features()
    assert [tuple(p.shape) for p in head.parameters()] == [(3, 4), (3,)]
    assert torch.allclose(head(x + 1) + head(x - 1), 2 * head(x), atol=1e-5)


def test_dropout_silences_hidden_units_in_training_only() -> None:
    head, x = Head(4, 2, hidden=16), features()
    torch.manual_seed(0)
    head.train()
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))


def test_features_are_standardized_by_the_training_pictures() -> None:
    head, x = Head(4, 2), features() * torch.tensor([1e-6, 1.0, 1e3, 1e6]) + 5
    head.standardize_by(x)
    standardized = (x - head.mean) / head.std
    assert standardized[:, 1:].mean(0).abs().max() < 1e-4
    assert standardized[:, 1:].std(0, correction=0).tolist() == pytest.approx([1] * 3, rel=1e-4)
    assert "mean" in head.state_dict()
    assert "std" in head.state_dict()


def test_a_feature_that_never_changes_is_left_unscaled() -> None:
    head, x = Head(4, 2), features()
    x[:, 0], x[:, 1] = 3.0, 0.0
    head.standardize_by(x)
    assert head.std[:2].tolist() == [1, 1]
    assert head.std[2] == pytest.approx(float(x[:, 2].double().std(correction=0)), rel=1e-6)
    assert torch.isfinite(head.eval()(x)).all()


def test_rounding_is_not_blown_up_into_a_feature() -> None:
    x = torch.full((8, 2), 3.0)
    x[::2] = torch.nextafter(x[::2], torch.tensor(4.0))
    head = Head(2, 2)
    head.standardize_by(x)
    assert head.std.tolist() == [1, 1]


def test_a_heads_weights_come_from_its_seed_alone() -> None:
    before = torch.get_rng_state()
    first, second, other = (Head(4, 2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.layers[0].weight, other.layers[0].weight)


@pytest.mark.parametrize(
    ("classes", "options", "named"),
    [
        (1, {}, "classes=1"),
        (3, {"hidden": -1}, "hidden=-1"),
        (3, {"dropout": 1.0}, r"dropout=1\.0"),
        (3, {"dropout": -0.1}, r"dropout=-0\.1"),
    ],
)
def test_impossible_heads_are_refused(classes: int, options: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=f"{named}.*a head needs"):
        Head(4, classes, **options)
