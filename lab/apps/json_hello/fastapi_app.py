"""The JSON test in FastAPI.

TechEmpower's answer: one small object, serialised anew for each request.
"""

from fastapi import FastAPI

app = FastAPI()


@app.get("/json")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}
