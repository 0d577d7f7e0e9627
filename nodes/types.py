"""The socket types that Troupe's nodes pass to each other. Links compare these names: they are final."""

from comfy_api.latest import io

FaceEngine = io.Custom("TROUPE_FACE_ENGINE")  # face.engine.FaceEngine
Identity = io.Custom("TROUPE_IDENTITY")  # face.identity.Identity
Adapter = io.Custom("TROUPE_ADAPTER")  # nodes.host.adapters.adapter_model.LoadedAdapter
Regions = io.Custom("TROUPE_REGIONS")  # tuple[attention.regions.region.Region, ...]
Attention = io.Custom("TROUPE_ATTENTION")  # nodes.host.effects.attention_recorder.AttentionRecorder
Cast = io.Custom("TROUPE_CAST")  # tuple[attention.recipes.cast.Member, ...]
Motion = io.Custom("TROUPE_MOTION")  # face.motion.Motion
Reconfigurer = io.Custom("TROUPE_RECONFIGURER")  # nodes.host.adapters.reconfigurer_model.LoadedReconfigurer
BoundingBox = io.Custom("BOUNDING_BOX")  # the host's own type; older hosts have detectors but no class for it

# For nodes that show something and are no outputs: it is shown again when a run has nothing to make anew. Older hosts
# know no such argument, and there it is shown when it is made.
SHOWN_AGAIN = {"has_intermediate_output": True} if "has_intermediate_output" in io.Schema.__dataclass_fields__ else {}
