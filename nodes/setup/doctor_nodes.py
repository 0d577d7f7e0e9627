"""Doctor: what is installed, what is missing, and where it goes."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ..host.doctor.doctor import report


class Doctor(io.ComfyNode):
    """Look at everything that this pack needs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_Doctor",
            display_name="Doctor",
            category="Troupe",
            description="List every model file that Troupe finds, what it was recognised as, what is missing for which "
            "workflow and where it goes, licences, where faces can be analysed, and packages that clash. The same as "
            "python scripts/doctor.py.",
            search_aliases=["diagnose", "check installation", "missing models", "help", "troubleshoot"],
            is_output_node=True,
            not_idempotent=True,
            inputs=[],
            outputs=[io.String.Output(display_name="report")],
        )

    @classmethod
    def fingerprint_inputs(cls) -> float:
        return float("nan")  # files come and go between runs

    @classmethod
    def execute(cls) -> io.NodeOutput:
        text = report()
        return io.NodeOutput(text, ui=ui.PreviewText(text))


NODES: list[type[io.ComfyNode]] = [Doctor]
