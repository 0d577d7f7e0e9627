"""Which face pack's recogniser an adapter was trained with, and which one an identity was described by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ....attention.adapters.formats import FORMATS
from ....attention.adapters.spec import AdapterSpec

# First 16 hex characters of the SHA-256 of recogniser files, published and the demo's: FaceEngine.recogniser has them.
PUBLISHED = {
    "4c06341c33c2ca1f": "buffalo_l",  # w600k_r50.onnx
    "4ab1d6435d639628": "antelopev2",  # glintr100.onnx
    "4b165a736e492826": "troupe-demo",
    "bc57fcebbfb99657": "troupe-demo-scorer",
}
RECOGNISERS = ("auto", "buffalo_l", "antelopev2", "any")
# Token width and layers of every published file: of SD1.5, of SDXL and Kolors, of FLUX.1.
PUBLISHED_LAYOUTS = {(768, 16), (2048, 70), (2048, 20)}


def packs_for(spec: AdapterSpec, chosen: str, undecided: bool, named: str = "") -> tuple[str, ...]:
    """The face packs whose embeddings an adapter reads; empty for any.

    chosen    : of RECOGNISERS. "auto" goes by the recogniser that the file names, and holds the published layouts to
                their pack; other adapters do not say what they were trained with, and take any.
    undecided : whether the format was not chosen by the user, so that every format of these shapes may be meant
    named     : the recogniser that the file names in its header, as FaceEngine.recogniser has it, or empty
    """
    own = FORMATS[spec.kind]
    if not own.face or chosen == "any":
        return ()
    if chosen != "auto":
        return (chosen,)
    if named:
        return (PUBLISHED.get(named, named),)
    if (spec.cross_width, len(spec.layer_widths)) not in PUBLISHED_LAYOUTS:
        return ()
    if undecided and spec.kind == "faceid portrait unnorm":  # the same file layout as InstantID's
        return (*own.recognisers, *FORMATS["instantid"].recognisers)
    return own.recognisers


def recogniser_for(
    embeddings: Mapping[str, np.ndarray], width: int, packs: tuple[str, ...], adapter: str, identity: str
) -> str:
    """The recogniser of an identity that feeds an adapter.

    embeddings : recogniser -> float32 [P, D]
    width      : numbers in the embeddings the adapter reads
    packs      : see `packs_for`
    Raises ValueError when there is none, or when nothing decides between several.
    """
    widths = {name: np.shape(rows)[-1] for name, rows in embeddings.items()}
    if not widths:
        raise ValueError(
            f"Troupe: the adapter '{adapter}' reads faces, and '{identity}' was made from a picture without one. Use "
            "Extract Identity on a photo of a person, or an adapter that reads pictures (IP-Adapter, IP-Adapter Plus)."
        )
    fitting = [name for name, found in widths.items() if found == width]
    if not fitting:
        found = ", ".join(f"{count} numbers from recogniser {name}" for name, count in widths.items())
        raise ValueError(
            f"Troupe: the adapter '{adapter}' reads face embeddings of {width} numbers, and identity '{identity}' has "
            f"{found}. Extract it with a face engine of that width (buffalo_l and antelopev2 give 512)."
        )
    if packs:
        return _of_packs(fitting, packs, adapter, identity)
    if len(fitting) > 1:
        raise ValueError(
            f"Troupe: identity '{identity}' was described by {len(fitting)} recognisers ({', '.join(fitting)}), "
            f"and the adapter '{adapter}' does not say which one it was trained with. Use an identity from one engine, "
            "or set 'recogniser' in Load Identity Adapter."
        )
    return fitting[0]


def _of_packs(fitting: list[str], packs: tuple[str, ...], adapter: str, identity: str) -> str:
    of_packs = [name for name in fitting if PUBLISHED.get(name, name) in packs]
    if len(of_packs) == 1:
        return of_packs[0]
    if of_packs:
        raise ValueError(
            f"Troupe: identity '{identity}' was described by the recognisers of {' and '.join(packs)}, and the adapter "
            f"'{adapter}' may have been trained with either. Set 'format' in Load Identity Adapter."
        )
    found = " and ".join(f"that of {PUBLISHED[n]}" if n in PUBLISHED else f"an unknown one ({n})" for n in fitting)
    raise ValueError(
        f"Troupe: the adapter '{adapter}' was trained with the recogniser of face pack {' or '.join(packs)}, and "
        f"identity '{identity}' was described by {found}; the picture would show a stranger. Choose {packs[0]} in Load "
        "Face Engine. If it is the same recogniser in another file, set 'recogniser' in Load Identity Adapter to any."
    )
