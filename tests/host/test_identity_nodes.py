"""Extract, save, load, mix and compare people, the cache, and regions from faces, in the real host."""

import asyncio
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import folder_paths
import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import with_member
from pack.attention.regions.region import Region
from pack.demo.people_by_name import photo_of
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.face.selection import LEFT_TO_RIGHT, NEAREST, SIMILAR
from pack.nodes.faces.face_cache_nodes import ClearFaceCache
from pack.nodes.faces.face_nodes import ExtractIdentity, LoadFaceEngine
from pack.nodes.faces.identity_nodes import CompareIdentities, LoadIdentity, MixIdentities, SaveIdentity
from pack.nodes.host.faces import identity_pictures
from pack.nodes.host.faces.face_cache import cache_folder
from pack.nodes.host.faces.identity_folder import NO_FILE
from pack.nodes.host.faces.identity_pictures import identity_picture
from pack.nodes.host.images import to_images
from pack.nodes.regions.face_region_nodes import RegionsFromFaces
from pack.tests.face.onnx_packs import red_squares, write_recogniser, write_square_detector
from pack.tests.host.finished import finished

DEMO = Path(__file__).parents[2] / "demo" / "weights" / "insightface" / "models" / "troupe-demo"


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    base = tmp_path_factory.mktemp("models")
    write_square_detector(base / "models" / "squares" / "det.onnx", lenient=True)
    write_recogniser(base / "models" / "squares" / "rec.onnx")
    return base


@pytest.fixture(autouse=True)
def folders(packs, tmp_path, monkeypatch):
    """Model folders of the test's own, in place of all the host knows."""
    table = folder_paths.folder_names_and_paths
    monkeypatch.setitem(table, "insightface", ([str(packs)], set()))
    monkeypatch.setitem(table, "identities", ([str(tmp_path / "identities")], set()))
    for module in ("model_folders", "faces.identity_folder"):
        monkeypatch.setattr(f"pack.nodes.host.{module}.register_model_folders", lambda: None)
    folder_paths.filename_list_cache.pop("identities", None)
    return tmp_path / "identities"


def run(node, **inputs):
    with torch.inference_mode():
        return node.execute(**inputs).result


def photo(*squares, seeds=None, size=256):
    """Black with red squares at (x, y, side), each with the pattern of its seed."""
    picture = np.zeros((size, size, 3), np.uint8)
    for index, square in enumerate(squares):
        picture |= red_squares(size, size, square, seed=(seeds or range(9))[index])
    return to_images([picture])


@pytest.fixture
def engine():
    return run(LoadFaceEngine, pack="squares", provider="CPU")[0]


def extract(engine, image, name="Ada", select="largest", **inputs):
    return run(ExtractIdentity, engine=engine, image=image, name=name, select=select, **inputs)


THREE = photo((16, 40, 32), (112, 160, 32), (200, 96, 32), seeds=(1, 2, 3))


@pytest.mark.parametrize(
    ("select", "inputs", "left_edge"),
    [
        (LEFT_TO_RIGHT, {"index": 2}, 110),
        (LEFT_TO_RIGHT, {"index": -1}, 200),
        (NEAREST, {"x": 0.1, "y": 0.9}, 110),
        (NEAREST, {"x": 0.9, "y": 0.1}, 200),
        (NEAREST, {"place": (Region("here", x=0.0, y=0.0, width=0.3, height=0.5),)}, 20),
    ],
)
def test_a_face_is_selected_by_order_or_place(engine, select, inputs, left_edge):
    ada = extract(engine, THREE, select=select, **inputs)[0]

    assert abs(ada.boxes[0][0] - left_edge) < 5


def test_a_face_is_selected_by_likeness_and_feeds_everything(engine):
    bea = extract(engine, photo((96, 96, 32), seeds=(2,)), "Bea")[0]

    found = extract(engine, THREE, "Bea", SIMILAR, like=bea)[0]

    assert abs(found.boxes[0][0] - 110) < 5
    assert run(CompareIdentities, first=found, second=bea)[0] > 0.9


