"""The links of a 5-3-7-2 network, some of them missing."""

import numpy as np

#: Every unit leads to two others at least.
MASKS = {
    1: np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 1, 1]]),
    2: np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]]),
}
