"""Which outputs of a node the running prompt reads, so that what nobody asked for is not made.

The host tells a node nothing about its outputs, and keeps what a node gave for as long as its inputs are the same. A
node that leaves an output out therefore gives `is_linked` as its fingerprint: once the output is linked, it runs again.
"""

from __future__ import annotations

from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker
from comfy_execution.utils import get_executing_context
from server import PromptServer


def is_linked(output: int) -> bool:
    """Whether a node of the running prompt reads an output of the node that is being run or fingerprinted.

    True where that cannot be known: outside of a run, and for nodes that another node put in while it ran.
    """
    context = get_executing_context()
    nodes = _running_prompt(context.prompt_id) if context else {}
    if not context or context.node_id not in nodes:
        return True
    link = [context.node_id, output]
    return any(value == link for node in nodes.values() for value in node.get("inputs", {}).values())


def _running_prompt(prompt_id: str) -> dict[str, Any]:
    """The nodes of a prompt that runs; empty for any other."""
    queue = getattr(getattr(PromptServer, "instance", None), "prompt_queue", None)
    running = list(getattr(queue, "currently_running", {}).values())
    return next((item[2] for item in running if item[1] == prompt_id), {})


def not_made(node: str, what: str) -> ExecutionBlocker:
    """What stands at an output that was not linked: whoever reads it all the same is stopped with a sentence."""
    return ExecutionBlocker(
        f"Troupe, {node}: the {what} were not made, because nothing was linked to them. Change any value of {node} "
        "and run again."
    )