def test_a_selection_that_cannot_be_made_names_the_photo_and_the_number_of_faces(engine):
    with pytest.raises(ValueError, match=r"photo of 'Ada': Face 4 from the left was asked for, and 3 faces were found"):
        extract(engine, THREE, select=LEFT_TO_RIGHT, index=4)
    with pytest.raises(ValueError, match="Connect one to the input 'like'"):
        extract(engine, THREE, select=SIMILAR)
    with pytest.raises(ValueError, match="'place' holds no region"):
        extract(engine, THREE, select=NEAREST, place=())


def test_photos_without_a_face_stop_are_skipped_or_taken_whole(engine):
    photos = torch.cat([photo((96, 96, 32)), torch.full((1, 256, 256, 3), 0.5)])

    with pytest.raises(ValueError, match=r"No face was found in photo 2 of 2 of 'Ada'.*turned by 180 degrees"):
        extract(engine, photos)
    skipped, preview, report = extract(engine, photos, no_face="skip the photo")
    assert (len(skipped.crops), len(skipped.photos), len(preview)) == (1, 1, 2)
    assert "Photo 2 of 2 (256x256 pixels): no face, skipped; tried at 256x256" in report
    whole = extract(engine, photos, no_face="whole picture")[0]
    assert whole.boxes[1].tolist() == [0, 0, 256, 256]
    assert set(whole.crops[1].ravel()) == {128}
    with pytest.raises(ValueError, match="any of 1 photos of 'Ada', so every one of them was skipped"):
        extract(engine, photos[1:], no_face="skip the photo")


def test_a_photo_of_someone_else_is_pointed_out(caplog):
    engine = load_engine(read_pack("troupe-demo", DEMO), "CPU")
    people = (("Ada", 0), ("Ada", 1), ("Ben", 0), ("Ada", 2))
    photos = torch.stack([photo_of(name, 256, number) for name, number in people])

    report = extract(engine, photos)[2]

    assert "Photo 3 of 'Ada' seems to show someone else" in report
    assert "Photo 3 of 'Ada' seems" in caplog.text
    assert "someone else" not in extract(engine, photos[:2])[2]
    assert "do not agree on one person: photo 1 and photo 2" in extract(engine, photos[1:3])[2]


