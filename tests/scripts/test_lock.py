"""Two set-ups at once: one waits, and a killed one never blocks the next."""

import os
import signal
import subprocess
import sys
import time

import pack.scripts.bootstrap.lock as lock_module
import pytest
from pack.scripts.bootstrap.lock import Lock


def hold_in_another_process(path, seconds):
    """A process that runs `time.sleep` under the lock, started through the script form of the module."""
    sleeper = path.parent / "sleeper.py"
    sleeper.write_text(f"import time\nprint('held', flush=True)\ntime.sleep({seconds})\n")
    command = [sys.executable, lock_module.__file__, str(path), "sleeper"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(path.parent)}
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_and_says_so(tmp_path):
    path, waited = tmp_path / "lock", []
    holder = hold_in_another_process(path, 0.6)

    begun = time.monotonic()
    with Lock(path, lambda: waited.append(True)):
        assert time.monotonic() - begun > 0.3
    assert waited == [True]
    holder.wait()


def test_a_killed_holder_frees_the_lock(tmp_path):
    holder = hold_in_another_process(tmp_path / "lock", 60)
    assert not Lock(tmp_path / "lock").try_acquire()

    holder.kill()
    holder.wait()

    lock = Lock(tmp_path / "lock")
    assert lock.try_acquire()
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_a_module_run_under_the_lock_keeps_it_when_its_parent_is_killed(tmp_path):
    path = tmp_path / "lock"
    (tmp_path / "sleeper.py").write_text("import time\nprint('held', flush=True)\ntime.sleep(1.5)\n")
    child = [sys.executable, lock_module.__file__, str(path), "sleeper"]
    parent = f"import subprocess\nsubprocess.run({child!r})"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "held\n"

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert not Lock(path).try_acquire()
    with Lock(path):
        pass
