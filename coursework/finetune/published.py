"""The epoch tables of the published solution (November 2016), to stand beside the ones computed here.

Each accuracy is a whole number of pictures: of 32 (A, B) or 224 (C) training pictures an epoch and of
96 validation pictures. A and B took one step an epoch, five in all; C took seven.
"""

from __future__ import annotations

from coursework.finetune.training import Epoch, History


def _history(phase: str, steps: int, rows: tuple[tuple[float, float, float, float], ...]) -> History:
    return History(phase, steps, tuple(Epoch(number, *row) for number, row in enumerate(rows, 1)))


PUBLISHED = {
    "A": _history(
        "published A: Inception fixed, 32 pictures an epoch",
        1,
        (
            (1.1317, 0.4062, 1.2732, 0.3125),
            (0.9963, 0.5000, 1.2741, 0.2917),
            (1.1019, 0.4688, 1.2862, 0.3021),
            (0.9927, 0.5625, 1.2741, 0.3438),
            (0.9829, 0.5000, 1.3897, 0.2708),
        ),
    ),
    "B": _history(
        "published B: Inception trained, 32 pictures an epoch",
        1,
        (
            (1.1679, 0.4375, 1.3524, 0.3125),
            (1.2176, 0.3125, 1.1783, 0.3646),
            (1.0265, 0.5312, 1.0440, 0.4375),
            (1.1536, 0.5312, 1.1133, 0.4062),
            (0.7945, 0.5938, 0.8825, 0.5938),
        ),
    ),
    "C": _history(
        "published C: Inception trained, 224 pictures an epoch",
        7,
        (
            (0.9930, 0.5089, 0.7100, 0.7396),
            (0.5747, 0.8036, 0.4352, 0.8750),
            (0.5107, 0.7991, 0.4607, 0.8333),
            (0.5092, 0.8170, 0.4027, 0.8333),
            (0.4633, 0.8304, 0.2946, 0.8958),
        ),
    ),
}
