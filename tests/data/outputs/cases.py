"""What was run, one case for each output, and what is special in it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`command` is for sh, in `folder`. `terminal`: with a pty, so in colours.

    `engine`: not in the container-like root but by the machine's docker or podman, in the project.
    `dockerfile` is for the reader of the output, not for its making.
    """

    name: str
    command: str
    note: str = ""
    folder: str = "/workspace"
    terminal: bool = False
    engine: bool = False
    dockerfile: str = ""


def python(version: str, script: str) -> Case:
    name = f"python-{version}-{script.split('.')[0].rpartition('/')[2].replace('_', '-')}"
    return Case(name, f"/opt/python/{version}/bin/python{version} {script}")


PREFIXED = "python3.11 run/prefixed.py {} python3.11 {}"
# torchrun itself needs torch; its prefixes are those of torch.distributed.elastic's tail_log
# ("[default0]:") and of torch's own hook for uncaught exceptions ("[rank0]:"), before every line
# of tracebacks that are real.
RANKS = ",".join(f"[rank{n}]: " for n in range(8))
DEFAULTS = ",".join(f"[default{n}]:" for n in range(4))

CASES = (
    *(
        python(version, "train.py")
        for version in ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
    ),
    *(python(version, "run/chain.py") for version in ("3.8", "3.13", "3.14")),
    *(python(version, "run/group.py") for version in ("3.11", "3.12", "3.14")),
    *(python(version, "run/recursion.py") for version in ("3.8", "3.13")),
    *(python(version, "run/bad_syntax.py") for version in ("3.8", "3.9", "3.12", "3.14")),
    *(python(version, "run/imports_bad.py") for version in ("3.8", "3.13")),
    *(python(version, "run/ignored.py") for version in ("3.8", "3.13", "3.14")),
    *(python(version, "run/threads.py") for version in ("3.8", "3.14")),
    *(python(version, "run/pool.py") for version in ("3.8", "3.12")),
    python("3.13", "run/futures.py"),
    *(python(version, "run/segv.py") for version in ("3.8", "3.13", "3.14")),
    *(python(version, "run/warn.py") for version in ("3.11", "3.14")),
    python("3.11", "run/library.py"),
    python("3.13", "run/library.py"),
    python("3.11", "run/notes.py"),
    python("3.12", "run/tasks.py"),
    python("3.12", "run/forgotten.py"),
    python("3.11", "run/context.py"),
    Case(
        "python-on-the-host",
        "python3.11 train.py",
        "no container: the tree is in its folder on the host",
        folder="/home/dino/data2/dev_dsk/sample",
    ),
    Case(
        "python-in-a-folder",
        "PYTHONPATH=.. python3.11 chain.py",
        "relative paths start from where the command ran",
        folder="/workspace/run",
    ),
    Case("python-3.13-colours", "/opt/python/3.13/bin/python3.13 train.py", terminal=True),
    Case("python-3.14-colours", "/opt/python/3.14/bin/python3.14 run/group.py", terminal=True),
    Case("tqdm", "python run/progress.py", "carriage returns before the traceback"),
    Case("logging", "python3.11 run/logs.py", "file:line before ordinary messages"),
    Case("noise", "python3.11 run/noise.py", "ordinary text: no entries"),
    Case("ranks", PREFIXED.format(f'"{RANKS}"', "train.py"), "eight ranks at once, lines mixed"),
    Case(
        "ranks-default",
        PREFIXED.format(f'"{DEFAULTS}"', "run/chain.py"),
        "as torchrun --tee prints",
    ),
    Case("ranks-group", PREFIXED.format('"[rank0]: ,[rank1]: "', "run/group.py")),
    Case(
        "hosts", PREFIXED.format('"apollo     | ,enterprise | "', "train.py"), "igor's own prefixes"
    ),
    Case(
        "srun-label",
        PREFIXED.format('"0: ,1: "', "train.py"),
        "prefixes as srun --label and mpirun",
    ),
    Case(
        "mpirun",
        'python3.11 train.py 2>&1 | sed "s/^/[1,3]<stderr>:/"',
        "as mpirun --tag-output prints",
    ),
    Case("ipython", "ipython --no-banner --colors=NoColor run/library.py"),
    Case("ipython-colours", "ipython --no-banner train.py", terminal=True),
    Case("rich", "python run/rich_traceback.py"),
    Case("pytest", "python -m pytest -p no:cacheprovider tests/test_pkg.py"),
    Case("pytest-q", "python -m pytest -q -p no:cacheprovider tests/test_pkg.py"),
    Case("pytest-short", "python -m pytest --tb=short -p no:cacheprovider tests/test_pkg.py"),
    Case("pytest-native", "python -m pytest --tb=native -p no:cacheprovider tests/test_pkg.py"),
    Case("pytest-line", "python -m pytest --tb=line -p no:cacheprovider tests/test_pkg.py"),
    Case(
        "pytest-no",
        "python -m pytest -q --tb=no -p no:cacheprovider tests/test_pkg.py",
        "no places but test names",
    ),
    Case(
        "pytest-colours", "python -m pytest -q -p no:cacheprovider tests/test_pkg.py", terminal=True
    ),
    Case("pytest-collect", "python -m pytest -p no:cacheprovider tests/broken"),
    Case(
        "pytest-doctest",
        "python -m pytest -q -p no:cacheprovider --doctest-modules tests/docs/doubles.py",
    ),
    Case("pytest-xdist", "python -m pytest -q -n2 -p no:cacheprovider tests/test_pkg.py"),
    Case(
        "pytest-in-a-folder",
        "PYTHONPATH=.. python -m pytest -q -p no:cacheprovider test_pkg.py",
        folder="/workspace/tests",
    ),
    Case("unittest", "python3.11 -m unittest tests.test_unit"),
    Case("doctest", "python3.11 tests/docs/doubles.py"),
    Case("mypy", "mypy --strict --cache-dir=/dev/null --show-column-numbers pkg"),
    Case(
        "mypy-pretty", "mypy --strict --cache-dir=/dev/null --pretty --show-error-end pkg/calc.py"
    ),
    Case("ruff", "ruff check --no-cache --isolated --select F,E pkg run/bad_syntax.py"),
    Case(
        "ruff-concise", "ruff check --no-cache --isolated --output-format=concise --select F,E pkg"
    ),
    Case("ruff-colours", "ruff check --no-cache --isolated --select F pkg", terminal=True),
    Case("flake8", "flake8 --isolated pkg run/bad_syntax.py"),
    Case("pylint", "pylint --disable=all --enable=E,W,C0116 pkg"),
    Case("pyright", "PYRIGHT_PYTHON_IGNORE_WARNINGS=1 pyright pkg/calc.py"),
    Case("gcc", "gcc -Wall -c c/main.c -o /tmp/main.o"),
    Case("gcc-colours", "gcc -Wall -c c/main.c -o /tmp/main.o", terminal=True),
    Case("gcc-link", "gcc -g c/link.c -o /tmp/link"),
    Case("g++-template", "g++ -c c/template.cpp -o /tmp/template.o"),
    Case("clang", "clang -c c/main.c -o /tmp/main.o"),
    Case("assert", "gcc c/assert.c -o /tmp/assert && /tmp/assert"),
    Case(
        "address-sanitizer", "gcc -g -fsanitize=address c/address.c -o /tmp/address && /tmp/address"
    ),
    Case("make", "make", "gcc in a folder that make enters: its paths start there"),
    Case("make-stop", "make lint"),
    Case("make-broken", "make -f broken.mk"),
    Case("cmake", "cmake -S cmake -B /tmp/build"),
    Case("cargo", "cargo build --target-dir /tmp/target", folder="/workspace/rust"),
    Case("rustc-panic", "rustc rust/panic.rs -o /tmp/panic && RUST_BACKTRACE=1 /tmp/panic"),
    Case("node", "node js/app.js"),
    Case("node-module", "node js/module.mjs"),
    Case("node-syntax", "node js/broken.js"),
    Case("go-panic", "cd go && GOFLAGS=-mod=mod GOCACHE=/tmp/go go run main.go"),
    Case("go-build", "GOCACHE=/tmp/go go build ./...", folder="/workspace/go"),
    Case("go-test", "GOCACHE=/tmp/go go test ./sums", folder="/workspace/go"),
    Case("sh", "sh sh/run.sh"),
    Case("bash", "bash sh/run.sh"),
    Case(
        "docker",
        "tar -c . | DOCKER_BUILDKIT=0 docker build --network none --file docker/dockerfile -",
        engine=True,
        dockerfile="docker/dockerfile",
    ),
    Case(
        "docker-missing",
        "tar -c . | DOCKER_BUILDKIT=0 docker build --file docker/missing.dockerfile -",
        engine=True,
        dockerfile="docker/missing.dockerfile",
    ),
    Case(
        "docker-unknown",
        "tar -c . | DOCKER_BUILDKIT=0 docker build --file docker/unknown.dockerfile -",
        engine=True,
        dockerfile="docker/unknown.dockerfile",
    ),
    Case(
        "buildkit",
        "tar -c . | DOCKER_BUILDKIT=1 docker build --progress plain --network none "
        "--file docker/dockerfile -",
        "by Docker 20.10, without buildx: no picture of the dockerfile",
        engine=True,
        dockerfile="docker/dockerfile",
    ),
    Case(
        "buildkit-terminal",
        "tar -c . | DOCKER_BUILDKIT=1 docker build --network none --file docker/dockerfile -",
        engine=True,
        terminal=True,
        dockerfile="docker/dockerfile",
    ),
    Case(
        "buildkit-unknown",
        "tar -c . | DOCKER_BUILDKIT=1 docker build --progress plain "
        "--file docker/unknown.dockerfile -",
        engine=True,
        dockerfile="docker/unknown.dockerfile",
    ),
    Case(
        "buildx",
        "docker buildx build --progress plain --network none --file docker/dockerfile .",
        "by Docker 26.1 and buildx 0.13, which show the dockerfile",
        engine=True,
        dockerfile="docker/dockerfile",
    ),
    Case(
        "buildx-missing",
        "docker buildx build --progress plain --file docker/missing.dockerfile .",
        engine=True,
        dockerfile="docker/missing.dockerfile",
    ),
    Case(
        "buildx-unknown",
        "tar -c . | docker buildx build --progress plain --file docker/unknown.dockerfile -",
        engine=True,
        dockerfile="docker/unknown.dockerfile",
    ),
    Case(
        "podman",
        "podman build --network none --file docker/dockerfile .",
        engine=True,
        dockerfile="docker/dockerfile",
    ),
)
