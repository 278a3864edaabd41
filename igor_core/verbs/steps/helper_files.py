"""Igor's own files on a host are as they are here: what an editor starts there without igor."""

from igor_core.container.run_folder import differing, run_files, write
from igor_core.debug.launch import HELPER
from igor_core.debug.processes.probe import REGISTRATION, registration_source
from igor_core.paths import DEBUG_HELPER, HostPaths
from igor_core.verbs.steps.targets import Target


async def renew_run_folder(target: Target, paths: HostPaths) -> None:
    """One round trip where they are, to be made beside another; two where they are not."""
    of_debugging = {
        DEBUG_HELPER: HELPER.file.encode(),
        REGISTRATION: registration_source(),
    }
    files = run_files(of_debugging)
    names = await differing(target.remote, paths.run, files)
    if names:
        await write(target.remote, paths.run, files, names)
