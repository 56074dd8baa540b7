"""An application on Corrente's own server: `python corrente_server.py MODULE:NAME PORT`.

ASGI or WSGI, which the server finds out; one process, with the server's defaults.
"""

import importlib
import sys

import corrente

module, name = sys.argv[1].split(":")
application = getattr(importlib.import_module(module), name)
corrente.serve(application, bind=f"127.0.0.1:{sys.argv[2]}")
