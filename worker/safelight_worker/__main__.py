"""`python -m safelight_worker`."""

import sys

from safelight_worker.cli import main

if __name__ == "__main__":
    sys.exit(main())
