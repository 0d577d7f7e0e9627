"""From a fresh clone to a picture of two known people, in one command, on a real ComfyUI that it sets up itself.

The first run says what it downloads (about 7 GB on disk, some minutes); later ones start within seconds. It runs the
workflow `10 Two people, wired by hand` and writes the picture, a contact sheet and the scores. `--serve` starts the
editor's server instead and prints an address that opens the first workflow; all are in the template browser. All of it
lies in `.troupe`; `--remove` deletes that.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.places import ROOT, Places, places
from pack.scripts.bootstrap.private_host import set_up
from pack.scripts.bootstrap.removal import remove
from pack.scripts.hosting.accelerator import has_accelerator
from pack.scripts.hosting.own_folder import FIRST as FIRST_FOLDER
from pack.scripts.hosting.own_folder import own_folder
from pack.scripts.hosting.ports import USUAL, choose_port, is_free
from pack.scripts.hosting.server import Server

WORKFLOW = ROOT / "workflows" / "10 Two people, wired by hand.json"
FIRST = ROOT / "workflows" / "01 Two people, runs at once.json"
OPEN = "troupe_template"  # what web/open_template.js reads of the page's address
# The demo's models are so small that more threads gain little on an idle machine, and cost minutes on a busy one.
ONE_THREAD = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workflow", type=Path, default=WORKFLOW, metavar="FILE", help="run this workflow instead")
    parser.add_argument("--out", type=Path, default=ROOT / "demo-output", metavar="DIR", help="where the results go")
    parser.add_argument("--serve", action="store_true", help="leave the editor running for a browser; Ctrl-C ends it")
    parser.add_argument("--port", type=int, metavar="N", help="the port of the server; by default a free one")
    parser.add_argument("--remove", action="store_true", help="remove everything that was set up")
    add_host_option(parser)
    return parser.parse_args()


def start(options: argparse.Namespace, where: Places, console: Console) -> Server:
    """A server with this pack in it, not started yet. Raises Refusal when the port is taken."""
    wanted = options.port
    choose_port(wanted)  # told before a long set-up, not after it
    installation = ready_installation(options.comfyui, where, console)
    base, held = own_folder(where.home)
    if options.comfyui and not options.serve:
        set_up(where, console, tools_only=True)
    accelerator = has_accelerator(installation.python)
    if wanted is None and options.serve and base.name == FIRST_FOLDER and is_free(USUAL):
        wanted = USUAL
    console.say(f"Starting ComfyUI from {installation.comfyui}{'' if accelerator else ' (on the CPU)'}.")
    variables = {} if accelerator else threads(options)
    server = Server(installation, base, wanted, cpu=not accelerator, variables=variables)
    server.held = held
    return server


def threads(options: argparse.Namespace) -> dict[str, str]:
    """How many threads the CPU gets: one for the demo's own workflows and for the editor, where they are run too."""
    return ONE_THREAD if options.serve or options.workflow.resolve().parent == WORKFLOW.parent else {}


def check_pack(server: Server) -> None:
    """Raise Refusal when ComfyUI runs without this pack."""
    if not any(name.startswith("Troupe_") for name in server.client.object_info()):
        raise Refusal(server.death_notice("ComfyUI started but could not load this pack", before="Import times"))


def run_file(server: Server, file: Path, out: Path) -> int:
    """Run a workflow with the tools' Python, which is not always the one that runs this, and return its exit status."""
    script = Path(__file__).with_name("run_workflow.py")
    command = [str(server.installation.tools), str(script), server.address, str(file.resolve()), str(out.resolve())]
    ended = subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"})
    if ended.returncode and not server.alive():
        raise Refusal(server.death_notice("ComfyUI ended while it ran the workflow"))
    return ended.returncode


def headless(server: Server, options: argparse.Namespace, console: Console) -> int:
    """Run the workflow and say where its results are; when it fails, the reason was said where it was known."""
    with server:
        check_pack(server)
        console.say(f"Running {options.workflow.name}.")
        status = run_file(server, options.workflow, options.out)
    if status:
        console.say(f"No picture was made. ComfyUI's log is {server.log}.")
        return status
    console.say("Next: open contact-sheet.png, drop picture.png into ComfyUI (the workflow is inside it), or")
    console.say("      python scripts/demo.py --serve      to change the people, the regions and the prompts yourself")
    return 0


def serve(server: Server, console: Console) -> int:
    """Leave the editor running until Ctrl-C."""
    with server:
        check_pack(server)
        console.say(f"\n  {server.address}/?{urlencode({OPEN: FIRST.stem})}\n")
        console.say(
            "Open that in a browser: the first workflow comes up. The others are in the template browser, under"
        )
        console.say("ComfyUI-Troupe.")
        console.say("Ctrl-C ends it.")
        try:
            code = server.process.wait()
        except KeyboardInterrupt:
            console.say("\nStopping ComfyUI.")
            return 0
        raise Refusal(server.death_notice(f"ComfyUI ended by itself with status {code}"))


def main() -> int:
    options, where, console = parse(), places(), Console()
    if options.remove:
        console.say(remove(where))
        return 0
    if not options.serve and not options.workflow.is_file():
        raise Refusal(f"There is no workflow file {options.workflow}.")
    server = start(options, where, console)
    return serve(server, console) if options.serve else headless(server, options, console)


if __name__ == "__main__":
    run(main)
