"""A sweeper that never sweeps: what is handed over after the commit is all there is."""

import sys

from tests.faults.naive import replace
from workers import sweeper

replace(sweeper, "sweep", lambda rescuing: True)

if __name__ == "__main__":
    sys.exit(sweeper.main())
