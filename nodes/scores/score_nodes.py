"""Score Cast: does the picture show the people it should, where it should?"""

from comfy_api.latest import io, ui

from ...measure.report import as_text
from ..host.faces.late_faces import described_cast
from ..host.images import to_images, to_pictures
from ..host.progress import Moving
from ..host.scores.prompt_judge import judge_of
from ..types import BoundingBox, Cast, FaceEngine
from .cast_scoring import Beside, scorable, score_cast
from .score_inputs import boxes_by_picture, words_by_member
from .score_words import shown_on_boards, verdict

NO_TARGET = "copy_paste, blending, sim_target: connect 'target', another photo of the same people."
NO_PEOPLE = "layout_iou: connect 'people', boxes of a detector such as RT-DETR or SAM3."
NO_VISION = "prompt_margin: connect 'clip_vision', and 'clip' where the model is neither SDXL nor SD2."
NO_WORDS = "prompt_margin: fewer than two members have a prompt with an embedding of its own, or a line in 'prompts'."


class ScoreCast(io.ComfyNode):
    """Find the cast on finished pictures and measure how well each member is met."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ScoreCast",
            display_name="Score Cast",
            category="Troupe/scores",
            description="Find faces on finished pictures and compare them with the cast: likeness to oneself and to "
            "the others, right place, right number of people; FaceSim, MultiSim, Sim(Ref), ID-Conf and mixing as "
            "published. More with a target, with boxes of people, or with a CLIP model.",
            search_aliases=["face similarity", "identity score", "evaluate", "heat map", "MultiSim", "clip score"],
            is_output_node=True,
            inputs=[*_sockets(), *_further()],
            outputs=[
                io.Float.Output(
                    display_name="likeness",
                    tooltip="Mean similarity of the members to their own faces; a missing face counts as 0.",
                ),
                io.String.Output(display_name="scores", tooltip="All figures as JSON, one entry per picture."),
                io.Image.Output(
                    display_name="marked",
                    tooltip="The pictures with found faces, names, similarities and the members' regions.",
                ),
                io.Image.Output(
                    display_name="heat map",
                    tooltip="Similarity of every found face to every member's reference, a heat map for each picture. "
                    "The face that is taken for a member has a frame.",
                ),
                io.Float.Output(
                    display_name="overall",
                    tooltip="One figure to sort by, 0 to 1: likeness of the members who stand in their places, less "
                    "for strangers. The mean over the pictures; Pick Best reads each picture's from the scores.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls, engine, images, cast, target=None, people=None, clip_vision=None, clip=None, prompts=""
    ) -> io.NodeOutput:
        pictures, cast = to_pictures(images), described_cast(cast, engine, "Score Cast")
        beside = beside_of(pictures, cast, target, people, clip_vision, clip, prompts)
        result = score_cast(engine, Moving(pictures), cast, beside)
        scores, figures = as_text(result.report), result.report
        return io.NodeOutput(
            figures["own"],
            scores,
            to_images(result.marked),
            to_images(result.plots),
            figures["overall"],
            ui={
                **ui.PreviewImage(to_images(result.marked)).as_dict(),
                "text": [scores],
                "troupe_line": [verdict(figures)],
                "troupe_scores": shown_on_boards(
                    figures, scorable(cast)[0], pictures[0].shape[:2], ui.PreviewImage(images).as_dict()["images"]
                ),
            },
        )


def beside_of(pictures, cast, target, people, clip_vision, clip, prompts: str) -> Beside:
    """What the optional inputs hold, and a word on each figure that is left out."""
    judge, left_out = None, []
    if clip_vision is not None:
        members, names = scorable(cast)
        words = words_by_member(prompts, names)
        judge = judge_of(clip_vision, clip, words, [member.prompt for member in members])
        left_out += [] if judge else [NO_WORDS]
    else:
        left_out.append(NO_VISION)
    if target is None:
        left_out.append(NO_TARGET)
    if people is None:
        left_out.append(NO_PEOPLE)
    return Beside(
        targets=() if target is None else to_pictures(target),
        people=None if people is None else boxes_by_picture(people, len(pictures)),
        judge=judge,
        left_out=left_out,
    )


def _sockets() -> list:
    return [
        FaceEngine.Input(
            "engine",
            tooltip="The engine that judges. One with another recogniser than the adapter's gives the fairer "
            "figure; the references are described by it again.",
        ),
        io.Image.Input("images", tooltip="Finished pictures; each is scored by itself."),
        Cast.Input("cast", tooltip="Who should be in the pictures, and where."),
    ]


def _further() -> list:
    """Added after the first release: optional, so that prompts saved before run on."""
    return [
        io.Image.Input(
            "target",
            optional=True,
            tooltip="Another photo of the same people, one for all pictures or one for each: measures whether faces "
            "are copied from the references (1) or are as in the target (-1).",
        ),
        BoundingBox.Input(
            "people",
            optional=True,
            extra_dict={"forceInput": True},  # else the editor puts four number boxes in its place
            tooltip="Boxes of the people in the pictures, from a detector (RT-DETR, SAM3): measures how well "
            "they fill their regions.",
        ),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures how much nearer each person's region is to their own prompt than to the others'. "
            "ViT-bigG reads SDXL's prompts as they are, ViT-H those of SD2.",
        ),
        io.Clip.Input(
            "clip",
            optional=True,
            tooltip="The text half of the same CLIP model, with its projection, for the words in 'prompts': clip_l "
            "from Load CLIP for ViT-L. Checkpoints of Stable Diffusion 1.5 have none.",
        ),
        io.String.Input(
            "prompts",
            optional=True,
            force_input=True,
            tooltip="For 'clip': what each member wears and does, a line for each, such as Ada: red shirt, smiling. "
            "Not connected: the prompts of Cast Member.",
        ),
    ]


NODES = [ScoreCast]
