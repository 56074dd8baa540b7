"""Paterson's benchmark in Flask: one row as JSON.

The sync stack that most people run, and the slowest sync entry but one of his raw data.
"""

from flask import Flask

from paterson.psycopg2_rows import random_row

app = Flask(__name__)


@app.get("/test")
def row() -> dict[str, str]:
    return random_row()
