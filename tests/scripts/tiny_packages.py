"""Tiny wheels and archives on the local disk, so that pip and the unpacking do their real work without a network."""

import io
import tarfile
import zipfile
from pathlib import Path


def write_wheel(folder: Path, name: str, modules: int = 1) -> Path:
    """A wheel of a package with so many modules, each of which knows its own number."""
    info = f"{name}-1.0.dist-info"
    files = {f"{name}/__init__.py": ""} | {f"{name}/part{i}.py": f"NUMBER = {i}\n" for i in range(modules)}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def write_tar(path: Path, files: dict[str, str], links: dict[str, str] | None = None) -> Path:
    """A .tar.gz with these members, whatever their names are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return path
