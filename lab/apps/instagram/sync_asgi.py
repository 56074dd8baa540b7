"""The Django view unchanged, under an ASGI server: the step that changes the server alone.

As many threads (LAB_THREADS) as under gunicorn's gthread worker.
"""

from a2wsgi import WSGIMiddleware

from instagram.sync_app import application as django_application
from workload import setting

application = WSGIMiddleware(django_application, workers=setting("THREADS", 16))
