"""A server that does not come up or goes away is reported with the end of its log."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT, Places
from pack.scripts.bootstrap.removal import remove
from pack.scripts.hosting.client import describe
from pack.scripts.hosting.own_folder import own_folder
from pack.scripts.hosting.ports import choose_port
from pack.scripts.hosting.server import Server


def server_of(tmp_path, program):
    """A Server whose main.py is `program`."""
    host = tmp_path / "ComfyUI"
    host.mkdir()
    (host / "main.py").write_text(program)
    python = Path(sys.executable)
    return Server(Installation(host, python, tools=python, private=True), tmp_path / "base")


def test_a_server_that_ends_while_starting_shows_its_last_lines(tmp_path):
    program = "print('\\x1b[32mloading\\x1b[0m\\n' * 100 + 'half\\rdone\\nthe reason')\nraise SystemExit(3)"

    with pytest.raises(Refusal) as refusal, server_of(tmp_path, program):
        pass

    words = str(refusal.value)
    assert "ended while starting (exit status 3)" in words
    assert words.count("    loading\n") == 23
    assert words.rstrip().endswith("    done\n    the reason")


def test_a_server_that_never_answers_is_given_up_and_stopped(tmp_path):
    server = server_of(tmp_path, "import time\ntime.sleep(600)")

    with pytest.raises(Refusal, match="did not answer within 0 s"):
        server.start(timeout=0.3)

    assert not server.alive()


def test_an_installation_of_somebody_is_only_read(tmp_path):
    server = server_of(tmp_path, "")
    foreign = Installation(server.installation.comfyui, Path(sys.executable), Path(sys.executable), private=False)
    server.installation = foreign

    command = server.command()

    for name in ("input", "output", "user"):
        assert command[command.index(f"--{name}-directory") + 1] == str(tmp_path / "base" / name)
    assert command[command.index("--temp-directory") + 1] == str(tmp_path / "base")
    assert command[command.index("--whitelist-custom-nodes") + 1] == "ComfyUI-Troupe"
    assert (tmp_path / "base" / "custom_nodes" / "ComfyUI-Troupe" / "pyproject.toml").is_file()
    assert server.environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    assert [path.name for path in foreign.comfyui.iterdir()] == ["main.py"]


def test_a_copy_of_the_pack_in_that_installation_is_not_loaded_beside_ours(tmp_path):
    server = server_of(tmp_path, "")
    (server.installation.comfyui / "custom_nodes" / "ComfyUI-Troupe").mkdir(parents=True)

    command = server.command()

    assert command[command.index("--whitelist-custom-nodes") + 1] == "ComfyUI-Troupe-here"


def test_a_free_port_is_found_and_a_taken_one_refused():
    port = choose_port()
    assert choose_port(port) == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(Refusal, match=f"Port {port} is taken"):
            choose_port(port)
    with pytest.raises(Refusal):
        choose_port(99999)


def test_a_refused_prompt_is_described_node_by_node():
    fault = {"message": "Value not in list", "details": "adapter: 'x' not in []"}
    answer = {
        "error": {"message": "outer"},
        "node_errors": {"4": {"class_type": "Troupe_LoadAdapter", "errors": [fault]}},
    }

    assert describe(answer) == "Troupe_LoadAdapter (4): Value not in list adapter: 'x' not in []"
    assert describe({"error": {"message": "Prompt has no outputs", "details": ""}}) == "Prompt has no outputs"
    assert describe({"error": "no prompt"}) == "no prompt"


ANSWERING = """
import http.server, json, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"system": {"argv": sys.argv}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
import pack_alias
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.hosting.server import Server

def main():
    python = Path(sys.executable)
    server = Server(Installation(Path({host!r}), python, tools=python, private=True), Path({base!r}))
    print("starting", flush=True)
    with server:
        print("serving", flush=True)
        server.process.wait()
    return 0

run(main)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
@pytest.mark.parametrize("sign", ["SIGHUP", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize(("program", "moment"), [(ANSWERING, "serving"), ("import time; time.sleep(600)", "starting")])
def test_no_server_outlives_the_command_that_started_it(tmp_path, sign, program, moment):
    server = server_of(tmp_path, program + f"# {tmp_path}")
    said = SCRIPT.format(
        scripts=str(ROOT / "scripts"), host=str(server.installation.comfyui), base=str(tmp_path / "base")
    )
    command = subprocess.Popen([sys.executable, "-c", said], stdout=subprocess.PIPE, text=True)
    while command.stdout.readline().strip() != moment:
        assert command.poll() is None
    children = waited_for(lambda: [c for c in psutil.Process(command.pid).children() if "--port" in c.cmdline()])
    time.sleep(0.5)  # the moment between a process and the object for it belongs to subprocess

    command.send_signal(getattr(signal, sign))

    try:
        assert command.wait(60) == 130
        assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    finally:
        for child in [child for child in children if child.is_running()]:
            child.kill()


def waited_for(what, seconds=60):
    """The first true value of a function."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_another_server_on_the_same_port_is_not_taken_for_ours(tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with server_of(tmp_path / "first", ANSWERING) as first:
        second = server_of(tmp_path / "second", "import time; time.sleep(600)")
        second.port, second.client = first.port, first.client

        with pytest.raises(Refusal, match="did not answer"):
            second.start(timeout=1)


def test_demos_at_once_have_folders_of_their_own_and_are_not_removed(tmp_path):
    places = Places(tmp_path / ".troupe")
    first, lock = own_folder(places.home)
    second, another = own_folder(places.home)

    assert (first.name, second.name) == ("demo", "demo-2")
    with pytest.raises(Refusal, match="A demo is running"):
        remove(places)
    lock.release()
    assert own_folder(places.home)[0] == first
    another.release()
