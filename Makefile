# make demo     show igor's main job on this machine, in a temporary folder
# make test     run the whole test suite, including `make check`; T=push runs a part: a folder, file or word
# make check    check formats, types, import rules and the manual
# make generate write what Lua reads of the table of verbs, after changing igor_core/commands
# make fuzz     feed random hostile input to igor for an hour; FUZZ_SECONDS=60 for a minute
# make bench    measure igor beside rsync, scp, unison and lsyncd, up to an hour (doc/benchmarks.md)
# make install  install igor's Python packages into .venv, with the command .venv/bin/igor; nothing else
#
# Missing system packages are installed after asking (without a terminal: if root). Everything else stays
# in this folder (.venv, .cache), except the tests' cache: $IGOR_CACHE, or ~/.cache/igor-tests.

PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 3600

# The demo uses the Neovim in the tests' cache if it is there, otherwise one in this folder.
tests_cache := $(or $(IGOR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/igor-tests)
demo_cache := $(or $(IGOR_CACHE),$(if $(wildcard $(tests_cache)/nvim-0.12),$(tests_cache),$(CURDIR)/.cache))

# Even `nvim --version` writes a log in the home directory.
INSTALL := NVIM_LOG_FILE=/dev/null tests/lab/install.sh
PREPARE := PYTHON='$(PYTHON)' tests/check/venv.sh

.PHONY: demo test check generate fuzz bench install
.SILENT:

demo:
	export IGOR_CACHE='$(demo_cache)' && \
	$(INSTALL) demo && \
	$(PREPARE) run && \
	exec .venv/bin/python -m tests.demo

# T is a folder, a file or a word: push is tests/unit/push, tests/host/push, tests/*/test_push*.py.
T ?=
part = $(or $(wildcard $(T)),$(sort $(wildcard tests/*/$(T) tests/*/*/$(T) tests/$(T) \
	$(foreach folder,tests/* tests/*/* tests/*/*/*,$(folder)/test_$(T).py $(folder)/test_$(T)_*.py))),\
	$(error no folder or file of tests is named $(T)))

# On a busy machine a real peer can miss what a test waits for. A failed test runs once more, and is listed
# at the end with its reason. Tests mostly wait for programs, so there are more workers than cores.
test:
	$(INSTALL) test
	$(PREPARE) test
	exec .venv/bin/python -m pytest -n 3 --dist loadfile --reruns 1 --durations 25 \
		$(if $(T),$(part)) $(PYTEST_ARGS)

check:
	$(PREPARE) test
	exec .venv/bin/python -m pytest -q -rs tests/check $(PYTEST_ARGS)

generate:
	$(PREPARE) run
	.venv/bin/python -m igor_core.commands.generate

fuzz:
	$(PREPARE) test
	exec .venv/bin/python -m tests.fuzz '$(FUZZ_SECONDS)'

bench:
	$(INSTALL) bench
	$(PREPARE) test
	exec .venv/bin/python -m tests.bench $(BENCH_ARGS)

install:
	$(PREPARE) run
