# make demo: every table and figure of the mini preset. Works from a clean checkout.
PYTHON ?= python3
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
READY := .venv/.ready

.PHONY: demo test test-fast lint clean
.DELETE_ON_ERROR:

demo: $(READY)
	snakemake --cores $(CORES) all
	snakemake --cores 1 --report results/mini/report.html all
	@echo
	@python analysis/summary.py --results results/mini
	@echo
	@echo "$(CURDIR)/results/mini/report.html"

test: $(READY)
	pytest

# The unit tests, without those marked as slow: under two minutes on two cores.
test-fast: $(READY)
	pytest -m "not slow"

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check workflow
	snakemake --lint

# The environment is made anew, in place, when the pins or the package's metadata change.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "error: $(PYTHON) is not Python 3.11, 3.12 or 3.13; call: make PYTHON=python3.11" >&2; \
	    exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q --no-deps -r requirements.lock
	.venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
# Where the index has torch built for CUDA only, it does not start without CUDA's libraries.
	.venv/bin/python -c 'import torch' 2>/dev/null || .venv/bin/python -m pip install -q torch==2.13.0
	touch $@

# Results, and nothing that is shipped or that takes a download to make again.
clean:
	rm -rf results .snakemake .pytest_cache .ruff_cache
