"""A web program that gives every chat its turn at once, however many replies of its owner are running."""

import sys

from tests.faults.naive import rewrite

rewrite("shared.actions.queue.dispatch", 'bindparam("most") - _turns.c.taken', 'bindparam("most") + _turns.c.taken')

from gunicorn.app.wsgiapp import run  # noqa: E402

if __name__ == "__main__":
    sys.argv[1:] = ["--config", "python:api.gunicorn", "api.app:create_app()"]
    run()
