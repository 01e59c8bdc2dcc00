"""A web program that charges for any text of a stopped reply, even if all of it was paid for before."""

import sys

from tests.faults.naive import rewrite

rewrite("shared.actions.replies.stop", "shows_nothing(kept.text[reply.kept :])", "shows_nothing(kept.text)")

from api.web import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
