"""Whether a host works, up to its container engine. Pure."""

from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.doctor.facts import HostFacts, Link, LoginShell, Place, Space, Tools
from igor_core.doctor.sizes import size, span
from igor_core.doctor.versions import RSYNC, dotted, numbers

# A push compares the times of files that the host's programs write with local times.
CLOCK_SECONDS = 2.0
SHELL_SECONDS = 0.3
FREE_BYTES = 10**9
FREE_SHARE = 0.05

NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs")
WITHOUT_MODES = ("vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk")
IN_MEMORY = ("tmpfs", "ramfs")


def link_checks(link: Link) -> list[Check]:
    """The checks of the connection and the clock."""
    what = "round trip" if link.supervised else "a command takes"
    return [ok("ssh", f"logged in as {link.login}; {what} {span(link.rtt)}"), _clock(link)]


def host_checks(facts: HostFacts, link: Link, containers: bool) -> list[Check]:
    """Judge what the script found; `containers` says whether the host builds images."""
    return [
        _login_shell(facts.shell, link),
        _python(facts.tools, link),
        _rsync(facts.tools.rsync),
        _tools(facts.tools, containers),
        *_place(facts.place),
        *_file_system(facts.space),
        space_check("disk", "the code", facts.space),
    ]


def _clock(link: Link) -> Check:
    if link.clock is None:
        return skip("clock", "the host's date prints the time in an unknown form")
    if abs(link.clock) <= CLOCK_SECONDS + link.rtt / 2:
        return ok("clock", "agrees with the local clock")
    way = "ahead of" if link.clock > 0 else "behind"
    return warn(
        "clock",
        f"the host is {span(abs(link.clock))} {way} the local clock, which misleads programs "
        "that compare file times, such as make",
        "set both by NTP: sudo timedatectl set-ntp true",
    )


def _login_shell(shell: LoginShell, link: Link) -> Check:
    remedy = "start the host's ~/.bashrc with: case $- in *i*) ;; *) return;; esac"
    if shell.printed:
        words = " ".join(shell.printed.split())[:60]
        text = f"{shell.program} prints '{words}' before a command's own output"
        if link.supervised:
            return warn("login shell", f"{text}, which breaks rsync, scp and sftp", remedy)
        return fail("login shell", f"{text}, which igor takes for that output", remedy)
    if shell.seconds is not None and shell.seconds > max(SHELL_SECONDS, 2 * link.rtt):
        return warn(
            "login shell",
            f"{shell.program} takes {span(shell.seconds)} to start, so each "
            "new session on the host waits for it",
            remedy,
        )
    return ok("login shell", f"{shell.program} starts quickly and prints nothing")


def _python(tools: Tools, link: Link) -> Check:
    if link.supervised:
        return ok("python3", f"{tools.python}; igor's supervisor runs")
    reason = tools.python if tools.python else "python3 is not installed"
    return warn(
        "python3",
        f"{reason}, so no supervisor runs ({link.why_plain}): each command needs its own ssh "
        "session, and programs may survive a lost connection",
        "install python3 (3.6 or later) on the host",
    )


def _rsync(version: str) -> Check:
    if not version:
        return fail("rsync", "rsync is not installed", "on the host: install the package rsync")
    found = numbers(version)
    if found < RSYNC:
        return fail(
            "rsync",
            f"rsync is {dotted(found) or version}; igor needs "
            f"{dotted(RSYNC)} or later, for times in nanoseconds",
            "on the host: install a newer rsync",
        )
    return ok("rsync", f"rsync {dotted(found)}")


def _tools(tools: Tools, containers: bool) -> Check:
    unfit = list(tools.unfit)
    if containers and "GNU tar" not in tools.tar:
        unfit.append("tar")
    if unfit:
        return fail(
            "tools",
            f"missing, or not GNU's: {', '.join(unfit)}",
            "on the host: install GNU findutils, coreutils and tar",
        )
    return ok("tools", f"GNU find, xargs, sha256sum, stat{', tar' if containers else ''}")


def _place(place: Place) -> list[Check]:
    """The check of the config's `dir`, and of the folders in it if they exist."""
    if place.nearest_kind != "folder":
        return [
            fail(
                "dir",
                f"{place.nearest} is not a folder (a file, or a broken link)",
                'remove it there, or set another "dir" in the config',
            )
        ]
    if place.write_error:
        what = f"{place.path} can't be written"
        if place.dir == "absent":
            what = f"{place.path} does not exist, and {place.nearest} can't be written"
        reason = place.write_error.rpartition(": ")[2]
        return [fail("dir", f"{what}: {reason}", _remedy(reason, place))]
    for path, kind, writable in (
        (place.tree_path, place.tree, place.tree_writable),
        (place.private_path, place.private, place.private_writable),
    ):
        if kind == "other":
            return [fail("dir", f"{path} is not a folder", "move it away")]
        if kind == "folder" and not writable:
            return [
                fail(
                    "dir",
                    f"{path} belongs to another user and can't be written",
                    f"on the host: sudo chown -R $USER {path}",
                )
            ]
    if place.dir == "absent":
        return [ok("dir", f"{place.path} does not exist yet and can be created")]
    return [ok("dir", f"{place.path} exists and is writable")]


def _remedy(reason: str, place: Place) -> str:
    if "No space" in reason or "quota" in reason:
        return "free some space on the host: df -h, df -i, quota"
    if "Read-only" in reason:
        return f'on the host: sudo mount -o remount,rw …, or set another "dir" than {place.path}'
    folder = place.path if place.dir == "folder" else place.nearest
    if place.dir == "absent":
        return f"on the host: sudo mkdir -p {place.path} && sudo chown $USER {place.path}"
    return f'on the host: sudo chown $USER {folder}, or set another "dir" in the config'


def _file_system(space: Space | None) -> list[Check]:
    """Return a check only if there is something to report."""
    if space is None:
        return []
    where = f"{space.mounted_at} is {space.kind}"
    if space.kind in NETWORK:
        return [
            warn(
                "file system",
                f"{where}, a network file system: slow for many small files, "
                "and containers of a root engine may be kept out",
                'prefer a local disk for "dir"',
            )
        ]
    if space.kind in WITHOUT_MODES:
        return [
            warn(
                "file system",
                f"{where}, which keeps no modes, links or exact times",
                'prefer ext4, xfs or btrfs for "dir"',
            )
        ]
    if space.kind in IN_MEMORY:
        return [
            warn(
                "file system",
                f"{where}: in memory, and gone when the host restarts",
                'prefer a disk for "dir"',
            )
        ]
    return [ok("file system", where)]


def space_check(name: str, holds: str, space: Space | None) -> Check:
    """The check of the space for what a file system `holds`, in bytes and files."""
    if space is None or not space.size:
        return skip(name, f"df doesn't tell how much room there is for {holds}")
    left = f"{size(space.free)} of {size(space.size)} are free on {space.mounted_at}, for {holds}"
    remedy = f"make room there: df -h {space.mounted_at}"
    if space.free == 0:
        return fail(name, f"the disk is full: {left}", remedy)
    if space.files and not space.free_files:
        return fail(
            name,
            f"{space.mounted_at} can't hold more files: all {space.files} inodes are taken",
            f"remove small files there: df -i {space.mounted_at}",
        )
    if space.free < FREE_BYTES or space.free < space.size * FREE_SHARE:
        return warn(name, f"only {left}", remedy)
    return ok(name, left)
