#!/bin/sh
# venv.sh run|test: igor and its Python packages in .venv, for the tests also the test tools.
#
# Does nothing where .venv has what pyproject.toml asks for: a copy of that file, below the folder's
# path, is kept as the mark of what was installed. The packages' downloads are kept in .cache.
set -eu
cd "$(dirname "$0")/../.."

mode=${1:-}
case $mode in
    run) what=. ;;
    test) what='.[test]' ;;
    *) echo 'usage: venv.sh run|test' >&2; exit 2 ;;
esac
python=${PYTHON:-python3}

mark() { pwd && cat pyproject.toml; }

installed() { mark | cmp -s - ".venv/installed-$1"; }

works() { .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

if works; then
    if installed test || { [ "$mode" = run ] && installed run; }; then
        exit 0
    fi
else
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
        echo "igor needs Python 3.10 or later; $python is $("$python" --version 2>&1)." >&2
        echo "Another one: make PYTHON=python3.12 ..." >&2
        exit 1
    }
    rm -rf .venv
    "$python" -m venv .venv
fi
echo "installing Python packages into .venv"
# compat: a plain path; the default's import hook costs each start of igor 25 ms.
PIP_CACHE_DIR=$PWD/.cache/pip .venv/bin/python -m pip install --quiet \
    --disable-pip-version-check --config-settings editable_mode=compat --editable "$what"
# PYTHONPATH, PYTHONWARNINGS and PYTHONDEVMODE are for the project's Python, not for igor's: a queue.py
# of the project would stand in for the standard library's. The second form is for paths with spaces.
sed -e '1s|^#!.*/python[0-9.]*$|& -E|' -e '2s|" "|" -E "|' .venv/bin/igor >.venv/bin/igor.new
cat .venv/bin/igor.new >.venv/bin/igor
rm .venv/bin/igor.new
mark >".venv/installed-$mode"
