"""Settings of the C library and of OpenMP that numeric work wants before a process starts.

They are read when a process, or torch in it, starts; so whoever starts a kernel sets them.
"""

from __future__ import annotations

NUMERIC_ENVIRONMENT = {
    # threads that wait by spinning slow torch down badly on a machine that others use too
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    # glibc gives large blocks back to the system at once; torch asks for them again in the next layer,
    # and much of a convolutional network's time goes into clearing pages
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(2**26),
}