def test_a_person_is_saved_numbered_loaded_and_refused_when_gone(engine, folders):
    ada = extract(engine, photo((96, 96, 32)), "Ada/../x")[0]
    assert [e.options for e in LoadIdentity.define_schema().inputs] == [[NO_FILE]]
    with pytest.raises(ValueError, match=r"no identity has been saved yet in .*identities\. Save one"):
        run(LoadIdentity, file=NO_FILE)

    paths = [run(SaveIdentity, identity=ada, file=name, existing=existing)[1] for name, existing in
             (("", "keep both"), ("", "keep both"), ("b.safetensors", "replace"), ("b", "replace"))]  # fmt: skip

    names = ["Ada_.._x.safetensors", "Ada_.._x-2.safetensors", "b.safetensors", "b.safetensors"]
    assert paths == [str(folders / name) for name in names]
    folder_paths.filename_list_cache.pop("identities", None)
    assert LoadIdentity.define_schema().inputs[0].options == sorted(set(names))
    back, preview = run(LoadIdentity, file="b.safetensors")
    assert back.name == "Ada/../x"
    assert preview.shape == (1, 112, 112, 3)
    assert run(CompareIdentities, first=ada, second=back)[0] == pytest.approx(1)
    stamp = LoadIdentity.fingerprint_inputs(file="b.safetensors")
    run(SaveIdentity, identity=run(MixIdentities, **mix(ada, ada))[0], file="b", existing="replace")
    assert LoadIdentity.fingerprint_inputs(file="b.safetensors") != stamp
    with pytest.raises(ValueError, match=r"no identity file named 'c\.safetensors'"):
        run(LoadIdentity, file="c.safetensors")


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "..\\x"])
def test_no_file_name_leads_out_of_the_folder(engine, folders, name):
    ada = extract(engine, photo((96, 96, 32)))[0]

    path = run(SaveIdentity, identity=ada, file=name, existing="replace")[1]

    assert re.fullmatch(rf"{re.escape(str(folders))}/[^/]+\.safetensors", path)
    (folders.parent / "secret.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match="no identity file named"):
        run(LoadIdentity, file="../secret.safetensors")


def mix(first, second, **inputs):
    weights = {f"{name}_weight": 1.0 for name in ("first", "second", "third", "fourth")}
    return {"first": first, "second": second, "name": "Mixed", **weights, **inputs}


def test_mixing_and_comparing_say_what_they_find(engine):
    ada, bea = (extract(engine, photo((96, 96, 32), seeds=(s,)), n)[0] for s, n in ((1, "Ada"), (2, "Bea")))

    between = run(MixIdentities, **mix(ada, bea, first_weight=3.0))[0]

    assert (between.name, len(between.crops)) == ("Mixed", 2)
    near, far = (run(CompareIdentities, first=between, second=person)[0] for person in (ada, bea))
    assert near > far > run(CompareIdentities, first=ada, second=bea)[0]
    similarity, verdict = run(CompareIdentities, first=ada, second=ada, engine=engine)
    assert verdict == "Ada and Ada: the same person (similarity 1.00)."
    assert similarity == pytest.approx(1)
    with pytest.raises(ValueError, match="Troupe, Mix Identities: Weights"):
        run(MixIdentities, **mix(ada, bea, first_weight=0.0, second_weight=0.0))


@pytest.mark.parametrize("cache", ["memory", "memory and disk", "off"])
def test_a_second_run_does_no_face_work_unless_the_cache_is_off(monkeypatch, cache):
    run(ClearFaceCache)
    calls = []
    first = run(LoadFaceEngine, pack="squares", provider="CPU", cache=cache)[0]
    watched = type(first).locate
    monkeypatch.setattr(type(first), "locate", lambda self, *rest: calls.append(1) or watched(self, *rest))
    embedded = type(first).embed
    monkeypatch.setattr(type(first), "embed", lambda self, crops: calls.append(2) or embedded(self, crops))

    extract(first, THREE, "Ada")
    done = len(calls)
    again = run(LoadFaceEngine, pack="squares", provider="CPU", cache=cache)[0]
    ada = extract(again, THREE, "Someone", "rightmost")[0]

    assert done == 4  # a pass, two checks of the turn, an embedding
    assert len(calls) == (8 if cache == "off" else 4)
    assert ada.boxes[0][0] > 190
    kept = list(cache_folder().glob("*")) if cache_folder().exists() else []
    assert len(kept) == (1 if cache == "memory and disk" else 0)
    (report,) = run(ClearFaceCache)
    assert report.startswith(f"Forgot {0 if cache == 'off' else 1} analyses in memory and {len(kept)} on disk")
    assert str(cache_folder()) in report


def test_faces_become_regions_with_a_margin_from_left_to_right(engine):
    regions, masks, preview = run(
        RegionsFromFaces, engine=engine, image=THREE, names="Zoe", assign="similarity", shape="box", margin=0.25,
        most=0, threshold=0.5,
    )  # fmt: skip

    assert [region.name for region in regions] == ["Zoe", "person 2", "person 3"]
    np.testing.assert_allclose([r.x * 256 for r in regions], [12, 102, 192], atol=5)
    np.testing.assert_allclose([r.width * 256 for r in regions], 48, atol=1)
    assert masks.shape == (3, 256, 256)
    assert preview.shape == (1, 512, 512, 3)


@pytest.mark.parametrize(("assign", "names"), [("similarity", ["Bea", "person 2", "Ada"]),
                                               ("left to right", ["Ada", "Bea", "person 3"])])  # fmt: skip
def test_people_find_their_regions_by_likeness_or_order_and_members_find_them_by_name(engine, assign, names):
    ada, bea = (extract(engine, photo((96, 96, 32), seeds=(s,)), n)[0] for s, n in ((3, "Ada"), (1, "Bea")))

    regions = run(
        RegionsFromFaces, engine=engine, image=THREE, names="", assign=assign, shape="ellipse", margin=0.0, most=0,
        threshold=0.5, identities={"identity_0": ada, "identity_2": bea},
    )[0]  # fmt: skip

    assert [region.name for region in regions] == names
    assert with_member((), ada, regions, "")[0].region.name == "Ada"


def test_too_few_faces_and_taken_names_are_refused(engine):
    ada = extract(engine, photo((96, 96, 32)))[0]
    inputs = {"engine": engine, "assign": "similarity", "shape": "box", "margin": 0.0, "most": 0, "threshold": 0.5}

    with pytest.raises(ValueError, match=r"1 face was found on the layout picture.*2 people are given\. Tried"):
        run(RegionsFromFaces, image=photo((96, 96, 32)), names="", identities={"a": ada, "b": ada}, **inputs)
    with pytest.raises(ValueError, match="no face was found on the layout picture"):
        run(RegionsFromFaces, image=torch.zeros(1, 64, 64, 3), names="", **inputs)
    with pytest.raises(ValueError, match="two regions would be named 'Ada'"):
        run(RegionsFromFaces, image=THREE, names="", regions=(Region("Ada"),), identities={"a": ada}, **inputs)
    (one,) = run(RegionsFromFaces, image=THREE, names="A", **{**inputs, "most": 1})[0]
    assert one.name == "A"


def test_the_server_saves_a_person_and_finds_the_file(server):
    prompt = {
        "1": {"class_type": "Troupe_LoadFaceEngine", "inputs": {"pack": "troupe-demo", "provider": "CPU"}},
        "2": {"class_type": "Troupe_DemoPhoto", "inputs": {"person": "Ada"}},
        "3": {
            "class_type": "Troupe_ExtractIdentity",
            "inputs": {"engine": ["1", 0], "image": ["2", 0], "name": "Ada", "select": "largest"},
        },
        "4": {"class_type": "Troupe_SaveIdentity", "inputs": {"identity": ["3", 0], "file": "", "existing": "replace"}},
        "5": {
            "class_type": "Troupe_RegionsFromFaces",
            "inputs": {
                "engine": ["1", 0], "image": ["2", 0], "names": "", "assign": "similarity", "shape": "box",
                "margin": 0.25, "most": 0, "threshold": 0.5, "identities.identity_0": ["3", 0],
            },
        },
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 2], "filename_prefix": "layout"}},
    }  # fmt: skip

    entry = server.post_prompt(prompt)

    assert server.images(entry, "6")
    assert (server.base / "models" / "identities" / "Ada.safetensors").is_file()
    saved = server.object_info()["Troupe_LoadIdentity"]["input"]["required"]["file"]
    assert "Ada.safetensors" in str(saved)
    for text in (str(entry["status"]), str(entry["outputs"])):
        assert "embedding" not in text


def test_the_server_goes_on_while_it_reads_pictures_of_faces_two_at_a_time(monkeypatch):
    """As the editor asks for one of each file at once."""
    at_work, most, go_on, lock = [], [], threading.Event(), threading.Lock()

    def slow(name):
        with lock:
            at_work.append(name)
            most.append(len(at_work))
        in_time = go_on.wait(2)
        with lock:
            at_work.remove(name)
        if not in_time:
            raise ValueError("the event loop stood still")
        return b""

    async def ask():
        asked = [asyncio.create_task(identity_picture(SimpleNamespace(query={"file": str(n)}))) for n in range(8)]
        while len(most) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        go_on.set()
        return [answer.status for answer in await asyncio.gather(*asked)]

    monkeypatch.setattr(identity_pictures, "small_picture", slow)
    monkeypatch.setattr(identity_pictures, "AT_ONCE", asyncio.Semaphore(identity_pictures.AT_ONCE._value))

    assert finished(ask()) == [200] * 8
    assert max(most) <= 2
