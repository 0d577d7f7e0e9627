"""Serves a small picture of each saved identity to the editor, for its list of files."""

from __future__ import annotations

import asyncio
import io

from PIL import Image
from server import PromptServer, web

from ....face.identity import Identity
from .identity_folder import read_identity

ROUTE = "/troupe/identity_picture"  # with the query ?file=NAME, as Load Identity lists it
SIDE = 96
KEPT_BY_NOBODY = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


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
        identity = await asyncio.to_thread(read_identity, name)
    except ValueError:
        return web.Response(
            status=404, text="There is no saved identity of this name that can be read.", headers=KEPT_BY_NOBODY
        )
    return web.Response(body=small_picture(identity), content_type="image/png", headers=KEPT_BY_NOBODY)


def small_picture(identity: Identity) -> bytes:
    """PNG of the first face, or of the first photo of a subject without one."""
    picture = identity.crops[0] if len(identity.crops) else identity.photos[0]
    image = Image.fromarray(picture)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
