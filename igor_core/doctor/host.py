"""Is a host in order, up to its container engine? Pure."""

from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.doctor.host_facts import HostFacts, HostLink, Space, count, space
from igor_core.doctor.versions import RSYNC, dotted, numbers
from igor_core.quantities import size

SLOW_SHELL = 300  # milliseconds
FREE_BYTES = 10**9
FREE_SHARE = 0.05

_NETWORK = (
    "a network file system: slow for many small files, and root in a container may be kept out",
    'use a local disk for "dir"',
)
_WITHOUT_MODES = (
    "which keeps no modes, links or exact times",
    'use ext4, xfs or btrfs for "dir"',
)
_IN_MEMORY = ("which is in memory, and gone when the host restarts", 'use a disk for "dir"')
UNSUITABLE = {
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph"), _NETWORK),
    **dict.fromkeys(("fuse.sshfs", "glusterfs"), _NETWORK),
    **dict.fromkeys(("vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk"), _WITHOUT_MODES),
    **dict.fromkeys(("tmpfs", "ramfs"), _IN_MEMORY),
}


def host_checks(
    facts: HostFacts, link: HostLink, base: str, *, containers: bool, by_rsync: bool
) -> list[Check]:
    """Judge what the script found.

    `base` is the config's `dir` on the host; `containers` whether images are built there,
    `by_rsync` whether the config asks for rsync. A host without a supervisor needs it too.
    """
    by_rsync = by_rsync or not link.supervised
    return [
        ok("ssh", f"logged in as {link.login}; round trip {link.round_trip * 1000:.1f} ms"),
        _login_shell(facts, link),
        _python(facts, link),
        *([_rsync(facts.rsync)] if by_rsync else []),
        *_tools(facts, containers=containers, by_rsync=by_rsync),
        _dir(facts, base),
        *_file_system(space(facts.space)),
        space_check("disk", space(facts.space)),
    ]


def _login_shell(facts: HostFacts, link: HostLink) -> Check:
    remedy = "begin ~/.bashrc on the host with: case $- in *i*) ;; *) return;; esac"
    if facts.shell_output:
        words = " ".join(facts.shell_output.split())[:60]
        text = f"{facts.shell} prints '{words}' before a command's own output"
        if link.supervised:
            return warn("login shell", f"{text}, which breaks rsync, scp and sftp", remedy)
        return fail("login shell", f"{text}, and igor takes it for that output", remedy)
    took = count(facts.shell_milliseconds)
    if took > max(SLOW_SHELL, 2000 * link.round_trip):
        text = f"{facts.shell} takes {took / 1000:.1f} s to start, which delays each new session"
        return warn("login shell", text, remedy)
    return ok("login shell", f"{facts.shell} starts quickly and prints nothing")


def _python(facts: HostFacts, link: HostLink) -> Check:
    if link.supervised:
        return ok("python3", f"{facts.python3}; igor's supervisor runs")
    return warn(
        "python3",
        f"{facts.python3 or 'python3 is not installed'}, and igor's supervisor does not run "
        f"({link.why_plain}): each command takes an ssh session of its own, and a program that "
        "igor started may outlive a lost connection",
        "install python3 (3.6 or later) on the host",
    )


def _rsync(version: str) -> Check:
    remedy = "install the package rsync on the host"
    if not version:
        return fail("rsync", "rsync is not installed on the host", remedy)
    found = numbers(version)
    if found < RSYNC:
        # Older ones compare times in whole seconds.
        text = f"the host has {dotted(found) or version}; igor needs {dotted(RSYNC)} or later"
        return fail("rsync", text, remedy)
    return ok("rsync", f"rsync {dotted(found)}")


def _tools(facts: HostFacts, *, containers: bool, by_rsync: bool) -> list[Check]:
    """GNU's programs, as far as this host needs them."""
    needed = ["find", "xargs"] if by_rsync else []
    needed += ["sha256sum", "stat"] if containers or by_rsync else []
    needed += ["tar"] if containers else []
    unfit = [name for name in needed if name in facts.unfit.split()]
    if unfit:
        return [
            fail(
                "tools",
                f"missing on the host, or not GNU's: {', '.join(unfit)}",
                "install GNU's findutils, coreutils and tar on the host",
            )
        ]
    return [ok("tools", f"GNU {', '.join(needed)}")] if needed else []


def _dir(facts: HostFacts, base: str) -> Check:
    """The config's `dir`, and the folders in it that are there already."""
    missing = facts.nearest != base
    other = 'or set another "dir" in the config'
    if facts.not_folder or not facts.nearest:
        path = facts.not_folder or base
        return fail("dir", f"{path} is not a folder", f"on the host, move it away, {other}")
    if facts.write_error:
        reason = facts.write_error.rpartition(": ")[2]
        text = f"can't write in {facts.nearest}: {reason}"
        text = f"{base} does not exist, and igor {text}" if missing else text
        return fail("dir", text, _remedy(reason, facts.nearest, base))
    if facts.not_writable:
        path = facts.not_writable
        remedy = f"on the host: sudo chown -R $USER {path}"
        return fail("dir", f"{path} belongs to another user, and igor can't write in it", remedy)
    return ok(
        "dir", f"{base} {'does not exist yet; igor can make it' if missing else 'is writable'}"
    )


def _remedy(reason: str, nearest: str, base: str) -> str:
    if "No space" in reason or "quota" in reason:
        return "free disk space on the host: df -h, df -i, quota"
    if "Read-only" in reason:
        return f'on the host, mount it read-write, or set another "dir" than {base}'
    make = f"sudo mkdir -p {base} && " if nearest != base else ""
    return f'on the host: {make}sudo chown $USER {base}; or set another "dir" in the config'


def _file_system(of: Space | None) -> list[Check]:
    """A warning about a file system that doesn't suit `dir`."""
    if of is None or of.kind not in UNSUITABLE:
        return []
    why, remedy = UNSUITABLE[of.kind]
    return [warn("file system", f"{of.mounted_at} is {of.kind}, {why}", remedy)]


def space_check(name: str, of: Space | None) -> Check:
    """Whether a file system has room, in bytes and in files."""
    if of is None or not of.size:
        return skip(name, "df on the host does not tell how much room there is")
    left = f"{size(of.free)} of {size(of.size)} free on {of.mounted_at} ({of.kind})"
    remedy = f"free disk space on the host: df -h {of.mounted_at}"
    if of.free == 0:
        return fail(name, f"the disk is full: {left}", remedy)
    if of.files and not of.free_files:
        text = f"{of.mounted_at} can hold no more files: all {of.files} inodes are in use"
        return fail(name, text, f"remove files on the host: df -i {of.mounted_at}")
    if of.free < FREE_BYTES or of.free < of.size * FREE_SHARE:
        return warn(name, f"only {left}", remedy)
    return ok(name, left)
