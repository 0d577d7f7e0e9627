"""Record Attention and Attention Maps: what each identity acted on while a picture was sampled."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.maps.attribution_maps import MOST_BYTES, MOST_SIDE
from ...attention.maps.step_columns import MOST_STEPS
from ...attention.maps.views import ALL, KINDS
from ..host.effects.attention_recorder import KEPT, record_attention
from ..host.images import to_images, to_pictures
from ..types import Attention
from .attention_pictures import STEPS, STRIPS, grounds, overlays, strips

NODE = "Troupe, Attention Maps"


class RecordAttention(io.ComfyNode):
    """A model that notes where each identity acts whenever it is sampled."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_RecordAttention",
            display_name="Record Attention",
            category="Troupe/attention",
            description="Note where each member of a cast acts while the model is sampled, for Attention Maps. The "
            "picture stays the same, bit for bit. Without this node nothing is recorded and nothing is slower.",
            search_aliases=["attention map", "heatmap", "attention visualization", "debug identity"],
            inputs=[
                io.Model.Input("model", tooltip="From Apply Cast. Connect what comes out to the sampler."),
            ],
            outputs=[
                io.Model.Output(display_name="model"),
                Attention.Output(
                    display_name="attention",
                    tooltip=f"For Attention Maps. Holds the latest {KEPT} samplings, each at most "
                    f"{MOST_BYTES >> 20} MB per cast: maps of at most {MOST_SIDE} cells a side, at most {MOST_STEPS} "
                    "columns of steps. Forgotten with the node's result.",
                ),
            ],
        )

    @classmethod
    def execute(cls, model) -> io.NodeOutput:
        return io.NodeOutput(*record_attention(model))


class AttentionMaps(io.ComfyNode):
    """Show what each identity acted on, per layer group and step."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_AttentionMaps",
            display_name="Attention Maps",
            category="Troupe/attention",
            description="Show what each member acted on while a picture was sampled: over the picture, step by step or "
            "layer by layer, and as masks. The brighter the person's colour, the more was added for them there.",
            search_aliases=["heatmap", "attention visualization", "daam", "where did the identity act"],
            inputs=[
                Attention.Input("attention", tooltip="From Record Attention, whose model the sampler uses."),
                io.Latent.Input("samples", tooltip="Straight from that sampler: says which sampling is shown."),
                io.Combo.Input(
                    "strip", options=list(STRIPS), default=STEPS,
                    tooltip="What the strip's columns are. steps: comparable with each other, the strongest point of "
                    "all is in full colour. layers: from the first to the last, each scaled by itself.",
                ),
                io.Combo.Input(
                    "layers", options=list(KINDS), default=ALL,
                    tooltip="Which layers the overlays, the masks and a strip of steps show. Each group of layers (of "
                    "one grid size, on the way down, in the middle or on the way up) counts alike.",
                ),
                io.Float.Input(
                    "start", default=0.0, min=0.0, max=1.0, step=0.01,
                    tooltip="The part of the schedule that overlays, masks and a strip of layers show begins here.",
                ),
                io.Float.Input("end", default=1.0, min=0.0, max=1.0, step=0.01, tooltip="And ends here."),
                io.Image.Input(
                    "images", optional=True,
                    tooltip="The samples decoded, to draw on. Without them the maps are drawn on grey.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="overlays",
                    tooltip="One for each member, in the order of the cast, for one picture after the other.",
                ),
                io.Image.Output(display_name="strip", tooltip="A row for each member; one strip for each picture."),
                io.Mask.Output(
                    display_name="masks",
                    tooltip="Where each member acted, in the order of the overlays; 1 is the strongest point of all "
                    "members in that picture, 0 where they did nothing.",
                ),
            ],
        )  # fmt: skip

    @classmethod
    def execute(cls, attention, samples, strip=STEPS, layers=ALL, start=0.0, end=1.0, images=None) -> io.NodeOutput:
        latents = samples["samples"]
        try:
            maps = attention.recorded(latents)
            pictures = pictures_of(latents, images)
            drawn, masks = overlays(maps, pictures, layers, start, end)
            sheets = strips(maps, pictures, strip, layers, start, end)
        except ValueError as error:
            raise ValueError(f"{NODE}: {error}") from error
        return io.NodeOutput(to_images(drawn), to_images(sheets), masks.float().contiguous())


def pictures_of(latents, images=None) -> list:
    """The pictures to draw on, one for each of the latents; ValueError for another number of them."""
    pictures = grounds(latents) if images is None else to_pictures(images)
    if len(pictures) != len(latents):
        raise ValueError(f"got {len(pictures)} images and samples of {len(latents)}. Connect these samples, decoded.")
    return pictures


NODES: list[type[io.ComfyNode]] = [RecordAttention, AttentionMaps]
