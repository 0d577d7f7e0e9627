"""Names of files in a list: a workflow that was saved on another system parts folders by the other sign."""

from __future__ import annotations

from collections.abc import Sequence

import folder_paths


def full_path(folder: str, name: object) -> str | None:
    r"""Where the file of that name lies in ComfyUI's folders of a kind, `sd15\a.bin` the same as `sd15/a.bin`.

    Nowhere for what is no text: a prompt may hold null or a number for a name.
    """
    if not isinstance(name, str):
        return None
    return folder_paths.get_full_path(folder, name) or folder_paths.get_full_path(folder, _slashed(name))


def listed(name: object, names: Sequence[str], what: str, remedy: str) -> bool | str:
    """For `validate_inputs` of a node: True for a name that a list has, or a linked one (None), else a sentence.

    ComfyUI itself compares letter by letter, which turns a workflow from another system down.
    """
    if name is None or name in names or _slashed(str(name)) in map(_slashed, names):
        return True
    return f"there is no {what} '{name}' in the list. {remedy}"


def _slashed(name: str) -> str:
    return name.replace("\\", "/")
