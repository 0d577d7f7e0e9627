"""Older ComfyUIs with their own front ends, and the newest front end: whether the pack loads, draws the same picture,
and its canvas works.

Each is fetched by hash into `.troupe/hosts` and run with the private environment's Python. docs/compatibility.md tells
what was found. Screenshots and logs are kept in `.troupe/bench/hosts`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache

from ..benches import Settings
from ..bootstrap.browser import find_browser
from ..bootstrap.host_archive import COMFYUI_VERSION
from ..bootstrap.older_hosts import NEWEST_FRONT_END, OLDER_HOSTS, newest_front_end, older_installation
from ..figures.verdict import Figure, Row
from .older_hosts.trial import RENDERERS, Trial, difference, try_host

SAME = 2.0  # levels of 255: other versions round otherwise, in every step
NEWEST = f"{COMFYUI_VERSION} with front end {NEWEST_FRONT_END}"
DRAWN = 3  # a new node has two regions, and one is drawn


def rows(settings: Settings) -> list[Row]:
    """What every older host lacks and how its picture differs from the private host's; the canvas of all of them."""
    browser = find_browser()
    hosts = [host for host in OLDER_HOSTS if not settings.quick or host is OLDER_HOSTS[0]]

    @cache
    def trial(version: str) -> Trial:
        folder = settings.places.home / "bench" / "hosts" / version
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        found = {host.version: host for host in OLDER_HOSTS}.get(version)
        if version == NEWEST:
            installation, front_end = settings.installation, newest_front_end(settings.places, settings.console)
        elif found is None:
            installation, front_end = settings.installation, None
        else:
            installation, front_end = older_installation(found, settings.places, settings.console)
        result = try_host(installation, front_end, folder, browser)
        for line in result.said:
            settings.console.say(f"  {version}: {line}")
        return result

    versions = [COMFYUI_VERSION, NEWEST, *(host.version for host in reversed(hosts))]
    return [row for version in versions for row in _rows_of(version, trial, browser is not None)]


def _rows_of(version: str, trial: Callable[[str], Trial], with_browser: bool) -> Iterator[Row]:
    def only(value: Callable[[], float]) -> Callable[[], Figure]:
        def measure() -> Figure:
            found = float(value())
            return Figure(found, found, found, 1)

        return measure

    def lacking() -> float:
        return len(trial(COMFYUI_VERSION).nodes - trial(version).nodes)

    def changed() -> float:
        return difference(trial(version).picture, trial(COMFYUI_VERSION).picture)

    if version not in (COMFYUI_VERSION, NEWEST):
        yield Row(f"ComfyUI {version}: nodes that it lacks", "", only(lacking), bound=0.0, least_samples=1)
        name = f"ComfyUI {version}: the demo picture, mean difference to {COMFYUI_VERSION}'s"
        yield Row(name, "of 255", only(changed), bound=SAME, least_samples=1)
    for renderer in RENDERERS if with_browser else ():
        name = f"ComfyUI {version}: regions on the canvas after one was drawn, {renderer}"
        count = only(lambda renderer=renderer: trial(version).regions[renderer])
        yield Row(name, "", count, bound=DRAWN, at_most=False, least_samples=1)
