"""`corrente serve` before it serves: settings, and what is said when they are wrong."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from conftest import Corrente


def test_says_what_is_set_and_where_it_was_written(
    corrente: Corrente, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[serve]\nworkers = 2\nthreads = 3\nbacklog = 16\n"
    (tmp_path / "corrente.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("CORRENTE_THREADS", "4")
    done = corrente("serve", "shop:app", "--backlog", "32", "--show-config", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    settings = json.loads(done.stdout)["settings"]
    assert settings["app"] == {"value": "shop:app", "source": {"kind": "flag", "flag": "TARGET"}}
    assert settings["workers"]["value"] == 2
    assert settings["workers"]["source"]["path"] == "corrente.toml"
    assert settings["threads"]["source"] == {
        "kind": "environment",
        "variable": "CORRENTE_THREADS",
    }
    assert settings["backlog"]["value"] == 32
    assert settings["idle-timeout"] == {"value": 75.0, "source": {"kind": "default"}}


def test_says_it_to_people_too(corrente: Corrente) -> None:
    done = corrente("serve", "--show-config", "--reload", "--workers=auto")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["workers", "auto", "--workers"] in lines
    assert ["reload", "on", "--reload"] in lines
    assert ["idle-timeout", "75s", "default"] in lines


def test_every_mistake_is_a_line_and_exit_code_2(corrente: Corrente, tmp_path: Path) -> None:
    (tmp_path / "corrente.toml").write_text("[serve]\nworker = 2\n", encoding="utf-8")
    done = corrente("serve", "shop", "--workers", "many")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "corrente: corrente.toml: [serve] has no setting `worker`; did you mean `workers`?",
        "corrente: TARGET: expected `MODULE:ATTRIBUTE`, such as `shop:app`, found `shop`",
        "corrente: --workers: expected a whole number from 1 to 1024 or `auto`, found `many`",
    ]


def test_a_number_below_what_is_taken_is_told_as_one(corrente: Corrente) -> None:
    for flag in ("--workers", "--backlog", "--idle-timeout"):
        done = corrente("serve", "shop:app", flag, "-1")
        assert done.returncode == 2
        assert done.stderr.startswith(f"corrente: {flag}: expected a ")
        assert done.stderr.endswith(", found `-1`\n")


def test_without_an_application_it_says_how_to_name_one(corrente: Corrente) -> None:
    done = corrente("serve")
    assert done.returncode == 2
    assert "corrente serve shop:app" in done.stderr


def test_a_port_in_use_is_told_with_its_holder(corrente: Corrente) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = corrente("serve", "shop:app", "--bind", place)
    assert done.returncode == 3
    assert f"{place} is in use by process" in done.stderr
    assert len(done.stderr.splitlines()) == 1
