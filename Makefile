# Everything runs through uv, which makes .venv from pyproject.toml on its first call.
# Where uv is not on PATH it is fetched into .uv/ (tools/fetch_uv.sh).

ifeq ($(shell command -v uv 2>/dev/null),)
UV := .uv/bin/uv
FETCHED_UV := $(UV)
else
UV := uv
endif

# ARGS is handed on: make test ARGS=tests/finetune, make report ARGS="1 -p seed 7"
ARGS ?=

.PHONY: help report test portable notebooks lint
.DEFAULT_GOAL := help

help:  ## show these lines
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

report: $(FETCHED_UV)  ## execute the three notebooks and write reports/index.html
	$(UV) run coursework run $(ARGS)

# two workers, a file each: most tests keep one core busy, and more kernels at once would need more memory
test: $(FETCHED_UV)  ## the whole test suite, the notebooks' stored outputs included
	$(UV) run pytest --numprocesses 2 --dist loadfile $(ARGS)

portable: $(FETCHED_UV)  ## the notebooks again as an older processor computes them (slow)
	features=$$($(UV) run python tools/avx512_features.py) && \
	OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 NPY_DISABLE_CPU_FEATURES="$$features" \
	$(UV) run pytest --nbval notebooks $(ARGS)

notebooks: $(FETCHED_UV)  ## execute the notebooks and store their outputs in them
	$(UV) run python tools/store_outputs.py $(ARGS)

lint: $(FETCHED_UV)  ## ruff and mypy
	$(UV) run ruff check
	$(UV) run mypy

.uv/bin/uv:
	sh tools/fetch_uv.sh .uv
