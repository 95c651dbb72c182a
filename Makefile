# `make` alone says what there is. PYTHON=... chooses the interpreter (3.11 to 3.13).

VENV ?= .venv
export VENV PYTHON

needs := pyproject.toml constraints.txt installer/environment.sh
folders := app engine train resources tests installer benchmarks

.DEFAULT_GOAL := help
.PHONY: help demo test check format clean window-packages test-packages

help:  ## Show this list
	@echo "Haustra shows haustral folds in colonoscopy video. Start with: make demo"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo: window-packages $(VENV)/haustra-runtime.stamp  ## Install, then show the folds in the bundled clip
	@installer/demo.sh

test: test-packages $(VENV)/haustra-dev.stamp  ## Install, then run every check and every test (as CI does)
	@failed=0; installer/check.sh || failed=1; installer/test.sh $(ARGS) || failed=1; exit $$failed

check: $(VENV)/haustra-dev.stamp  ## Lint, formatting, types, direction of imports
	@installer/check.sh

format: $(VENV)/haustra-dev.stamp  ## Put the code into its one format
	@$(VENV)/bin/ruff check --fix --quiet .
	@$(VENV)/bin/ruff format --quiet .

clean:  ## Remove the environment, caches and what the demo wrote
	rm -rf $(VENV) demo-output build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find $(wildcard $(folders)) -name __pycache__ -type d -prune -exec rm -rf {} +

window-packages:
	@installer/packages.sh window

test-packages:
	@installer/packages.sh window tests

$(VENV)/haustra-runtime.stamp: $(needs)
	@installer/environment.sh runtime

$(VENV)/haustra-dev.stamp: $(needs)
	@installer/environment.sh dev
