"""The same browser on a ComfyUI that shows the newest front end."""

import sys

import pytest
from pack.scripts.bootstrap.older_hosts import newest_front_end_folder
from pack.scripts.bootstrap.places import ROOT, places
from pack.tests.host.real_server import RealServer
from pack.tests.web.canvas_page import CanvasPage
from pack.tests.web.conftest import SCREENSHOTS, installation_of


class NewestServer(RealServer):
    """A ComfyUI with the newest front end in place of its own."""

    def command(self) -> list[str]:
        return [*super().command(), "--front-end-root", str(newest_front_end_folder(places()))]


@pytest.fixture(scope="session")
def newest_server(tmp_path_factory):
    """Not called `server`: the page of the pinned front end would be opened on it."""
    if not (newest_front_end_folder(places()) / "index.html").is_file():
        pytest.skip("The newest front end is not there; scripts/test.py fetches it.")
    made = installation_of(sys.executable)
    variables = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "tests" / "network_guard")}
    with NewestServer(made, tmp_path_factory.mktemp("newest"), variables=variables) as running:
        yield running


@pytest.fixture(scope="session")
def page(page, newest_server):
    """A page of its own in the browser that is open already."""
    context = page.tab.context.browser.new_context(viewport={"width": 1280, "height": 960}, has_touch=True)
    yield CanvasPage(context.new_page(), newest_server, SCREENSHOTS / "newest")
    context.close()
