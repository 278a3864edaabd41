# make demo     igor's main job on this machine, in a temporary folder
# make test     the whole test suite, `make check` included; T=push: a part, by its folder, file or word
# make check    formats, types, import rules, the manual; a part of `make test`
# make fuzz     hostile bytes, texts and names for an hour, others each time; FUZZ_SECONDS=60: a minute
# make bench    igor's save path beside rsync, scp, unison, lsyncd; up to an hour (doc/benchmarks.md)
# make install  igor's Python packages, for Neovim and the command .venv/bin/igor; nothing else
#
# System packages are installed where they may be, after a question at a terminal. All else stays in
# this folder (.venv, .cache), but for the tests' cache: $IGOR_CACHE, or ~/.cache/igor-tests.

PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 3600

# The demo uses the tests' Neovim where that is here already, else one in this folder.
tests_cache := $(or $(IGOR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/igor-tests)
demo_cache := $(or $(IGOR_CACHE),$(if $(wildcard $(tests_cache)/nvim-0.12),$(tests_cache),$(CURDIR)/.cache))

# Even `nvim --version` would begin a log in the home.
INSTALL := NVIM_LOG_FILE=/dev/null tests/lab/install.sh
PREPARE := PYTHON='$(PYTHON)' tests/check/venv.sh

.PHONY: demo test check fuzz bench install
.SILENT:

demo:
	export IGOR_CACHE='$(demo_cache)' && \
	$(INSTALL) demo && \
	$(PREPARE) run && \
	exec .venv/bin/python -m tests.demo

# T is a folder or file, or a word: push means tests/unit/push, tests/host/push, tests/*/test_push*.py.
T ?=
part = $(or $(wildcard $(T)),$(sort $(wildcard tests/*/$(T) tests/*/*/$(T) tests/$(T) \
	$(foreach folder,tests/* tests/*/* tests/*/*/*,$(folder)/test_$(T).py $(folder)/test_$(T)_*.py))),\
	$(error no test's folder or file is named $(T)))

# Real peers on a machine that is held up for seconds miss what a test waits for. What fails runs once
# more; each such test is listed at the end with its reason.
test:
	$(INSTALL) test
	$(PREPARE) test
	exec .venv/bin/python -m pytest -n 2 --dist loadfile --reruns 1 --durations 25 \
		$(if $(T),$(part)) $(PYTEST_ARGS)

check:
	$(PREPARE) test
	exec .venv/bin/python -m pytest -q -rs tests/check $(PYTEST_ARGS)

fuzz:
	$(PREPARE) test
	exec .venv/bin/python -m tests.fuzz '$(FUZZ_SECONDS)'

bench:
	$(INSTALL) bench
	$(PREPARE) test
	exec .venv/bin/python -m tests.bench $(BENCH_ARGS)

install:
	$(PREPARE) run
