"""An output that is empty because an optional input is: ComfyUI says so to whoever uses it, and to nobody else."""

from comfy_execution.graph_utils import ExecutionBlocker


def without(sentence: str) -> ExecutionBlocker:
    """Stands in for a value; a node that is connected to it does not run, and the editor shows the sentence."""
    return ExecutionBlocker(sentence)
