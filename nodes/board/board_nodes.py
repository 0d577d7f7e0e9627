"""Cast Board: the canvas with people in it."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui

from ...attention.regions.region import Region, rasterise
from ..host.faces.board_photos import stamp_of_photo
from ..host.images import picture_size
from ..regions.region_nodes import size_from_latent
from ..regions.region_value import encode_regions
from ..types import SHOWN_AGAIN, Cast, FaceEngine, Regions
from .board_cast import BoardReport, build_cast, missing_photos
from .board_value import VERSION, BoardTextError, decode_board

TWO_PLACES = encode_regions(
    [
        Region("person 1", x=0.07, y=0.08, width=0.4, height=0.84, order=0),
        Region("person 2", x=0.53, y=0.08, width=0.4, height=0.84, order=1),
    ]
).replace('"version": 2,', f'"version": 2, "board": {VERSION},', 1)


class CastBoard(io.ComfyNode):
    """People on a picture: their photos, places and words, as a cast."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_CastBoard",
            display_name="Cast Board",
            category="Troupe",
            description="Drop photos of people onto the places where they shall stand: one board makes the whole cast. "
            "Photos are kept in ComfyUI's folder input, in the subfolder troupe; delete them there.",
            search_aliases=[
                "two people", "several people", "multiple characters", "couple", "face swap", "group portrait",
                "consistent character", "multiple people", "regional identity", "photo board",
            ],
            inputs=[
                io.Clip.Input(
                    "clip", optional=True, tooltip="The checkpoint's. Reads the words that people have of their own."
                ),
                Cast.Input(
                    "cast", optional=True, tooltip="Members from elsewhere; they stand in front of those of the board."
                ),
                FaceEngine.Input(
                    "engine",
                    optional=True,
                    tooltip="Finds and describes the faces now, and says on the cards what was found. Without one, "
                    "Apply Cast finds them with the installed face pack that its adapter was trained with.",
                ),
                io.Image.Input(
                    "image", optional=True,
                    tooltip="A picture behind the people. When connected, its size replaces width and height.",
                ),
                io.Int.Input(
                    "width", default=1024, min=16, max=16384, step=8,
                    tooltip="Width of the picture and masks, in pixels.",
                ),
                io.Int.Input(
                    "height", default=768, min=16, max=16384, step=8,
                    tooltip="Height of the picture and masks, in pixels.",
                ),
                io.String.Input(
                    "board",
                    default=TWO_PLACES,
                    multiline=True,
                    socketless=True,
                    extra_dict={"widgetType": "TROUPE_CAST_BOARD"},  # drawn by web/cast_board.js
                    tooltip="Photos, places and words of the people. Kept as JSON: regions as in Draw Regions, each "
                    "with a person.",
                ),
                size_from_latent(),
            ],
            outputs=[
                Cast.Output(
                    display_name="cast",
                    tooltip="Everybody who has a photo or words of their own, front to back, for Apply Cast.",
                ),
                Regions.Output(display_name="regions", tooltip="Every place on the board, for Depth Layout."),
                io.Mask.Output(display_name="masks", tooltip="One mask per place, in the order of the list."),
                io.Int.Output(display_name="width"),
                io.Int.Output(display_name="height"),
                io.String.Output(display_name="report", tooltip="What was found on each photo, and what is missing."),
            ],
            **SHOWN_AGAIN,
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, board: str | None = None) -> bool | str:
        if board is None:
            return True
        try:
            return missing_photos(decode_board(board)) or True
        except BoardTextError as error:
            return str(error)

    @classmethod
    def fingerprint_inputs(cls, board: str | None = None, **_) -> str:
        try:
            people = decode_board(board or TWO_PLACES)
        except BoardTextError as error:
            return str(error)
        return "\n".join(stamp_of_photo(photo.file) for person in people for photo in person.photos)

    @classmethod
    def execute(
        cls, width: int, height: int, board: str, clip=None, cast=None, engine=None, image: torch.Tensor | None = None,
        latent=None,
    ) -> io.NodeOutput:  # fmt: skip
        width, height = picture_size(width, height, image, latent)
        people = decode_board(board, width / height)
        report = BoardReport()
        members = build_cast(people, cast or (), engine, clip, report)
        regions = tuple(person.region for person in people)
        masks = rasterise(regions, height, width) if regions else torch.zeros(1, height, width)
        wired = [{"name": member.identity.name, "region": member.region.name} for member in cast or ()]
        shown = {"lines": report.lines, "faces": report.faces, "wired": wired}
        shows = {"troupe_board": [shown], "troupe_size": [[width, height]]}
        if image is not None:
            shows["troupe_background"] = ui.PreviewImage(image[:1]).as_dict()["images"]
        return io.NodeOutput(members, regions, masks, width, height, "\n".join(report.lines), ui=shows)


NODES: list[type[io.ComfyNode]] = [CastBoard]
