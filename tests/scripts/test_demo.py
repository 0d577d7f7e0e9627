"""The demo itself, as a user starts it: on the real ComfyUI, from the workflow to the picture, without a network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pack.scripts.bootstrap.places import ROOT, places
from PIL import Image

NOT_PERMITTED = 77


def run_demo(out, tmp_path, *arguments):
    """Run demo.py with no way out of this machine: no route where the system permits that, and the guard everywhere."""
    host = Path(os.environ.get("TROUPE_COMFYUI") or places().comfyui)
    command = [sys.executable, str(ROOT / "scripts" / "demo.py"), "--out", str(out), *arguments]
    if host.resolve() != places().comfyui.resolve():
        command += ["--comfyui", str(host)]
    attempts = tmp_path / "attempts.txt"
    guard = {"PYTHONPATH": str(ROOT / "tests" / "network_guard"), "TROUPE_NETWORK_ATTEMPTS": str(attempts)}
    alone = [sys.executable, str(ROOT / "tests" / "scripts" / "without_a_route.py")]
    for prefix in (alone, []):
        ended = subprocess.run([*prefix, *command], env={**os.environ, **guard}, capture_output=True, text=True)
        if not prefix or ended.returncode != NOT_PERMITTED:
            break
    assert not attempts.exists(), f"wanted to leave this machine for {attempts.read_text()}"
    return ended


def test_the_demo_makes_its_picture_sheet_and_scores_without_a_network_route(tmp_path):
    out = tmp_path / "out"

    ended = run_demo(out, tmp_path)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    picture, sheet = Image.open(out / "picture.png"), Image.open(out / "contact-sheet.png")
    workflow = json.loads((ROOT / "workflows" / "10 Two people, wired by hand.json").read_text(encoding="utf-8"))
    assert json.loads(picture.info["workflow"])["nodes"] == workflow["nodes"]
    assert sheet.width > picture.width
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert scores["images"][0]["expected"] == 2
    assert {"faces", "own", "other", "right_place"} <= set(scores["images"][0])
    assert str(out / "contact-sheet.png") in ended.stdout
    assert "--serve" in ended.stdout


def test_a_workflow_that_fails_ends_in_its_reason(tmp_path):
    nodes = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    (tmp_path / "wrong.json").write_text(json.dumps(nodes))

    ended = run_demo(tmp_path / "out", tmp_path, "--workflow", str(tmp_path / "wrong.json"))

    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "ComfyUI refused the workflow. EmptyImage (1): Value 0 smaller than min of 1" in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "threads"),
    [
        ([], {"OMP_NUM_THREADS": "1"}),
        (["--serve"], {"OMP_NUM_THREADS": "1"}),
        (["--workflow", "elsewhere.json"], {}),
    ],
)
def test_the_editors_server_is_as_fast_as_the_demos(arguments, threads):
    code = f"import sys, json; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import demo; "
    code += "print(json.dumps(demo.threads(demo.parse())))"
    without = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    said = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=without)

    assert json.loads(said.stdout) == threads, said.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
def test_without_a_route_there_is_none(tmp_path):
    alone = [sys.executable, str(ROOT / "tests" / "scripts" / "without_a_route.py")]
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    ended = subprocess.run([*alone, sys.executable, "-c", reach], capture_output=True, text=True)

    assert ended.returncode == NOT_PERMITTED or "Network is unreachable" in ended.stderr
