"""Which files of the project a command line names."""

import pytest

from igor_core.verbs.steps.named_files import named_files

ROOTS = ("/workspace", "/home/me/dev/proj")


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["python", "train.py"], b"train.py"),
        (["python", "./src/../train.py", "--lr", "1"], b"train.py"),
        (["python", "/workspace/src/train.py"], b"src/train.py"),
        (["/home/me/dev/proj/run.sh"], b"run.sh"),
        (["python", "-m", "pkg.train"], b"pkg/train.py"),
        (["python", "-m", "pkg"], b"pkg/__main__.py"),
        (["pytest", "tests/test_a.py::test_b"], b"tests/test_a.py"),
        (["sh", "-c", "cd src && python 'my file.py'"], b"my file.py"),
        (["sh", "-c", "echo it's; python train.py"], b"train.py"),
        (["python", "caf\udce9.py"], b"caf\xe9.py"),
    ],
)
def test_a_command_line_names_a_file(argv: list[str], named: bytes) -> None:
    assert named in named_files(argv, ROOTS)


@pytest.mark.parametrize(
    "argv", [["python", "/opt/train.py"], ["python", "/workspace-old/train.py"], ["ls"]]
)
def test_a_command_line_names_no_file_of_the_project(argv: list[str]) -> None:
    assert b"train.py" not in named_files(argv, ROOTS)
