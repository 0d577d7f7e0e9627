"""One report on everything that this pack needs: packages, providers, model files, workflows, and where faces lie."""

from __future__ import annotations

from ..faces.face_cache import cache_folder
from ..model.families import family_lines
from ..model_folders import register_model_folders
from .doctor_files import sections
from .doctor_packages import package_lines, provider_lines
from .doctor_workflows import workflow_lines


def report() -> str:
    """The report as text. Lines that begin with ! (after the name of what they are about) say what is wrong."""
    register_model_folders()
    parts = [("Packages", package_lines()), ("Faces can be analysed on", provider_lines()), *sections()]
    parts.append(("Models that a cast can be drawn with", family_lines()))
    parts.append(("Workflows of this pack", workflow_lines()))
    kept = list(cache_folder().glob("*")) if cache_folder().is_dir() else []
    line = f"{len(kept)} files in {cache_folder()}; Clear Face Cache, or deleting the folder, forgets them"
    parts.append(("Face cache", [line]))
    text = "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in parts)
    troubles = sum(is_trouble(line) for line in text.splitlines())
    return f"{text}\n\n{troubles or 'No'} line{'s' * (troubles != 1)} with something missing or wrong, marked with !\n"


def is_trouble(line: str) -> bool:
    """Whether a line of the report says that something is missing or wrong."""
    return line.lstrip().startswith("! ") or ": ! " in line
