# Everything runs in .venv, which is made on first use. Needed beforehand: CPython 3.10 or newer, pip and make.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# TORCH=cpu takes the build of PyTorch without CUDA, which is several gigabytes smaller.
TORCH ?=
export MPLBACKEND := agg

.PHONY: demo test test-core test-slow lint docs bench bench-disentangle cycle-consistent pretrained clean

# One run a core, one thread a run: networks this small lose more to threads than they gain.
TRAIN := OMP_NUM_THREADS=1 $(BIN)/disvae train --accelerator cpu
demo: $(VENV)/.demo    ## train a VAE and a β-TCVAE on sprites side by side, and compare them
	$(TRAIN) --recipe sprites_vae --run_dir runs/demo/vae --progress false & vae=$$!; \
	$(TRAIN) --recipe sprites_beta_tcvae --run_dir runs/demo/beta_tcvae || { kill $$vae; exit 1; }; wait $$vae
	$(BIN)/disvae compare runs/demo/vae runs/demo/beta_tcvae --output runs/demo

# Two workers with one thread each: networks this small lose more to threads than they gain. A worker
# takes neighbours, which share what they train, until it has none left and helps the other.
# A browser waits for answers so long and no longer: nothing else runs beside it.
# Python 3.12 counts lines at next to no cost, if asked to.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
WORKERS := -n 2 --dist worksteal
test: $(VENV)/.dev    ## all tests but the slow ones, and how much of disvae/ they run
	$(ONE_THREAD) $(BIN)/pytest -m browser tests/explore/test_browser.py
	$(ONE_THREAD) COVERAGE_CORE=sysmon $(BIN)/pytest $(WORKERS) -m "not slow and not browser" \
		--cov --cov-report=term-missing:skip-covered --cov-fail-under=90

test-core: $(VENV)/.dev    ## mathematics, contracts and one run from training to scores, in a minute
	$(ONE_THREAD) $(BIN)/pytest $(WORKERS) -m core

test-slow: $(VENV)/.dev    ## the tests that train for minutes
	$(BIN)/pytest -m slow

lint: $(VENV)/.dev    ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs    ## the documentation, in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going docs docs/_build/html

bench: $(VENV)/.dev    ## images per second of each loss
	$(BIN)/python benchmarks/training_step.py

bench-disentangle: $(VENV)/.dev    ## seconds until each loss has disentangled
	$(BIN)/python benchmarks/time_to_disentangle.py

cycle-consistent: $(VENV)/.dev    ## what the parts of a cycle-consistent code tell of a digit; MNIST in DISVAE_DATA
	$(BIN)/python benchmarks/cycle_consistent.py

PRETRAINED := sprites-vae sprites-beta-tcvae sprites-factor-vae
pretrained: $(VENV)/.dev    ## the models that come with the package: trained with seed 0, scored and packed
	set -e; for name in $(PRETRAINED); do \
		$(TRAIN) --recipe $$(echo $$name | tr - _) --seed 0 --precision 32-true --run_dir runs/pretrained/$$name; \
		$(BIN)/python benchmarks/pretrained.py runs/pretrained/$$name $$name; \
	done

clean:    ## remove what the other targets made, except runs/
	rm -rf $(VENV) build dist docs/_build *.egg-info .coverage .*_cache .hypothesis

$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH),$(BIN)/pip install torch torchvision --index-url https://download.pytorch.org/whl/$(TORCH))
	touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml setup.cfg
	$(BIN)/pip install -e .
	touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml setup.cfg
	$(BIN)/pip install -e '.[dev]'
	touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(BIN)/pip install -e '.[docs]'
	touch $@
