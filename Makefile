# `make demo` produces every table and figure of the mini preset from a clean checkout; `make reproduce`
# does so with three seeds, which decide the paper's claims (docs/reproduce.md).
PYTHON ?= python3
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
READY := .venv/.ready

.PHONY: demo reproduce playground test test-fast test-conda test-slurm lint clean
.DELETE_ON_ERROR:

demo reproduce: $(READY)
	snakemake --cores $(CORES) all $(SEEDS)
	snakemake --cores 1 --report results/mini/snakemake_report.html all $(SEEDS)
	@echo
	@python analysis/summary.py --results results/mini
	@echo
	@echo "$(CURDIR)/results/mini/report.html"

reproduce: SEEDS := --configfile config/reproduce.yaml

# A page in which the students draw in the browser (docs/guide/playground.md).
playground: $(READY)
	@command -v npm > /dev/null || \
	  { echo "error: there is no npm on the PATH, which installs what runs the students in the browser;" \
	    "install Node.js, which has it" >&2; exit 1; }
	snakemake --cores $(CORES) playground
	@echo
	@echo "$(CURDIR)/results/mini/playground"
	@echo "To open it: $(CURDIR)/.venv/bin/tinygan play"

# A file of tests stays on one core: its tests may share a run that the first of them makes.
PARALLEL := -n $(CORES) --dist loadfile --no-loadscope-reorder

test: $(READY)
	pytest $(PARALLEL)

# The tests that are not marked as slow: eight minutes of processor time.
test-fast: $(READY)
	pytest $(PARALLEL) -m "not slow"

# The smoke preset with --use-conda beside a run without, in clones of the last commit. It needs a
# conda on the PATH and 5 GB of disk.
test-conda: $(READY)
	pytest tests/conda

# Opt-in: the smoke preset of a fresh clone on a real Slurm, where a training is killed on the way.
test-slurm: $(READY)
	@command -v sbatch > /dev/null || \
	  { echo "error: there is no sbatch on the PATH; run this on a machine that submits to Slurm" >&2; \
	    exit 1; }
	.venv/bin/python -m pip install -q --no-deps $$(.venv/bin/python -c 'import tomllib; \
	  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["slurm"])')
	pytest tests/slurm

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check workflow
	snakemake --lint

# Update the environment in place when the pins or the package's metadata change.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "error: $(PYTHON) is not Python 3.11, 3.12 or 3.13; run: make PYTHON=python3.11" >&2; \
	    exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
# An environment from before has it, and its files are those of tensorflow.
	.venv/bin/python -m pip uninstall -qq -y tensorflow-cpu
	.venv/bin/python -m pip install -q --no-deps -r requirements.lock
	.venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
# The package index has torch as a CUDA 13 build for Linux, which needs CUDA's libraries even on a CPU.
# PyTorch's own index has a CPU build, which needs none (docs/guide/running.md, Install).
	.venv/bin/python -c 'import torch' 2>/dev/null || \
	  .venv/bin/python -m pip install -q --no-deps -r workflow/envs/torch-gpu.lock
	touch $@

# Delete results and caches, but nothing that is shipped or that needs a download to restore.
clean:
	rm -rf results .snakemake .pytest_cache .ruff_cache
