"""Moving bars and previews, as a real server tells the editor of them; a run that is stopped ends between photos."""

import comfy.model_management
import comfy.utils
import numpy as np
import pytest
import torch
from pack.demo.people_by_name import NAMES, photo_of
from pack.nodes.faces.face_nodes import ExtractIdentity, LoadFaceEngine
from pack.nodes.host.progress import PASSES, Bar, Moving
from pack.nodes.regions.region_nodes import DrawRegions
from pack.tests.host.followed import follow, interrupt
from pack.tests.host.test_previews import correlation, drawing
from PIL import Image

HALVES = DrawRegions.GET_SCHEMA().inputs[3].default


def photos_of(*people):
    """Nodes "p0", ... with a demo photo each, joined into a batch by nodes "b1", ...; the last one's id."""
    nodes = {f"p{n}": {"class_type": "Troupe_DemoPhoto", "inputs": {"person": who}} for n, who in enumerate(people)}
    last = "p0"
    for number in range(1, len(people)):
        inputs = {"image1": [last, 0], "image2": [f"p{number}", 0]}
        last = f"b{number}"
        nodes[last] = {"class_type": "ImageBatch", "inputs": inputs}
    return nodes, last


def extraction(*people, name="Ada"):
    nodes, batch = photos_of(*people)
    return nodes | {
        "engine": {"class_type": "Troupe_LoadFaceEngine", "inputs": {"pack": "troupe-demo", "provider": "CPU"}},
        "extract": {
            "class_type": "Troupe_ExtractIdentity",
            "inputs": {"engine": ["engine", 0], "image": [batch, 0], "name": name, "select": "largest"},
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["extract", 1]}},
    }


def test_extraction_moves_its_bar_photo_by_photo_and_shows_each(server):
    seen = follow(server, extraction(*NAMES[:3]))

    values = [value for value, _ in seen.bars["extract"]]
    assert seen.ending == "execution_success"
    assert values == sorted(values)
    assert {0, PASSES, 2 * PASSES, 3 * PASSES} <= set(values)
    assert {most for _, most in seen.bars["extract"]} == {3 * PASSES}
    for frame, who in zip(seen.frames["extract"], NAMES[:3], strict=True):
        photo = Image.fromarray((photo_of(who).numpy() * 255).round().astype(np.uint8))
        assert correlation(frame, photo.resize(frame.shape[1::-1])) > 0.95


def test_without_previews_the_bar_moves_and_no_photo_is_sent(server):
    seen = follow(server, extraction(*NAMES[3:5], name="Ben"), previews="none")

    assert seen.bars["extract"][-1] == (2 * PASSES, 2 * PASSES)
    assert seen.frames == {}


def test_an_extraction_that_the_editor_stops_ends_between_photos(server):
    nodes = extraction(NAMES[0], name="Cy")  # on blank photos, which take every look of the ladder
    blank = {"width": 512, "height": 512, "batch_size": 16, "color": 0x6080A0}
    nodes["p0"] = {"class_type": "EmptyImage", "inputs": blank}
    nodes["engine"]["inputs"]["cache"] = "off"
    nodes["extract"]["inputs"]["no_face"] = "whole picture"
    seen = follow(server, nodes, on_bar=lambda node, _: node == "extract" and interrupt(server))

    assert seen.ending == "execution_interrupted"
    assert max(value for value, _ in seen.bars["extract"]) < 16 * PASSES
    assert follow(server, extraction(NAMES[0], name="Di")).ending == "execution_success"


class StoppedAtOnce:
    """The real engine; the user stops the run while it looks at the first photo."""

    def __init__(self, engine):
        self.engine, self.looked = engine, []

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def locate(self, image, size, threshold):
        self.looked.append(image)
        comfy.model_management.interrupt_current_processing()
        return self.engine.locate(image, size, threshold)


def test_the_photos_after_an_interrupt_are_not_looked_at():
    engine = StoppedAtOnce(LoadFaceEngine.execute("troupe-demo", "CPU", cache="off").args[0])
    images = torch.stack([photo_of(who) for who in NAMES[:3]])

    with pytest.raises(comfy.model_management.InterruptProcessingException):
        ExtractIdentity.execute(engine, images, "Ada", "largest")
    assert len(engine.looked) == 1
    comfy.model_management.throw_exception_if_processing_interrupted()  # nothing of the stop is left


def test_scoring_moves_its_bar(server):
    nodes = extraction(NAMES[0]) | {
        "regions": {
            "class_type": "Troupe_DrawRegions",
            "inputs": {"width": 128, "height": 128, "regions": HALVES},
        },
        "cast": {
            "class_type": "Troupe_CastMember",
            "inputs": {"identity": ["extract", 0], "regions": ["regions", 0], "region": "left", "strength": 1.0},
        },
    }
    two, batch = photos_of(NAMES[0], NAMES[1])
    nodes |= {f"x{key}": node for key, node in two.items()}
    nodes[f"x{batch}"]["inputs"] = {"image1": ["xp0", 0], "image2": ["xp1", 0]}
    scored = {"engine": ["engine", 0], "images": [f"x{batch}", 0], "cast": ["cast", 0]}
    nodes["score"] = {"class_type": "Troupe_ScoreCast", "inputs": scored}

    seen = follow(server, nodes)
    assert seen.ending == "execution_success"
    assert [value for value, _ in seen.bars["score"]] == [0, 1, 2]


def test_what_the_adapter_reads_of_each_person_moves_a_bar(server):
    people = extraction(NAMES[0])
    regions = {"width": 128, "height": 128, "regions": HALVES}
    people["regions"] = {"class_type": "Troupe_DrawRegions", "inputs": regions}
    cast = None
    for side in ("left", "right"):
        member = {"identity": ["extract", 0], "regions": ["regions", 0], "region": side, "strength": 1.0}
        people[side] = {"class_type": "Troupe_CastMember", "inputs": member | ({"cast": cast} if cast else {})}
        cast = [side, 0]
    file = {"file": "troupe-demo-faceid.safetensors", "format": "auto"}
    people["adapter"] = {"class_type": "Troupe_LoadAdapter", "inputs": file}
    applied = {"model": ["world", 0], "cast": cast, "adapter": ["adapter", 0]}
    settings = {"recipe": "decoupled", "strength": 0.7}
    people["apply"] = {"class_type": "Troupe_ApplyCast", "inputs": applied | settings}
    prompt = people | drawing(steps=1)
    prompt["sample"]["inputs"]["model"] = ["apply", 0]

    assert follow(server, prompt).bars["apply"][-1] == (2, 2)


def test_going_through_a_sequence_outside_of_a_run_gives_what_is_in_it():
    assert list(Moving(["a", "b"])) == ["a", "b"]


def test_a_bar_waits_before_the_end_of_an_item_until_the_next_begins(monkeypatch):
    shown = []
    monkeypatch.setattr(comfy.utils, "PROGRESS_THROTTLE_MIN_INTERVAL", 0)
    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", lambda value, *_, **__: shown.append(value))
    bar = Bar(2, 3)
    for item in range(2):
        bar.begin(item)
        for _ in range(5):  # more parts than were said
            bar.part()
        assert shown[-1] == item * 3 + 2
    bar.end()
    assert shown[-1] == 6
