"""A web program that shows another version of a reply, and hides none of the others."""

import sys

from tests.faults.naive import rewrite

rewrite("shared.actions.messages.accept", "set_shown(unit, hide=stored.replaces)", "set_shown(unit)")

from api.web import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
