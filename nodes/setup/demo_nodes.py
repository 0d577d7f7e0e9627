"""Nodes of the offline world: its models, and photos of the people who live in it."""

from comfy_api.latest import io

from ...demo.people_by_name import NAMES, photo_of
from ..host.demo_world import MODELS, load_demo_vision, load_demo_world


class LoadDemoWorld(io.ComfyNode):
    """The tiny trained system that ships with the pack."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadDemoWorld",
            display_name="Load Demo World",
            category="Troupe/demo",
            description="A tiny trained world of cartoon people that ships with Troupe: "
            "try every node without downloading a checkpoint. Pictures are 128 x 128; prompts know counts "
            "(one to six people), places (beach, forest, night, city, desert, room), shirt colours, "
            "expressions (neutral, smiling, sad, surprised) and looks (left, ahead, right).",
            search_aliases=["demo", "offline", "example model"],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=list(MODELS),
                    default=MODELS[0],
                    optional=True,
                    tooltip="UNet: built like SD1.5, with adapters and a ControlNet. transformer: a small FLUX.2, "
                    "which takes people from pictures given with the stock ReferenceLatent.",
                )
            ],
            outputs=[
                io.Model.Output(
                    display_name="MODEL", tooltip="Sample it with euler, about 20 steps, cfg 3, at 128 x 128."
                ),
                io.Clip.Output(display_name="CLIP", tooltip="For the stock CLIP Text Encode."),
                io.Vae.Output(display_name="VAE", tooltip="For the stock VAE Decode and VAE Encode."),
                io.ControlNet.Output(
                    display_name="CONTROL_NET",
                    tooltip="The UNet's depth ControlNet for the stock Apply ControlNet; near is bright.",
                ),
                io.ClipVision.Output(
                    display_name="CLIP_VISION",
                    tooltip="For the stock CLIP Vision Encode: tells people, balls and plants apart.",
                ),
            ],
        )

    @classmethod
    def execute(cls, model: str = MODELS[0]) -> io.NodeOutput:
        return io.NodeOutput(*load_demo_world(model), load_demo_vision())


class DemoPhoto(io.ComfyNode):
    """A photo of somebody who lives in the demo world."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_DemoPhoto",
            display_name="Demo Photo",
            category="Troupe/demo",
            description="A photo of one of the demo world's people, for Extract Identity. "
            "None of them was seen in training.",
            search_aliases=["demo", "reference photo", "example face"],
            inputs=[
                io.Combo.Input(
                    "person", options=list(NAMES), tooltip="Whose photo. The same person always gives the same photo."
                )
            ],
            outputs=[io.Image.Output(display_name="IMAGE")],
        )

    @classmethod
    def execute(cls, person: str) -> io.NodeOutput:
        return io.NodeOutput(photo_of(person)[None])


NODES = [LoadDemoWorld, DemoPhoto]
