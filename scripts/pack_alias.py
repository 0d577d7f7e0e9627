"""Name this repository `pack` for the command that imports this: one set of module names for scripts and tests."""

import sys
from pathlib import Path
from types import ModuleType

if "pack" not in sys.modules:
    # A plain module with a path: the real __init__.py needs ComfyUI, which the scripts have yet to set up.
    pack = ModuleType("pack")
    pack.__path__ = [str(Path(__file__).resolve().parent.parent)]
    sys.modules["pack"] = pack
