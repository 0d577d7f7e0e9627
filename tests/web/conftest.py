"""One real ComfyUI and one page of a headless Chromium for all tests of the canvas; each renderer in turn."""

import os
import sys
from pathlib import Path

import pytest
from pack.scripts.bootstrap.browser import FLAGS, find_browser
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.real_server import RealServer
from pack.tests.web.canvas_page import CanvasPage
from playwright.sync_api import sync_playwright

SCREENSHOTS = ROOT / "test-results" / "web"


def installation_of(python: str) -> Installation:
    """The ComfyUI that is tested, run by a Python."""
    folder = Path(os.environ.get("TROUPE_COMFYUI") or ROOT / ".troupe" / "ComfyUI").resolve()
    return Installation(folder, Path(python), tools=Path(python), private=True)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real ComfyUI with this pack in it, on the CPU, for the browser."""
    variables = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "tests" / "network_guard")}
    with RealServer(installation_of(sys.executable), tmp_path_factory.mktemp("web"), variables=variables) as running:
        yield running


@pytest.fixture(scope="session")
def page(server):
    """The editor in a browser, ready."""
    browser = find_browser()
    if browser is None:
        pytest.skip("There is no Chromium on the path; scripts/test.py installs Debian's where it runs as root.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        context = chromium.new_context(viewport={"width": 1280, "height": 960}, has_touch=True)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.address)
        yield CanvasPage(context.new_page(), server, SCREENSHOTS)
        chromium.close()


@pytest.fixture(scope="module", params=["classic", "nodes2"])
def renderer(request, page):
    """ComfyUI's classic renderer on LiteGraph's canvas, and Nodes 2.0 in Vue."""
    page.choose_renderer(request.param)
    return request.param


@pytest.fixture
def canvas(page, renderer):
    """The page with one Draw Regions node in it: two boxes, "left" and "right"."""
    page.choose_renderer(renderer)  # a test between may have chosen the other
    page.load(page.workflow())
    yield page
    assert page.faults() == []


@pytest.fixture
def classic(page):
    """The same in the classic renderer alone, for what the renderer has no part in."""
    page.choose_renderer("classic")
    page.load(page.workflow())
    yield page
    assert page.faults() == []
