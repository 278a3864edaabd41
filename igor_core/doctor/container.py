"""Are the project's own image and container in order? Pure."""

from typing import NamedTuple

from igor_core.container.image import plan_image
from igor_core.container.inspection import Inspection
from igor_core.container.plan import plan_container
from igor_core.container.spec import Spec
from igor_core.container.stamp import Inputs
from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.errors import IgorError
from igor_core.runtime import Runtime

SETUP = "igor docker setup"


class ContainerState(NamedTuple):
    """What there is to say, and whether commands can run in the container."""

    checks: tuple[Check, ...]
    runs: bool = False


def container_state(
    inspection: Inspection, spec: Spec, runtime: Runtime, inputs: Inputs | None
) -> ContainerState:
    """Judge what the engine has; `inputs` are what the image is made from, if known."""
    image = _image(inspection, spec, inputs)
    name = spec.owner.container
    try:
        plan = plan_container(inspection, spec, runtime)
    except IgorError as error:
        return ContainerState((image, fail("container", error.message, error.hint)))
    if plan.action == "create":
        check = skip("container", f"{name} does not exist yet", f"create it: {SETUP}")
    elif plan.action == "replace":
        check = warn("container", f"{name} is out of date: {plan.reason}", f"replace it: {SETUP}")
    elif plan.action == "start":
        check = warn("container", f"{name} does not run: {plan.reason}", f"start it: {SETUP}")
    elif not plan.usable:
        check = warn("container", f"{name} keeps restarting", f"{runtime.word} logs {name}")
    else:
        check = ok("container", f"{name} runs")
    return ContainerState((image, check), plan.usable)


def _image(inspection: Inspection, spec: Spec, inputs: Inputs | None) -> Check:
    name = spec.owner.image
    if inspection.image is None:
        return skip("image", f"{name} does not exist yet", f"build it: {SETUP}")
    if inputs is None:
        return skip("image", f"{name} exists; without the dockerfile its age can't be judged")
    try:
        plan = plan_image(inspection.image, inputs, spec.owner)
    except IgorError as error:
        return fail("image", error.message, error.hint)
    if plan.action != "keep":
        return warn("image", f"{name} is out of date: {plan.reason}", f"build it again: {SETUP}")
    return ok("image", f"{name} is up to date")
