"""Programs that a loop starts: real pipes, their end, any number at once."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Loop, run

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPE = asyncio.subprocess.PIPE
PYTHON = sys.executable


@pytest.fixture(autouse=True)
def watched(loop: Loop) -> Iterator[None]:
    """Have children watched for this loop, as `asyncio.run` does up to Python 3.13."""
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)


def test_a_program_is_talked_with(loop: Loop) -> None:
    async def main() -> tuple[bytes, bytes, int | None]:
        script = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('e')"
        process = await asyncio.create_subprocess_exec(
            PYTHON, "-c", script, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        out, error = await process.communicate(b"x" * 300_000)
        return out, error, process.returncode

    assert run(loop, main()) == (b"X" * 300_000, b"e", 0)


def test_a_shell_runs_a_line(loop: Loop) -> None:
    async def main() -> bytes:
        process = await asyncio.create_subprocess_shell("echo $((6 * 7))", stdout=PIPE)
        out, _ = await process.communicate()
        return out

    assert run(loop, main()) == b"42\n"


def test_the_exit_code_or_the_signal_is_known(loop: Loop) -> None:
    async def main() -> list[int]:
        codes = []
        process = await asyncio.create_subprocess_exec(PYTHON, "-c", "raise SystemExit(7)")
        codes.append(await process.wait())
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        process.send_signal(signal.SIGTERM)
        codes.append(await process.wait())
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        process.kill()
        codes.append(await process.wait())
        with pytest.raises(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        return codes

    assert run(loop, main()) == [7, -signal.SIGTERM, -signal.SIGKILL]


def test_a_program_that_is_not_there_is_told(loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await asyncio.create_subprocess_exec("/no/such/program")

    run(loop, main())


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there are no watchers any more")
def test_a_watcher_that_somebody_has_set_is_used(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("true")
        assert await process.wait() == 0

    def counted(pid: int, *what: Any) -> None:
        seen.append(pid)
        add(pid, *what)

    seen: list[int] = []
    policy: Any = asyncio.get_event_loop_policy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        watcher: Any = asyncio.ThreadedChildWatcher()
        add = watcher.add_child_handler
        monkeypatch.setattr(watcher, "add_child_handler", counted)
        run(loop, main())
        policy.set_child_watcher(watcher)
        try:
            run(loop, main())
        finally:
            policy.set_child_watcher(None)
    assert len(seen) == 1


def test_many_programs_at_once(loop: Loop) -> None:
    async def one(number: int) -> bytes:
        process = await asyncio.create_subprocess_exec("echo", str(number), stdout=PIPE)
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out

    async def main() -> list[bytes]:
        return await asyncio.gather(*map(one, range(40)))

    assert run(loop, main()) == [f"{number}\n".encode() for number in range(40)]


def test_output_is_a_real_pipe(loop: Loop) -> None:
    """Programs open /dev/stdout, which cannot be done with a socket."""

    async def main() -> bytes:
        process = await asyncio.create_subprocess_shell("echo x > /dev/stdout", stdout=PIPE)
        out, _ = await process.communicate()
        return out

    assert run(loop, main()) == b"x\n"


def test_descriptors_are_passed_or_not(loop: Loop) -> None:
    async def main() -> bytes:
        reading, writing = os.pipe()
        script = f"import os; os.write({writing}, b'passed')"
        process = await asyncio.create_subprocess_exec(PYTHON, "-c", script, pass_fds=[writing])
        assert await process.wait() == 0
        os.close(writing)
        passed = os.read(reading, 100)
        assert stat.S_ISFIFO(os.fstat(reading).st_mode)
        os.close(reading)
        return passed

    assert run(loop, main()) == b"passed"


def test_what_is_done_before_the_program_starts(loop: Loop) -> None:
    async def main() -> bytes:
        process = await asyncio.create_subprocess_exec(
            PYTHON,
            "-c",
            "import os; print(os.environ['GIVEN'], os.getpgid(0) == os.getpid())",
            stdout=PIPE,
            env={"GIVEN": "given"},
            preexec_fn=os.setpgrp,
        )
        out, _ = await process.communicate()
        return out

    assert run(loop, main()) == b"given True\n"


def test_output_goes_where_it_is_told_to(loop: Loop) -> None:
    async def main() -> bytes:
        process = await asyncio.create_subprocess_shell(
            "echo out; echo error >&2; cat",
            stdin=subprocess.DEVNULL,
            stdout=PIPE,
            stderr=subprocess.STDOUT,
        )
        out, error = await process.communicate()
        assert not error
        return out

    assert run(loop, main()) == b"out\nerror\n"


def test_a_waiter_that_is_cancelled_leaves_the_program(loop: Loop) -> None:
    async def main() -> int:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE)
        waiting = asyncio.ensure_future(process.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert process.returncode is None
        assert process.stdin is not None
        process.stdin.close()
        return await process.wait()

    assert run(loop, main()) == 0
