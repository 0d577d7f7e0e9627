"""Compare Recipes and Compare Grid: the same seed and cast through several recipes, as one labelled picture."""

from comfy_api.latest import io

from ..host.cast.model_patch import patch_cast
from ..host.images import to_images, to_pictures
from ..types import Adapter, Cast
from .comparing import grid_of
from .recipe_list import DEFAULT, read_recipes


class CompareRecipes(io.ComfyNode):
    """A model for each recipe of a list, for one sampler that then runs once for each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_CompareRecipes",
            display_name="Compare Recipes",
            category="Troupe/scores",
            description="Apply the cast by several recipes. The outputs are lists: one sampler behind them runs once "
            "for each recipe, with the same seed, and Compare Grid puts the pictures side by side.",
            search_aliases=["xy plot", "compare", "ablation", "recipes side by side"],
            inputs=[
                io.Model.Input("model", tooltip="A Stable Diffusion 1.5 or SDXL model. It is not changed."),
                Cast.Input("cast", tooltip="The members: from Cast Member."),
                Adapter.Input("adapter", optional=True, tooltip="Used by members that bring none of their own."),
                io.Vae.Input(
                    "vae", optional=True, tooltip="The checkpoint's, for recipes that look at photos (MultiID)."
                ),
                io.String.Input(
                    "recipes",
                    multiline=True,
                    default=DEFAULT,
                    tooltip="A recipe on each line; a number after it is its strength. The node's help names all "
                    "recipes.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=3.0,
                    step=0.05,
                    tooltip="Multiplies every member's strength, where a line of the list says no other.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="models", is_output_list=True, tooltip="A model for each line, in their order."
                ),
                io.String.Output(
                    display_name="labels", is_output_list=True, tooltip="What each line says, for Compare Grid."
                ),
            ],
        )

    @classmethod
    def execute(cls, model, cast, recipes, strength, adapter=None, vae=None) -> io.NodeOutput:
        entries = read_recipes(recipes, strength)
        models = [
            model if entry.recipe is None else patch_cast(model, cast, adapter, entry.recipe, entry.strength, vae)
            for entry in entries
        ]
        return io.NodeOutput(models, [entry.label for entry in entries])


class CompareGrid(io.ComfyNode):
    """Everything that several runs gave, on one labelled sheet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_CompareGrid",
            display_name="Compare Grid",
            category="Troupe/scores",
            description="Lay pictures out side by side with labels and scores, as one picture. It takes whole lists, "
            "as Compare Recipes makes them, or a batch. Of runs with several pictures each run is a row.",
            search_aliases=["xy plot", "image grid", "contact sheet", "side by side"],
            is_input_list=True,
            inputs=[
                io.Image.Input("images", tooltip="The pictures: a list with an entry for each run, or a batch."),
                io.String.Input(
                    "labels",
                    multiline=True,
                    default="",
                    optional=True,
                    tooltip="The labels of Compare Recipes, or a line for each picture. Empty: numbers.",
                ),
                io.String.Input(
                    "scores", force_input=True, optional=True, tooltip="Score Cast's, to stand below the pictures."
                ),
                Cast.Input("cast", optional=True, tooltip="Whose faces stand above the pictures."),
                io.Int.Input(
                    "columns", default=0, min=0, max=64, optional=True, tooltip="Pictures in a row; 0: as many as suit."
                ),
                io.Int.Input(
                    "size",
                    default=384,
                    min=64,
                    max=2048,
                    step=8,
                    optional=True,
                    tooltip="Longest side of each picture in pixels; small pictures are enlarged.",
                ),
                io.String.Input("title", default="", optional=True, tooltip="Words above all; empty for none."),
            ],
            outputs=[io.Image.Output(display_name="grid", tooltip="The labelled sheet.")],
        )

    @classmethod
    def execute(
        cls, images, labels=("",), scores=(), cast=((),), columns=(0,), size=(384,), title=("",)
    ) -> io.NodeOutput:
        batches = [to_pictures(batch) for batch in images]
        sheet = grid_of(batches, labels, scores or (), cast[0] or (), columns[0], size[0], title[0])
        return io.NodeOutput(to_images([sheet]))


NODES = [CompareRecipes, CompareGrid]
