"""Read a workflow file and turn what the editor saves into the prompt that ComfyUI runs."""

from __future__ import annotations

import json
from pathlib import Path

from ..bootstrap.errors import Refusal

# Drawn in the editor only; the converter leaves them out.
EDITOR_ONLY = {"Note", "MarkdownNote", "PrimitiveNode", "Reroute", "GetNode", "SetNode"}
MUTED, BYPASSED = 2, 4


def read_workflow(path: Path) -> dict:
    """The JSON in `path`. Raises Refusal when it is not a workflow."""
    try:
        workflow = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal(f"There is no workflow file {path}.") from None
    except ValueError as error:
        raise Refusal(f"{path} is not a workflow: it is no valid JSON ({error}).") from None
    if not is_prompt(workflow) and not (isinstance(workflow, dict) and isinstance(workflow.get("nodes"), list)):
        raise Refusal(f"{path} is not a workflow: it holds neither a list of nodes nor an API prompt.")
    return workflow


def is_prompt(workflow: object) -> bool:
    """Whether it is in the API form already: nodes by id, each with a class_type."""
    return (
        isinstance(workflow, dict)
        and bool(workflow)
        and all(isinstance(node, dict) and "class_type" in node for node in workflow.values())
    )


def to_prompt(workflow: dict, object_info: dict) -> dict:
    """The API prompt for a workflow of the editor. Raises Refusal naming nodes that the server does not know."""
    if is_prompt(workflow):
        return workflow
    subgraphs = {graph.get("id") for graph in workflow.get("definitions", {}).get("subgraphs", [])}
    used = {node.get("type") for node in workflow["nodes"] if node.get("mode", 0) not in (MUTED, BYPASSED)}
    unknown = sorted(str(kind) for kind in used - set(object_info) - EDITOR_ONLY - subgraphs)
    if unknown:
        raise Refusal(
            f"The workflow uses nodes that this ComfyUI does not have: {', '.join(unknown)}. Install their pack."
        )
    from comfy_cli.workflow_to_api import WorkflowConversionError, convert_ui_to_api

    try:
        return convert_ui_to_api(workflow, object_info)
    except WorkflowConversionError as error:
        raise Refusal(f"The workflow could not be read: {error}.") from None
