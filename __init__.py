"""What ComfyUI reads of this pack: the entry point and the web folder, nothing else."""

WEB_DIRECTORY = "./web"
OLDEST_COMFYUI = "0.16.3"  # as in pyproject.toml


async def comfy_entrypoint():
    """Called once by ComfyUI when it starts; imports happen here so that looking at the package needs no host.

    Raises ImportError, which ComfyUI writes into its log beside the pack's name.
    """
    try:
        from .nodes import Troupe
    except ImportError as error:
        raise ImportError(
            f"Troupe cannot be loaded: {error}. It needs ComfyUI {OLDEST_COMFYUI} or newer, and the packages in its "
            "requirements.txt, installed with ComfyUI's own Python."
        ) from error
    return Troupe()
