"""The Flask search unchanged, under an ASGI server: the step that changes the server alone.

As many threads (LAB_THREADS) as under gunicorn's gthread worker.
"""

from a2wsgi import WSGIMiddleware

from super.flask_app import app as flask_app
from workload import setting

app = WSGIMiddleware(flask_app, workers=setting("THREADS", 24))
