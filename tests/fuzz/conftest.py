"""How many examples, and which: the same ones each time in `make test`, others in `make fuzz`."""

import os
from pathlib import Path

from hypothesis import HealthCheck, configuration, settings

# Hypothesis would keep what it learned beside the sources.
configuration.set_hypothesis_home_dir(str(Path(__file__).parents[2] / ".cache" / "hypothesis"))

_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
settings.register_profile(
    "igor",
    max_examples=_EXAMPLES or 60,
    derandomize=not _EXAMPLES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("igor")
