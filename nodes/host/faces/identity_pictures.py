"""Serves a small picture of each saved identity to the editor, for its list of files."""

from __future__ import annotations

import asyncio
import io

from PIL import Image
from server import PromptServer, web

from ....face.identity_file import read_picture
from .identity_folder import identity_path

ROUTE = "/troupe/identity_picture"  # with the query ?file=NAME, as Load Identity lists it
SIDE = 96
AT_ONCE = asyncio.Semaphore(2)  # files that are read
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def register_identity_pictures() -> None:
    """Add the route to ComfyUI's server, where there is one; called once, when the pack loads."""
    if getattr(PromptServer, "instance", None) is not None:
        PromptServer.instance.routes.get(ROUTE)(identity_picture)


async def identity_picture(request: web.Request) -> web.Response:
    """The first face of a file as PNG; 404 for a file that is not there or no identity, without a word on folders.

    No browser or proxy is to keep it: somebody's face.
    """
    name = request.query.get("file", "")
    try:
        async with AT_ONCE:
            body = await asyncio.to_thread(small_picture, name)
    except ValueError:  # its message names folders, which are nobody else's business
        return web.Response(status=404, text=f"There is no picture of an identity file '{name}'.", headers=HEADERS)
    return web.Response(body=body, content_type="image/png", headers=HEADERS)


def small_picture(name: str) -> bytes:
    """PNG of the first face in the file of that name, or of the first photo of a subject. Raises ValueError."""
    image = Image.fromarray(read_picture(identity_path(name)))
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
