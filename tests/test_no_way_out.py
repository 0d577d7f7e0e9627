"""The two promises that every test relies on: nothing reaches the network, and in CI nothing is skipped in silence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
NOBODY = ("192.0.2.1", 80)  # an address kept for documentation


def test_addresses_beyond_this_machine_are_out_of_reach():
    with pytest.raises(OSError, match="tests run without a network"):
        socket.create_connection(NOBODY, timeout=5)
    with pytest.raises(socket.gaierror, match="tests run without a network"):
        socket.getaddrinfo("example.org", 443)
    with socket.socket() as attempt:
        assert attempt.connect_ex(NOBODY) != 0


def test_this_machine_stays_in_reach():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(("localhost", listener.getsockname()[1]), timeout=5):
            pass


def test_a_python_started_with_the_guard_notes_what_it_wanted(tmp_path):
    notes = tmp_path / "attempts.txt"
    guard = {"PYTHONPATH": str(TESTS / "network_guard"), "TROUPE_NETWORK_ATTEMPTS": str(notes)}
    code = f"import urllib.request; urllib.request.urlopen('http://{NOBODY[0]}', timeout=5)"
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, **guard}, capture_output=True, text=True)

    assert "tests run without a network" in ended.stderr
    assert NOBODY[0] in notes.read_text()


SKIPPING = """
import pytest
def test_skips(): pytest.skip("no browser here")
@pytest.mark.xfail(reason="known")
def test_known(): assert False
def test_passes(): pass
"""


@pytest.mark.parametrize(("text", "failed"), [(SKIPPING, 1), ("import pytest\npytest.importorskip('no_such')\n", 0)])
def test_a_skip_is_a_failure_where_ci_is_set(tmp_path, text, failed):
    (tmp_path / "test_some.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", str(tmp_path)]
    outside = {name: value for name, value in os.environ.items() if name != "CI"} | {"PYTHONPATH": str(TESTS)}

    calm = subprocess.run(command, env=outside, capture_output=True, text=True, cwd=tmp_path)
    strict = subprocess.run(command, env={**outside, "CI": "1"}, capture_output=True, text=True, cwd=tmp_path)

    assert "1 skipped" in calm.stdout
    assert calm.returncode in (0, 5)  # 5: nothing was collected
    assert strict.returncode not in (0, 5)
    assert "every test must run" in strict.stdout
    assert (f"{failed} failed" in strict.stdout) or "1 error" in strict.stdout
