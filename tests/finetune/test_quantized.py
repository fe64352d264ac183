"""Weights in a quarter of the space: what is lost, and what must not be."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from coursework.finetune.bases import Base
from coursework.finetune.quantized import dequantize, quantize, read_quantized, write_quantized


def test_quantizing_by_hand() -> None:
    weight = torch.tensor([[1.27, -0.635, 0.004], [0.0, 25.4, -25.3]]).view(2, 3, 1, 1)
    values, scale = quantize(weight)
    assert values.dtype == torch.int8
    assert scale.tolist() == pytest.approx([0.01, 0.2])
    assert values.view(2, 3)[0, 0] == 127
    assert values.view(2, 3)[0, 1] in (-63, -64)  # 63.5 scales, give or take a rounding error
    assert values.view(2, 3)[:, 2].tolist() == [0, -126]  # 0.4 and -126.5 scales, the latter to even
    assert values.shape == weight.shape


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-20, 20))
def test_no_weight_moves_by_more_than_half_a_scale(seed: int, power: float) -> None:
    rng = np.random.default_rng(seed)
    weight = torch.from_numpy(rng.standard_normal((4, 3, 2, 2)) * 10.0**power).float()
    values, scale = quantize(weight)
    back = dequantize(values, scale)
    assert back.dtype == torch.float32
    assert scale.shape == (4,)
    half = scale.double().view(4, 1, 1, 1) / 2
    assert ((back.double() - weight.double()).abs() <= half * (1 + 1e-5)).all()
    # the largest weight of every channel uses the whole range
    assert values.abs().flatten(1).amax(1).tolist() == [127] * 4


def test_quantizing_again_changes_nothing() -> None:
    weight = torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    once = dequantize(*quantize(weight))
    assert torch.allclose(dequantize(*quantize(once)), once, rtol=1e-6, atol=0)


def test_a_channel_of_zeros_stays_zero() -> None:
    weight = torch.zeros(2, 1, 3, 3)
    weight[1] = 2.0
    torch.set_flush_denormal(True)  # as while pre-training
    try:
        assert torch.equal(dequantize(*quantize(weight)), weight)
        assert quantize(weight)[0][0].abs().max() == 0
    finally:
        torch.set_flush_denormal(False)


def test_a_file_holds_int8_weights_exact_norms_and_its_card(tiny: Base, tmp_path: Path) -> None:
    backbone = tiny.build("none", seed=3)
    with torch.no_grad():
        for name, value in backbone.state_dict().items():
            if "running" in name or name.endswith(("1.weight", "1.bias")):
                value.copy_(torch.rand(value.shape, generator=torch.Generator().manual_seed(len(name))) + 0.1)
    state = backbone.state_dict()
    file = tmp_path / "deep" / "weights.safetensors"
    card = {"seed": 3, "accuracy": 0.25, "name": "tiny"}
    assert write_quantized(file, state, card) == file
    back = read_quantized(file)
    assert back is not None
    assert sorted(back) == sorted(name for name in state if not name.endswith("num_batches_tracked"))
    raw = load_file(file)
    for name, value in back.items():
        assert value.dtype == torch.float32
        if value.ndim == 4:
            assert raw[name].dtype == torch.int8
            assert torch.equal(value, dequantize(*quantize(state[name])))
            assert not torch.equal(value, state[name])
        else:
            assert torch.equal(value, state[name])
    with safe_open(file, "pt") as opened:
        assert json.loads(opened.metadata()["card"]) == card


def test_a_base_loads_a_quantized_file_by_its_path(tiny: Base, tmp_path: Path) -> None:
    backbone = tiny.build("none", seed=3)
    file = write_quantized(tmp_path / "mine.safetensors", backbone.state_dict(), {})
    loaded = tiny.build(str(file))
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(loaded(x), backbone(x), rtol=0.05, atol=0.02)
    assert loaded.sha256() != backbone.sha256()


def test_a_file_of_another_program_is_none_of_ours(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(2, dtype=torch.int8)}, tmp_path / "plain.safetensors")
    save_file({"w": torch.zeros(2)}, tmp_path / "marked.safetensors", metadata={"format": "pt"})
    assert read_quantized(tmp_path / "plain.safetensors") is None
    assert read_quantized(tmp_path / "marked.safetensors") is None
