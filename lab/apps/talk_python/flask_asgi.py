"""The Flask page unchanged, under an ASGI server: the step that changes the server alone.

As many threads (LAB_THREADS) as under gunicorn's gthread worker.
"""

from a2wsgi import WSGIMiddleware

from talk_python.flask_app import app as flask_app
from workload import setting

app = WSGIMiddleware(flask_app, workers=setting("THREADS", 16))
