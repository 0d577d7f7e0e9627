"""Two set-ups at once: one waits, and a killed one never blocks the next."""

import os
import signal
import subprocess
import sys

import pack.scripts.bootstrap.lock as lock_module
import pytest
from pack.scripts.bootstrap.lock import Lock

HOLDER = "import sys\nprint('held', flush=True)\nsys.stdin.read()\n"


def hold_in_another_process(path):
    """A process that holds the lock until its input ends, started through the script form of the module."""
    (path.parent / "holder.py").write_text(HOLDER)
    command = [sys.executable, lock_module.__file__, str(path), "holder"]
    environment = {**os.environ, "PYTHONPATH": str(path.parent)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_and_says_so(tmp_path):
    path, waited = tmp_path / "lock", []
    holder = hold_in_another_process(path)

    def waiting():
        waited.append(holder.poll())
        holder.stdin.close()

    with Lock(path, waiting):
        assert holder.wait() == 0
    assert waited == [None]


def test_a_killed_holder_frees_the_lock(tmp_path):
    holder = hold_in_another_process(tmp_path / "lock")
    assert not Lock(tmp_path / "lock").try_acquire()

    holder.kill()
    holder.wait()

    lock = Lock(tmp_path / "lock")
    assert lock.try_acquire()
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_a_module_run_under_the_lock_keeps_it_when_its_parent_is_killed(tmp_path):
    path = tmp_path / "lock"
    (tmp_path / "holder.py").write_text(HOLDER)
    child = [sys.executable, lock_module.__file__, str(path), "holder"]
    parent = f"import subprocess\nsubprocess.run({child!r})"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", parent]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "held\n"

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert not Lock(path).try_acquire()
    process.stdin.close()
    with Lock(path):
        pass
