"""A Flask service that waits for a database and for HTTP, and computes."""

from __future__ import annotations

import http.client
import os
import threading
import time

import psycopg2
from flask import Flask

HTTP_PORT = int(os.environ["HTTP_PORT"])
SQL_PORT = int(os.environ["SQL_PORT"])

app = Flask(__name__)
of_thread = threading.local()


def compute(milliseconds: float) -> None:
    """Use the processor for so long."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        sum(range(200))


def query(milliseconds: float) -> None:
    """Ask the database something that takes so long."""
    if not hasattr(of_thread, "database"):
        of_thread.database = psycopg2.connect(
            host="127.0.0.1", port=SQL_PORT, user="shop", dbname="shop", sslmode="disable"
        )
    with of_thread.database.cursor() as cursor:
        cursor.execute(f"SELECT pg_sleep({milliseconds / 1000})")
        cursor.fetchall()


def fetch(milliseconds: float) -> None:
    """Ask another service something that takes so long."""
    if not hasattr(of_thread, "client"):
        of_thread.client = http.client.HTTPConnection("127.0.0.1", HTTP_PORT)
    of_thread.client.request("GET", f"/{milliseconds}")
    of_thread.client.getresponse().read()


@app.get("/sql")
def sql() -> str:
    """Five queries in a row, with work between."""
    for _ in range(5):
        query(4)
        compute(0.4)
    return "ok"


@app.get("/web")
def web() -> str:
    """One call of another service."""
    fetch(20)
    compute(1)
    return "ok"


@app.get("/work")
def work() -> str:
    """Nothing but work."""
    compute(6)
    return "ok"
