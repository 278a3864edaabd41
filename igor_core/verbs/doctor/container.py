"""doctor's checks of the project's image and container on a host."""

from igor_core.container.image import plan_image
from igor_core.container.inspection import Inspection
from igor_core.container.plan import plan_container
from igor_core.container.spec import Spec
from igor_core.doctor.check import Check, fail, ok, skip, warn
from igor_core.environment import ContainerEnvironment
from igor_core.errors import IgorError
from igor_core.runtime import Runtime
from igor_core.verbs.doctor.project import Material

SETUP = "igor docker setup"


async def container_checks(environment: ContainerEnvironment, material: Material) -> list[Check]:
    """Whether image and container exist, run and are up to date. One round trip."""
    try:
        spec = environment.spec
        inspection = await environment.inspect()
    except IgorError as error:
        return [fail("container", error.message, error.hint)]
    return [_image(inspection, spec, material), _container(inspection, spec, environment.runtime)]


def _image(inspection: Inspection, spec: Spec, material: Material) -> Check:
    name = spec.owner.image
    if inspection.image is None:
        return skip("image", f"{name} does not exist yet", f"build it with: {SETUP}")
    if material.inputs is None:
        return skip(
            "image", f"{name} exists; without a dockerfile igor can't tell whether it is up to date"
        )
    try:
        plan = plan_image(inspection.image, material.inputs, spec.owner)
    except IgorError as error:
        return fail("image", error.message, error.hint)
    if plan.build:
        return warn("image", f"{name} is old ({plan.text})", f"renew it: {SETUP}")
    return ok("image", f"{name} is up to date")


def _container(inspection: Inspection, spec: Spec, runtime: Runtime) -> Check:
    name = spec.owner.container
    try:
        plan = plan_container(inspection, spec, runtime)
    except IgorError as error:
        return fail("container", error.message, error.hint)
    if plan.action == "create":
        return skip("container", f"{name} does not exist yet", f"create it with: {SETUP}")
    if plan.action == "replace":
        return warn("container", f"{name} is old ({plan.reason})", f"renew it: {SETUP}")
    if plan.action == "start":
        return warn("container", f"{name} does not run: {plan.reason}", f"start it: {SETUP}")
    if not plan.usable:
        return warn("container", f"{name} keeps restarting", f"{runtime.word} logs {name}")
    return ok("container", f"{name} runs")
