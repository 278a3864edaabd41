# make demo    igor's main job on this machine, in a temporary folder
# make test    the whole test suite, `make check` included
# make check   formats, types, import rules, the manual; a part of `make test`
#
# System packages are installed where they may be, after a question at a terminal. All else stays in
# this folder (.venv, .cache), but for the tests' cache: $IGOR_CACHE, or ~/.cache/igor-tests.

PYTHON ?= python3
PYTEST_ARGS ?=

# The demo uses the tests' Neovim where that is here already, else one in this folder.
tests_cache := $(or $(IGOR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/igor-tests)
demo_cache := $(or $(IGOR_CACHE),$(if $(wildcard $(tests_cache)/nvim-0.12),$(tests_cache),$(CURDIR)/.cache))

.PHONY: demo test check
.SILENT:

demo:
	export IGOR_CACHE='$(demo_cache)' && \
	tests/lab/install.sh demo && \
	PYTHON='$(PYTHON)' tests/check/venv.sh demo && \
	exec .venv/bin/python -m tests.demo

test:
	tests/lab/install.sh test
	PYTHON='$(PYTHON)' tests/check/venv.sh test
	exec .venv/bin/python -m pytest $(PYTEST_ARGS)

check:
	PYTHON='$(PYTHON)' tests/check/venv.sh test
	exec .venv/bin/python -m pytest -q -rs tests/check tests/test_layers.py tests/test_docs.py tests/test_manual.py $(PYTEST_ARGS)
