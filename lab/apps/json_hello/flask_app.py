"""The JSON test in Flask.

TechEmpower's answer: one small object, serialised anew for each request.
"""

from flask import Flask

app = Flask(__name__)


@app.get("/json")
def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}
