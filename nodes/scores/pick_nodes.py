"""Pick Best: of several pictures of one cast, those that show it best."""

from comfy_api.latest import io, ui

from ...measure.figures import FIGURES
from ..host.scores.prompt_judge import without
from .picking import choose, latents_at

NO_LATENTS = "Troupe, Pick Best: its output 'latents' is used, and nothing is connected to its input 'latents'."


class PickBest(io.ComfyNode):
    """Keep the pictures of a batch that score best."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_PickBest",
            display_name="Pick Best",
            category="Troupe/scores",
            description="Of a batch of pictures keep the best by one of Score Cast's figures, best first. Equal ones "
            "stay in the order of the batch. There is always a picture: where no face was found, the first.",
            search_aliases=["best of", "select image", "sort by score", "filter batch"],
            inputs=[
                io.Image.Input("images", tooltip="The batch that Score Cast scored."),
                io.String.Input("scores", force_input=True, tooltip="The output 'scores' of Score Cast."),
                io.Latent.Input(
                    "latents", optional=True, tooltip="What the images were decoded from, to go on with the best one."
                ),
                io.Combo.Input(
                    "by",
                    options=list(FIGURES),
                    tooltip="What decides. "
                    + "; ".join(
                        f"{name}: {words}{', less is better' * less}" for name, (words, less) in FIGURES.items()
                    )
                    + ".",
                ),
                io.Int.Input(
                    "keep", default=1, min=1, max=4096, tooltip="How many to keep; all of them where there are fewer."
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The best pictures, best first."),
                io.Latent.Output(display_name="latents", tooltip="Their latents, where latents are connected."),
                io.Int.Output(display_name="index", tooltip="Which of the batch the best one is, from 0."),
                io.Float.Output(display_name="value", tooltip="The best one's figure; 0 where it has none."),
                io.String.Output(display_name="report", tooltip="Which pictures were kept, and their figures."),
            ],
        )

    @classmethod
    def execute(cls, images, scores, by, keep, latents=None) -> io.NodeOutput:
        choice = choose(scores, len(images), by, keep)
        rest = without(NO_LATENTS) if latents is None else latents_at(latents, choice.kept, len(images))
        index, value = choice.kept[0], choice.values[0] or 0.0
        return io.NodeOutput(images[choice.kept], rest, index, value, choice.report, ui=ui.PreviewText(choice.report))


NODES = [PickBest]
