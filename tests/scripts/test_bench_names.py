"""What bench.py says without a bench, and which benches `--recipes` goes with."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "scripts" / "bench.py"


def said_by(*arguments):
    return subprocess.run([sys.executable, str(BENCH), *arguments], capture_output=True, text=True)


def test_every_bench_is_listed_with_what_it_says_of_itself():
    said = said_by()

    assert said.returncode == 0
    for file in BENCH.with_name("benches").glob("[a-z]*.py"):
        assert any(line.split()[:1] == [file.stem] and len(line.split()) > 5 for line in said.stdout.splitlines())


@pytest.mark.parametrize("arguments", [("--recipes",), ("leak", "--recipes")])
def test_recipes_are_compared_on_the_world_alone(arguments):
    said = said_by(*arguments)

    assert said.returncode == 1
    assert "bench.py world --recipes" in said.stderr + said.stdout


def test_photos_and_packs_of_ones_own_are_kept_and_shown_apart():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bench\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace as Of\n"
        "here = Of(comfyui=Path('host'))\n"
        "asked = lambda photos, pack: Of(name='faces', quick=False, photos=photos, pack=pack)\n"
        "runs = [asked(*run) for run in ((None, None), ('a', ['x']), ('b', ['x']), ('a', ['y']))]\n"
        "print(len({bench.store_key(run, here) for run in runs}), [bench.page_part(run)[0] for run in runs[:2]])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(BENCH.parent)], capture_output=True, text=True)

    assert done.stdout.strip() == "4 ['faces', \"faces, photos of one's own\"]", done.stderr
