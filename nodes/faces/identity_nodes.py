"""Save, Load, Mix and Compare Identities: people as files, between people, and whether two are one."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ...face.comparison import compare
from ...face.mixing import mix_identities
from ..host.faces.identity_folder import KEEP_BOTH, REPLACE, identity_names, read_identity, stamp_of, store_identity
from ..host.file_names import listed
from ..host.images import to_images
from ..marks import portrait_row
from ..types import FaceEngine, Identity

STORED = (
    "A file holds the person's embeddings, aligned crops and the surroundings of the face on each photo. It lies in "
    "models/identities; delete the file there and the person is forgotten."
)


class SaveIdentity(io.ComfyNode):
    """Keep an identity as a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_SaveIdentity",
            display_name="Save Identity",
            category="Troupe/identities",
            description=f"Keep a person as a file, for Load Identity. {STORED}",
            search_aliases=["save face", "save embedding", "face model", "keep person"],
            is_output_node=True,
            inputs=[
                Identity.Input("identity", tooltip="Who: from Extract Identity or Mix Identities."),
                io.String.Input(
                    "file",
                    default="",
                    tooltip="The file's name, without a folder. Empty takes the person's name. Signs that a file's "
                    "name cannot have become _.",
                ),
                io.Combo.Input(
                    "existing",
                    options=[KEEP_BOTH, REPLACE],
                    default=KEEP_BOTH,
                    tooltip="Where a file has that name already: number the new one, or write over it.",
                ),
            ],
            outputs=[
                Identity.Output(display_name="identity"),
                io.String.Output(display_name="path", tooltip="Where the file lies."),
            ],
        )

    @classmethod
    def execute(cls, identity, file: str, existing: str) -> io.NodeOutput:
        path = str(store_identity(identity, file, existing))
        return io.NodeOutput(identity, path, ui=ui.PreviewText(f"Saved {identity.name} as {path}"))


class LoadIdentity(io.ComfyNode):
    """Take an identity out of a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_LoadIdentity",
            display_name="Load Identity",
            category="Troupe/identities",
            description=f"Take a person out of a file, with no photo and no face engine. {STORED}",
            search_aliases=["load face", "load embedding", "face model"],
            inputs=[
                io.Combo.Input(
                    "file", options=identity_names(), tooltip="A file of Save Identity, in models/identities."
                ),
            ],
            outputs=[
                Identity.Output(display_name="identity"),
                io.Image.Output(display_name="preview", tooltip="The faces that the file holds."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        return listed(file, identity_names(), "identity file", "Choose one, or press R after it was saved.")

    @classmethod
    def fingerprint_inputs(cls, file: str) -> str:
        return stamp_of(file)

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        identity = read_identity(file)
        return io.NodeOutput(identity, to_images([portrait_row(identity)]))


class MixIdentities(io.ComfyNode):
    """Somebody between people."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        ordinals = ("first", "second", "third", "fourth")
        return io.Schema(
            node_id="Troupe_MixIdentities",
            display_name="Mix Identities",
            category="Troupe/identities",
            description="A person between two to four people: the weighted average of their directions on the sphere.",
            search_aliases=["blend faces", "merge embeddings", "average identity", "slerp"],
            inputs=[
                *(
                    Identity.Input(name, optional=index > 1, tooltip=f"The {name} person.")
                    for index, name in enumerate(ordinals)
                ),
                io.String.Input("name", default="Mixed", tooltip="What the new person is called."),
                *(
                    io.Float.Input(
                        f"{name}_weight",
                        default=1.0,
                        min=0.0,
                        max=10.0,
                        step=0.05,
                        tooltip=f"How much the {name} person counts; only the proportions matter.",
                    )
                    for name in ordinals
                ),
            ],
            outputs=[Identity.Output(display_name="identity")],
        )

    @classmethod
    def execute(
        cls, first, second, name, first_weight, second_weight, third_weight, fourth_weight, third=None, fourth=None
    ) -> io.NodeOutput:
        weights = (first_weight, second_weight, third_weight, fourth_weight)
        people = [pair for pair in zip((first, second, third, fourth), weights, strict=True) if pair[0] is not None]
        try:
            return io.NodeOutput(mix_identities(name, *zip(*people, strict=True)))
        except ValueError as error:
            raise ValueError(f"Troupe, Mix Identities: {error}") from error


class CompareIdentities(io.ComfyNode):
    """Whether two identities are one person."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_CompareIdentities",
            display_name="Compare Identities",
            category="Troupe/identities",
            description="How alike two people are: the cosine of their directions, and a plain verdict.",
            search_aliases=["face similarity", "same person", "verify face"],
            is_output_node=True,
            inputs=[
                Identity.Input("first", tooltip="One person."),
                Identity.Input("second", tooltip="The other."),
                FaceEngine.Input(
                    "engine",
                    optional=True,
                    tooltip="Whose recogniser compares. Without one, a recogniser that has described both.",
                ),
            ],
            outputs=[
                io.Float.Output(display_name="similarity", tooltip="-1 to 1; of strangers around 0."),
                io.String.Output(display_name="verdict"),
            ],
        )

    @classmethod
    def execute(cls, first, second, engine=None) -> io.NodeOutput:
        similarity, words = compare(first, second, engine)
        return io.NodeOutput(similarity, words, ui=ui.PreviewText(words))


NODES: list[type[io.ComfyNode]] = [SaveIdentity, LoadIdentity, MixIdentities, CompareIdentities]
