"""`python -m igor_core.cli`: the same as the command `igor`."""

import sys

from igor_core.cli.entry import main

sys.exit(main())
