"""Print the AVX-512 features that this numpy would use on this processor, for NPY_DISABLE_CPU_FEATURES.

numpy warns about a name which the processor lacks and refuses one that it was compiled to need,
and the names changed between its versions; so ask it.
"""

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

AVX512 = ("AVX512", "X86_V4")

print(*(name for name in __cpu_dispatch__ if name.startswith(AVX512) and __cpu_features__.get(name)))
