"""The file of records, claims.yaml, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml  # type: ignore[import-untyped]


@cache
def _file() -> dict[str, list[dict[str, Any]]]:
    text = files("coursework.backprop").joinpath("claims.yaml").read_text(encoding="utf-8")
    records: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return records


def read_records(kind: str) -> list[dict[str, Any]]:
    """Return the records of a kind: "questions" or "claims"."""
    return _file()[kind]
