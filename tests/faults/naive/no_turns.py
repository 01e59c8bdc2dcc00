"""A web program that gives every chat its turn at once, however many replies of its owner are running."""

import sys

from tests.faults.naive import rewrite

rewrite("shared.actions.queue.dispatch", 'bindparam("most") - _turns.c.taken', 'bindparam("most") + _turns.c.taken')

from api.web import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
