"""`corrente gauge import`: OpenTelemetry spans as a recording, and files that hold none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Corrente

SERVER, CLIENT = 2, 3
START = 1_700_000_000_000_000_000
ROUTE = {"http.request.method": "GET", "http.route": "/orders/{id}", "url.path": "/orders/7"}
DATABASE = {"db.system.name": "postgresql", "server.address": "db", "db.query.text": "SELECT 1"}


def span(
    number: int, parent: int, kind: int, ms: tuple[int, int], attributes: dict[str, str]
) -> dict[str, Any]:
    """Give a span as the exporter writes it; its trace is that of its thousands."""
    return {
        "traceId": f"{number // 1000 + 1:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": "GET /orders/{id}",
        "kind": kind,
        "startTimeUnixNano": str(START + ms[0] * 1_000_000),
        "endTimeUnixNano": str(START + ms[1] * 1_000_000),
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
        ],
    }


def document(*spans: dict[str, Any], service: str = "shop") -> str:
    """Give a document with the spans of one service."""
    name = {"key": "service.name", "value": {"stringValue": service}}
    scope = {"name": "opentelemetry.instrumentation.flask"}
    return json.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": [name]},
                    "scopeSpans": [{"scope": scope, "spans": list(spans)}],
                }
            ]
        }
    )


#: A request of 100 ms that waits for its database for 60.
REQUEST = (
    span(1, 0, SERVER, (0, 100), ROUTE),
    span(2, 1, CLIENT, (10, 70), DATABASE),
)


def write(folder: Path, name: str, text: str) -> str:
    """Write a file and give its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_spans_become_a_recording(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "spans.json", document(*REQUEST))
    done = corrente("gauge", "import", file, "--out", "shop.json", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    (orders,) = figures["endpoints"]
    assert (orders["name"], orders["requests"]) == ("GET /orders/{id}", 1)
    assert orders["wall"]["mean_ms"] == pytest.approx(100)
    assert orders["cpu"] is None
    (calls,) = orders["calls"]
    assert (calls["resource"]["kind"], calls["resource"]["host"]) == ("database", "db")
    assert calls["wait_ms"] == pytest.approx(60)
    text = (tmp_path / "shop.json").read_text(encoding="utf-8")
    assert json.loads(text)["processes"][0]["source"] == "traces"
    assert "SELECT" not in text
    assert "/orders/7" not in text
    shown = corrente("gauge", "report", "shop.json", "--lang", "en")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "cpu_time" in shown.stdout


def test_a_document_a_line_and_a_trace_over_two_files(corrente: Corrente, tmp_path: Path) -> None:
    request, call = REQUEST
    other = span(1001, 0, SERVER, (200, 250), ROUTE)
    first = write(tmp_path, "a.jsonl", f"{document(request)}\n{document(other)}\n")
    second = write(tmp_path, "b.jsonl", f"{document(call)}\n")
    done = corrente("gauge", "import", first, second, "--json")
    (orders,) = json.loads(done.stdout)["endpoints"]
    assert orders["requests"] == 2
    assert orders["in_calls_ms"] == pytest.approx(30)
    assert (tmp_path / "gauge.json").is_file()


def test_one_service_of_several_is_chosen(corrente: Corrente, tmp_path: Path) -> None:
    other = document(span(9, 0, SERVER, (0, 30), ROUTE), service="stock")
    file = write(tmp_path, "a.jsonl", f"{document(*REQUEST)}\n{other}\n")
    refused = corrente("gauge", "import", file)
    assert refused.returncode == 2
    assert "requests of 2 services: shop, stock; choose one with `--service`" in refused.stderr
    done = corrente("gauge", "import", file, "--service", "stock", "--json")
    (orders,) = json.loads(done.stdout)["endpoints"]
    assert orders["wall"]["mean_ms"] == pytest.approx(30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("\n\x10\x01", "document 1 is no text: OTLP as protobuf, or compressed"),
        ("hello", "line 1, column 1: expected value"),
        (document(*REQUEST)[:-30], "line 1: the file ends in the middle of a document"),
        ('{"resourceMetrics": []}', "document 1 is OTLP metrics"),
        ('[{"traceId": "1"}]', "document 1 is a JSON array, as Zipkin has it"),
        ('{"schema": "corrente.recording/1"}', "a document of Corrente's own"),
        (document(), "no request among 0 spans"),
        (document(REQUEST[1]), "no request among 1 spans"),
        (f"{document(*REQUEST)}\n{{}}", "document 2 is JSON of another kind"),
    ],
)
def test_a_bad_file_is_one_line_and_nothing_is_written(
    corrente: Corrente, tmp_path: Path, text: str, expected: str
) -> None:
    file = write(tmp_path, "bad.json", text)
    done = corrente("gauge", "import", file, "--out", "out.json")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert file in line
    assert expected in line
    assert [path.name for path in tmp_path.iterdir()] == ["bad.json"]


def test_a_file_that_is_not_there(corrente: Corrente, tmp_path: Path) -> None:
    done = corrente("gauge", "import", str(tmp_path / "none.json"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.json: cannot be read: No such file" in done.stderr


def test_a_place_that_is_not_there(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", document(*REQUEST))
    done = corrente("gauge", "import", file, "--out", "missing/out.json")
    assert done.returncode == 2
    assert "its folder is missing" in done.stderr
