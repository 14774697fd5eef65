# Each target makes the environment that it needs; nothing is installed outside of this folder.
SHELL := /bin/bash
VENV := .venv
BENCH := .venv-bench
PY := $(VENV)/bin/python
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(IN_RANGE)' 2>/dev/null && { command -v $$p; break; }; done)
# A test process takes up to 4 GB, so that more cores than 4 are left alone unless make is given WORKERS=8.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n > 4 ? 4 : n)))
PYTEST := $(PY) -m pytest tests -n $(WORKERS) --dist worksteal --durations=25

.PHONY: quickstart test test-slow lint bench clean

quickstart: $(VENV)/.installed
	@$(PY) -m benchmarks.quickstart

test: $(VENV)/.tested
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.tested
	$(PYTEST) -m slow

lint: $(VENV)/.tested
	$(PY) -m ruff check . && $(PY) -m ruff format --check .

# The peers of the benchmarks stand in an environment of their own: Slipway itself needs neither torch nor transformers.
bench: $(VENV)/.installed $(BENCH)/.installed

$(VENV)/.installed: setup.py
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(IN_RANGE)' 2>/dev/null; then \
	  echo "error: Python 3.11, 3.12 or 3.13 is needed and none was found; install one, or give make PYTHON=/path/to/python3.12" >&2; exit 2; fi
	@"$(PYTHON)" -m venv $(VENV) || { echo "error: $(PYTHON) -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 5; }
	@echo "installing Slipway into $(VENV) (about 3 GB, some minutes)"
	@$(PY) -m pip install -q --disable-pip-version-check -e . && touch $@

$(VENV)/.tested: $(VENV)/.installed
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[test]' && touch $@

$(BENCH)/.installed: setup.py $(VENV)/.installed
	@"$(PYTHON)" -m venv $(BENCH)
	@$(PY) -c 'import importlib.metadata as m; print("\n".join(r.split(";")[0] for r in m.requires("slipway-serving") if "bench" in r))' > $(BENCH)/requirements.txt
	@$(BENCH)/bin/python -m pip install -q --disable-pip-version-check -r $(BENCH)/requirements.txt && touch $@

clean:
	rm -rf $(VENV) $(BENCH) *.egg-info build
