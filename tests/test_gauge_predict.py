"""`corrente gauge predict`: from a service under Gunicorn to a verdict; and bad input."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gauge_service import Service, python
from test_gauge_report import RECORDING, write

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Corrente

FLASK = """
import http.client, os, socketserver, threading, time
from flask import Flask

class Slow(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        time.sleep(0.04)
        head = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close"
        self.wfile.write(head + b"\\r\\n\\r\\nok")

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

app = Flask(__name__)
origin = None

def asked():
    global origin
    if origin is None:
        origin = Server(("127.0.0.1", 0), Slow)
        threading.Thread(target=origin.serve_forever, daemon=True).start()
    client = http.client.HTTPConnection("127.0.0.1", origin.server_address[1])
    client.request("GET", "/")
    body = client.getresponse().read()
    client.close()
    return body.decode()

@app.get("/wait/<int:number>")
def wait(number):
    return asked()
"""

GUNICORN = python("-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket")
#: Above the least number that is predicted from.
REQUESTS = 240


def test_a_service_that_waits_gets_its_verdict(service: Service, corrente: Corrente) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "--workers", "2", "service:app")
    with ThreadPoolExecutor(4) as users:
        answers = list(users.map(lambda number: service.ask(f"/wait/{number}"), range(REQUESTS)))
    assert {status for status, _ in answers} == {200}
    service.asked = len(answers)
    service.recording()
    assert "Verdict:" in service.errors.read_text(encoding="utf-8")
    done = corrente("gauge", "predict", str(service.out), "--cores", "2", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "corrente.prediction/1"
    assert report["from"]["server"] == "gunicorn sync"
    assert report["from"]["framework"] == "Flask"
    assert report["to"] == {
        "server": "uvicorn",
        "framework": "Starlette",
        "drivers": ["aiohttp"],
    }
    # Two workers wait 40 ms and more for each request; threads or loops would not.
    assert report["judgement"]["verdict"] in ("tune", "migrate")
    # The speed of the machine is in the recording.
    assert "unknown_speed" not in {one["code"] for one in report["assumptions"]}
    before, gain = report["before"], report["gain"]
    assert before["setting"]["workers"] == 2
    assert before["limit"] == {"code": "workers"}
    assert 15 < before["throughput_per_s"]["estimate"] < 50
    assert 2 < gain["low"] < gain["estimate"] < gain["high"]
    (endpoint,) = report["endpoints"]
    assert endpoint["name"] == "GET /wait/<int:number>"
    figures = json.loads(corrente("gauge", "report", str(service.out), "--json").stdout)
    assert figures["prediction"]["judgement"]["verdict"] == report["judgement"]["verdict"]
    text = corrente("gauge", "report", str(service.out), "--lang", "en").stdout
    assert "GET /wait/<int:number>" in text
    assert "Verdict:" in text
    assert all(len(line) <= 80 for line in text.splitlines()), text
    counts = [point["users"] for point in report["curves"]["throughput"]]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, report["users"])
    place = service.out.with_suffix(".html")
    done = corrente("gauge", "predict", str(service.out), "--html", str(place), "--lang", "it")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    page = place.read_text(encoding="utf-8")
    assert '<html lang="it">' in page
    assert page.count("<svg") == 3
    assert "GET /wait/&lt;int:number&gt;" in page


def test_too_few_requests_are_one_line_and_exit_code_1(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "predict", file)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "198 more" in line
    done = corrente("gauge", "predict", file, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["judgement"] == {
        "verdict": "cannot_tell",
        "reason": {"code": "few_requests", "requests": 2, "more": 198},
    }


def test_one_request_is_too_few(corrente: Corrente, tmp_path: Path) -> None:
    one = json.loads(json.dumps(RECORDING))
    (endpoint,) = one["endpoints"]
    endpoint["requests"] = 1
    done = corrente("gauge", "predict", write(tmp_path, "a.json", json.dumps(one)))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "199 more" in line


def test_too_few_requests_still_are_a_page(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "predict", file, "--html", "a.html", "--lang", "en")
    assert (done.returncode, done.stdout) == (1, "")
    assert "198 more" in done.stderr.splitlines()[-1]
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "record at least 198 more" in page


def test_no_request_is_one_line_and_exit_code_1(corrente: Corrente, tmp_path: Path) -> None:
    empty = json.dumps(RECORDING | {"endpoints": []})
    done = corrente("gauge", "predict", write(tmp_path, "a.json", empty))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "no request is recorded" in line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--cores", "0"], "--cores: expected a number above zero"),
        (["--cores", "-1"], "--cores: expected a number above zero"),
        (["--workers", "0"], "--workers"),
        (["--pool", "0"], "--pool"),
        (["--rate", "nan"], "--rate"),
        (["--to", "twisted"], "starlette"),
        (["--threads", "many"], "--threads"),
    ],
)
def test_a_number_that_cannot_be_is_one_line_and_exit_code_2(
    corrente: Corrente, tmp_path: Path, words: list[str], expected: str
) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "predict", file, *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert expected in line


def test_a_foreign_file_is_one_line_and_exit_code_2(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", '{"schema": "corrente.load/1"}')
    done = corrente("gauge", "predict", file)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "found `corrente.load/1`" in line


def test_the_help_has_an_example(corrente: Corrente) -> None:
    done = corrente("gauge", "predict", "--help")
    assert done.returncode == 0
    assert "corrente gauge predict gauge.json" in done.stdout
    assert "--html gauge.html" in done.stdout
