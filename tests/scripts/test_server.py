"""A server that does not come up or goes away is reported with the end of its log."""

import socket
import sys
from pathlib import Path

import pytest
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.hosting.client import describe
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
