"""setup keeps igor's own files on a host as they are here."""

from pathlib import Path

from igor_core.debug.launch import HELPER
from tests.lab import Host
from tests.support.following import FollowedProject


def test_setup_writes_igors_own_files_and_again_only_what_differs(
    plain_host: Host, ssh_home: Path, home: Path
) -> None:
    project = FollowedProject(home / "project", [plain_host], push_on_write=False)
    project.write("main.py")
    assert project.call("setup")["status"] == 0
    folder = plain_host.path("dev/.igor-host/run")
    helper, python = folder / "debug_helper.py", folder / "python.sh"
    assert helper.read_text() == HELPER.file
    before = [path.stat().st_ino for path in (helper, python)]
    assert project.call("setup")["status"] == 0
    assert [path.stat().st_ino for path in (helper, python)] == before
    helper.write_text("of another igor")
    assert project.call("setup")["status"] == 0
    assert helper.read_text() == HELPER.file
    assert python.stat().st_ino == before[1]
    names = {"debug_helper.py", "python.sh", "sitecustomize.py"}
    assert {path.name for path in folder.iterdir()} == names
