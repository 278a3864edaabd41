"""Check and start the debugged program. Runs beside it (3.6)."""

import hashlib
import json
import os
import site
import subprocess
import sys
import sysconfig

from igor_core.remote.debug_helper.env_marks import MARK_GROUP, MARK_ID
from igor_core.remote.debug_helper.folder import HelperRefused

# debugpy leaves its breakpoints in a forked child, where nobody hears of a stop: the child would
# wait for ever. A child that runs a new program (spawn, subprocess) has none.
STARTER = """\
'''Written by igor: run debugpy without stops in children that are not debugged.'''
import os
import sys

set_trace = sys.settrace


def forget_the_debugger():
    import threading

    set_trace(None)
    threading._trace_hook = None
    threading.current_thread().additional_info = None
    monitoring = getattr(sys, "monitoring", None)
    if monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID):
        monitoring.set_events(monitoring.DEBUGGER_ID, 0)
        for name in vars(monitoring.events):
            event = getattr(monitoring.events, name)
            if isinstance(event, int) and event:
                try:
                    monitoring.register_callback(monitoring.DEBUGGER_ID, event, None)
                except ValueError:
                    continue
    constants = sys.modules.get("_pydevd_bundle.pydevd_constants")
    holder = getattr(constants, "GlobalDebuggerHolder", None)
    debugger = getattr(holder, "global_dbg", None)
    if debugger is not None:
        debugger.pydb_disposed = True
        debugger.created_pydb_daemon_threads = {}
        holder.global_dbg = None
    frame = sys._getframe()
    while frame is not None:
        frame.f_trace = None
        frame = frame.f_back


def fork(original=os.fork):
    pid = original()
    if pid == 0:
        forget_the_debugger()
    return pid


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_the_debugger)
else:
    os.fork = fork
del sys.path[0]
from debugpy.server import cli

cli.main()
"""


def own_folder():
    """Return the folder in the home for a debugpy that igor installs for this Python."""
    tag = "%s-%d.%d-%s" % (
        (sys.implementation.name,) + sys.version_info[:2] + (sysconfig.get_platform(),)
    )
    home = os.path.expanduser("~")
    return os.path.join(home, ".cache", "igor", "debugpy", tag)


def debugpy_folder(environment):
    """Return the folder in which the program's Python finds debugpy, "" if nowhere."""
    return folder_of("debugpy", environment)


def folder_of(package, environment):
    """Return the folder in which the program's Python finds a package, "" if nowhere.

    This process is isolated (-I), the program will not be.
    """
    folders = environment.get("PYTHONPATH", "").split(os.pathsep)
    # A virtual environment has no user site.
    has_user = site.ENABLE_USER_SITE is not None and sys.prefix == sys.base_prefix
    user = [site.getusersitepackages()] if has_user else []
    for folder in [each for each in folders if each] + sys.path + user + [own_folder()]:
        if os.path.isfile(os.path.join(folder, package, "__init__.py")):
            return folder
    return ""


def check(options, environment):
    """Raise HelperRefused for what can't work, with a word for each reason."""
    python = "%s (Python %d.%d)" % ((sys.executable,) + sys.version_info[:2])
    if not os.path.isdir(options.cwd or "."):
        raise HelperRefused("cwd", "the working directory %s does not exist" % options.cwd)
    if not debugpy_folder(environment):
        raise HelperRefused("debugpy", "%s has no debugpy" % python, folder=own_folder())
    if options.words[:2] == ["-m", "pytest"] and not folder_of("pytest", environment):
        raise HelperRefused("pytest", "%s has no pytest" % python)
    if options.file and not os.path.isfile(options.file):
        raise HelperRefused("file", "%s does not exist" % options.file)
    if options.file and options.sha256 not in ("", sha256_of(options.file)):
        raise HelperRefused("differs", "%s differs from the local file" % options.file)


def sha256_of(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError as error:
        raise HelperRefused("file", "%s can't be read: %s" % (path, error.strerror))


def environment_of(options):
    environment = dict(os.environ)
    # A command line would show the values to every user of the host.
    environment.update(json.loads(environment.pop("IGOR_DEBUG_ENVIRONMENT", "{}")))
    for pair in options.env:
        name, _, value = pair.partition("=")
        environment[name] = value
    # Inherited from a debugged program, it would keep debugpy from listening.
    environment.pop("DEBUGPY_RUNNING", None)
    return environment


def start(options, folder):
    """Start it under debugpy, which waits for a debugger. Raises OSError."""
    environment = environment_of(options)
    found = debugpy_folder(environment)
    if found == own_folder():
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [known, found]))
    environment.update(
        {
            MARK_GROUP: options.group,
            MARK_ID: options.id,
            "DEBUGPY_ADAPTER_ENDPOINTS": os.path.join(folder, "endpoints"),
            "PYTHONUNBUFFERED": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
    )
    # debugpy has the option since 1.6.7; give it only where it changes something.
    children = [] if options.subprocess else ["--configure-subProcess", "False"]
    starter = os.path.join(folder, "debugpy.py")
    with open(starter, "w") as file:
        file.write(STARTER)
    what = ["-m", "debugpy"] if options.subprocess else [starter]
    command = [sys.executable, "-Xfrozen_modules=off"] + what
    command += ["--listen", "127.0.0.1:0", "--wait-for-client"] + children
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command + options.words,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=options.cwd or None,
        env=environment,
        start_new_session=True,
        bufsize=0,
    )


def port_of(folder):
    """Return the port on which debugpy reports to listen, 0 before that."""
    try:
        with open(os.path.join(folder, "endpoints")) as file:
            return int(json.load(file)["client"]["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def install():
    """Install debugpy into igor's own folder; return pip's exit status, 127 without pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command += ["--no-input", "--no-deps", "--target", own_folder(), "debugpy"]
    if subprocess.call(command[:3] + ["--version"], stdout=subprocess.DEVNULL) != 0:
        return 127
    return subprocess.call(command)
