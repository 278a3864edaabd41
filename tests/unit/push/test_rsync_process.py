"""What igor makes of rsync's words."""

from pathlib import Path

import pytest

from igor_core.push.transport.rsync.output import RsyncOutput, failure
from igor_core.push.transport.rsync.process import arguments, environment


def said(remote: str = "", local: str = "", **known: object) -> RsyncOutput:
    return RsyncOutput([local.encode()], [remote.encode()], **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "words", "message"),
    [
        (12, said(lost=True, remote_status=255),
         "the connection to apollo was lost during the push"),
        (127, said("env: 'rsync': No such file or directory", remote_status=127),
         "apollo has no rsync"),
        (12, said("rsync: -@-1: unknown option", remote_status=1), "rsync on apollo is too old"),
        (1, said(local="rsync: --info=progress2: unknown option"),
         "rsync on this machine is too old"),
        (2, said(local="protocol version mismatch -- is your shell clean?", remote_status=12),
         "apollo: the login shell prints something before rsync starts"),
        (11, said('rsync: [receiver] write failed on "/x/a: b": No space left on device (28)\n'
                  "rsync error: error in file IO (code 11) at receiver.c(380)", remote_status=11),
         "apollo: rsync failed: No space left on device"),
        (-9, said(remote_status=12), "apollo: rsync failed: ended by signal 9"),
        (13, said(remote_status=0), "apollo: rsync failed: status 13"),
    ],
)  # fmt: skip
def test_a_failed_transfer_is_one_sentence(status: int, words: RsyncOutput, message: str) -> None:
    assert failure("apollo", status, words).message == message


def test_no_variable_of_rsync_s_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSYNC_ICONV", "utf8,latin1")
    given = environment(7)
    assert (given["IGOR_RSYNC_FD"], given["LC_ALL"]) == ("7", "C")
    assert "RSYNC_ICONV" not in given


def test_no_word_of_the_command_line_is_for_a_shell() -> None:
    words = arguments(Path("/a b"), "/tmp 'y'")
    assert words[-2:] == ["/a b/", "igor:./"]
    assert words[-3] == "--"
    assert "-s" in words
    assert "--temp-dir=/tmp 'y'" in words
