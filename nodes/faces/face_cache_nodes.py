"""Clear Face Cache: what was kept of photos is forgotten."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ..host.faces.face_cache import cache_folder, clear_caches


class ClearFaceCache(io.ComfyNode):
    """Forget the analyses of photos."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ClearFaceCache",
            display_name="Clear Face Cache",
            category="Troupe/identities",
            description="Forget every analysis of a photo, in memory and in user/troupe/face-cache. Saved identities "
            "stay: delete their files in models/identities.",
            search_aliases=["delete face data", "forget faces", "privacy"],
            is_output_node=True,
            not_idempotent=True,
            inputs=[],
            outputs=[io.String.Output(display_name="report")],
        )

    @classmethod
    def fingerprint_inputs(cls) -> float:
        return float("nan")  # every run clears

    @classmethod
    def execute(cls) -> io.NodeOutput:
        kept, files = clear_caches()
        report = f"Forgot {kept} analyses in memory and {files} on disk ({cache_folder()})."
        return io.NodeOutput(report, ui=ui.PreviewText(report))


NODES: list[type[io.ComfyNode]] = [ClearFaceCache]
