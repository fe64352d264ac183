"""A folder of small rendered pictures, a base of a few hundred weights, and a machine without a network."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from torch import nn

from coursework.finetune import bases
from coursework.finetune.bases import Base, Weights
from coursework.finetune.images import Images, Preprocessing, read_folder
from coursework.finetune.sports import render_dataset


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Three classes, four training and two validation pictures each, 48 pixels a side."""
    folder = tmp_path_factory.mktemp("sport3")
    return read_folder(render_dataset(folder, train=4, validation=2, seed=5, size=48))


def tiny_stages() -> Mapping[str, nn.Module]:
    """Three stages with BatchNorm in each; 8 features in the end."""
    widths = (3, 6, 6, 8)
    return {
        name: nn.Sequential(
            nn.Conv2d(before, after, 3, stride=2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
        )
        for name, before, after in zip(("first", "middle", "last"), widths, widths[1:], strict=False)
    }


def tiny_record(name: str) -> Base:
    """A third base is one more record."""
    return Base(
        name=name,
        stages=tiny_stages,
        feature_width=8,
        preprocessing=Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        unfreeze_from="middle",
        weights={
            "imagenet": Weights(32, lambda: None, "random here"),
            "bundled": Weights(32, lambda: None, "random here"),
            "none": Weights(40, lambda: None, "random"),
        },
        default_weights="bundled",
        smallest=16,
    )


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Base:
    """A small base, registered as "tiny"."""
    record = tiny_record("tiny")
    monkeypatch.setitem(bases.BASES, "tiny", record)
    return record


@pytest.fixture
def small_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small bases under the names of the real ones."""
    for name in ("inception_v3", "efficientnet_lite0"):
        monkeypatch.setitem(bases.BASES, name, tiny_record(name))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the user's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("COURSEWORK_CACHE", str(folder))
    return folder


@pytest.fixture
def calls_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Refuses every socket, as a machine without a network does, and lists who asked for one."""
    asked: list[str] = []

    def refuse(*arguments: object, **named: object) -> NoReturn:
        asked.append(repr(arguments[:2]))
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked
