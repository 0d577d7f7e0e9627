"""Tiny wheels and archives on the local disk, so that pip and the unpacking do their real work without a network."""

import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path


def write_wheel(
    folder: Path, name: str, modules: int = 1, version: str = "1.0", owns: str = "", needs: Sequence[str] = ()
) -> Path:
    """A wheel of a package with so many modules, each of which knows its own number.

    owns  : the module it brings, by default one of its own name
    needs : requirements
    """
    escaped, owns = name.replace("-", "_"), owns or name
    info = f"{escaped}-{version}.dist-info"
    files = {f"{owns}/__init__.py": f"OWNER = '{name} {version}'\n"}
    files |= {f"{owns}/part{i}.py": f"NUMBER = {i}\n" for i in range(modules)}
    required = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{escaped}-{version}-py3-none-any.whl"
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
