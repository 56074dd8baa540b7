"""The Flask program for gunicorn's gevent worker: Psycopg 2 has to be told to yield to the loop.

Needed because libpq waits in C, where gevent's patches do not reach.
"""

from typing import Any

from gevent.socket import wait_read, wait_write
from psycopg2.extensions import POLL_OK, POLL_READ, set_wait_callback

from paterson.flask_app import app as app


def wait(connection: Any) -> None:
    """Waits for the database as gevent does for sockets."""
    while (state := connection.poll()) != POLL_OK:
        (wait_read if state == POLL_READ else wait_write)(connection.fileno())


set_wait_callback(wait)
