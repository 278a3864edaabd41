"""The save path measured side by side with its peers, on lab hosts near and far: `make bench`.

REPLs have a program of their own: `python -m tests.bench.repl`.
"""


class BenchError(Exception):
    """The benchmark can't go on, or one of its contestants can't; one sentence says why."""
