"""What ComfyUI reads of this pack: the entry point and the web folder, nothing else."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """Called once by ComfyUI when it starts; imports happen here so that looking at the package needs no host."""
    from .nodes import Troupe

    return Troupe()
