"""Cast Board: photos by file name, people in places, words; the same cast as when it is wired by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pack.attention.recipes.recipe_book import recipe_named
from pack.demo.people_by_name import photo_of
from pack.face.engine import NoFaceFound
from pack.nodes.board.board_nodes import TWO_PLACES, CastBoard
from pack.nodes.board.board_value import MOST_PEOPLE, BoardTextError, decode_board
from pack.nodes.cast.adapter_nodes import LoadAdapter
from pack.nodes.cast.cast_nodes import CastMember
from pack.nodes.faces.face_nodes import ExtractIdentity, LoadFaceEngine
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.faces.recognisers import PUBLISHED
from pack.nodes.host.images import to_pictures
from pack.nodes.regions.region_nodes import DrawRegions
from pack.nodes.scores.cast_scoring import score_cast
from pack.nodes.setup.demo_nodes import LoadDemoWorld
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.hosting.client import PromptRefused
from PIL import Image

PLACES = {
    "Ada": {"x": 0.0, "y": 0.0, "width": 0.5, "height": 1.0},
    "Dev": {"x": 0.5, "y": 0.0, "width": 0.5, "height": 1.0},
}


def keep_photo(folder: Path, name: str) -> str:
    """A person's photo as the board uploads it; what the board calls it."""
    (folder / "troupe").mkdir(exist_ok=True)
    pixels = (photo_of(name) * 255).round().to(torch.uint8).numpy()
    Image.fromarray(pixels).save(folder / "troupe" / f"{name}.png")
    return f"troupe/{name}.png"


def board(people: dict, **more) -> str:
    """The text of a board: name to what a person has."""
    regions = [
        {"name": name, **PLACES.get(name, PLACES["Ada"]), "order": index, "person": person}
        for index, (name, person) in enumerate(people.items())
    ]
    return json.dumps({"version": 2, "board": 1, "regions": regions, **more})


def with_photo(file: str, **more) -> dict:
    return {"photos": [{"file": file, "name": Path(file).name}], **more}


@torch.inference_mode()
def drawn(core_nodes, world, model):
    """A picture in two steps, [1, 128, 128, 3]."""
    _, clip, vae, *_ = world
    words = [core_nodes["CLIPTextEncode"]().encode(clip, text)[0] for text in ("a photo of two people", "")]
    (latent,) = core_nodes["EmptyLatentImage"]().generate(128, 128, 1)
    (latent,) = core_nodes["KSampler"]().sample(model, 7, 2, 3.0, "euler", "simple", *words, latent)
    return core_nodes["VAEDecode"]().decode(vae, latent)[0]


@pytest.fixture(scope="module")
def engine():
    return LoadFaceEngine.execute("troupe-demo", "CPU").args[0]


@pytest.fixture
def inputs():
    import folder_paths

    return Path(folder_paths.get_input_directory())


def test_a_board_is_the_cast_that_was_wired_by_hand(engine, inputs):
    text = board({name: with_photo(keep_photo(inputs, name), strength=0.8) for name in ("Ada", "Dev")})

    cast, regions, masks, width, height, report = CastBoard.execute(128, 64, text, engine=engine).args

    drawn, wanted_masks = DrawRegions.execute(128, 64, text).args
    wanted = None
    for name in ("Ada", "Dev"):
        identity = ExtractIdentity.execute(engine, photo_of(name)[None], name, "largest").args[0]
        wanted = CastMember.execute(identity, drawn, name, 0.8, wanted).args[0]
    assert (width, height) == (128, 64)
    assert torch.equal(masks, wanted_masks)
    assert [region.name for region in regions] == ["Ada", "Dev"]
    for member, other in zip(cast, wanted, strict=True):
        assert (member.identity.name, member.strength, member.region.x) == (
            other.identity.name, other.strength, other.region.x,
        )  # fmt: skip
        for recogniser, rows in other.identity.embeddings.items():
            assert np.array_equal(member.identity.embeddings[recogniser], rows)
    assert report.count("took face 1") == 2


def test_the_prompt_draws_the_same_picture_as_the_wired_one(server):
    prompt = server.to_api(
        json.loads((ROOT / "workflows" / "10 Two people, wired by hand.json").read_text(encoding="utf-8"))
    )
    used = ("1", "11", "12", "13", "14", "15", "16", "17", "18", "19")
    wired = {key: node for key, node in prompt.items() if int(key) <= 19}
    wired["17"]["inputs"]["steps"] = 4
    short = {key: json.loads(json.dumps(wired[key])) for key in used}
    text = board({name: with_photo(keep_photo(server.base / "input", name)) for name in ("Ada", "Dev")})
    short["30"] = {
        "class_type": "Troupe_CastBoard",
        "inputs": {"engine": ["1", 0], "width": 128, "height": 128, "board": text},
    }
    short["13"]["inputs"]["cast"] = ["30", 0]
    shortest = json.loads(json.dumps(short))
    del shortest["1"], shortest["12"], shortest["30"]["inputs"]["engine"], shortest["13"]["inputs"]["adapter"]
    kinds = [node["class_type"] for node in shortest.values() if node["class_type"].startswith("Troupe_")]
    assert sorted(kinds) == ["Troupe_ApplyCast", "Troupe_CastBoard", "Troupe_LoadDemoWorld"]

    entries = [server.post_prompt(one) for one in (wired, short, shortest)]

    pictures = [server.images(entry, "19")[0] for entry in entries]
    assert pictures[0]
    for picture in pictures[1:]:
        assert picture.split(b"IDAT")[1:] == pictures[0].split(b"IDAT")[1:]
    said = json.dumps(entries[2]["outputs"]["13"])
    assert "troupe-demo-faceid.safetensors" in said
    assert "It reads faces by troupe-demo." in said


def test_several_photos_are_one_person_and_a_point_chooses_the_face(engine, inputs):
    both = np.concatenate([(photo_of(name) * 255).round().to(torch.uint8).numpy() for name in ("Ada", "Dev")], axis=1)
    Image.fromarray(both).save(inputs / "both.png")
    ada = keep_photo(inputs, "Ada")
    chosen = {"photos": [{"file": "both.png", "face": [0.75, 0.5]}, {"file": keep_photo(inputs, "Dev")}]}
    like_the_first = {"photos": [{"file": ada}, {"file": "both.png"}]}

    cast = CastBoard.execute(128, 128, board({"Dev": chosen, "Ada": like_the_first}), engine=engine).args[0]

    for member, name in zip(cast, ("Dev", "Ada"), strict=True):
        wanted = ExtractIdentity.execute(engine, photo_of(name)[None], name, "largest").args[0].embeddings
        rows = member.identity.embeddings[engine.recogniser]
        assert rows.shape[0] == len(member.identity.photos) == 2
        for row in rows:
            own = wanted[engine.recogniser][0]
            assert row @ own / np.linalg.norm(row) / np.linalg.norm(own) > 0.8


def test_without_an_engine_the_photos_go_along(inputs):
    result = CastBoard.execute(64, 64, board({"Ada": with_photo(keep_photo(inputs, "Ada"))}))
    (member,) = result.args[0]
    assert not member.identity.embeddings
    assert member.identity.photos[0].shape[2] == 3
    assert "the nodes that know the face pack" in result.args[5]


def test_faces_are_found_where_the_face_pack_is_known(core_nodes, engine, inputs, monkeypatch):
    monkeypatch.setitem(PUBLISHED, engine.recogniser, "troupe-demo")
    world = LoadDemoWorld.execute().args
    adapter = replace(LoadAdapter.execute("troupe-demo-faceid.safetensors", "auto").args[0], packs=("troupe-demo",))
    text = board({name: with_photo(keep_photo(inputs, name)) for name in ("Ada", "Dev")})
    late, early = (CastBoard.execute(128, 128, text, engine=one).args[0] for one in (None, engine))

    pictures = [
        drawn(core_nodes, world, patch_cast(world[0], cast, adapter, recipe_named("decoupled"), 0.7))
        for cast in (late, early)
    ]
    assert torch.equal(*pictures)
    scores = [score_cast(engine, to_pictures(pictures[0]), cast).report for cast in (late, early)]
    assert scores[0] == scores[1]


def test_a_face_pack_that_is_not_there_is_named_with_what_helps(inputs):
    world = LoadDemoWorld.execute().args
    adapter = LoadAdapter.execute("troupe-demo-faceid.safetensors", "auto").args[0]
    cast = CastBoard.execute(64, 64, board({"Ada": with_photo(keep_photo(inputs, "Ada"))})).args[0]
    for packs, said in ((("buffalo_l",), "face pack buffalo_l; installed are: "), ((), "does not say which face pack")):
        with pytest.raises(ValueError, match=said) as caught:
            patch_cast(world[0], cast, replace(adapter, packs=packs), recipe_named("decoupled"), 1.0)
        assert "connect Load Face Engine to Cast Board" in str(caught.value) or "Connect Load Face" in str(caught.value)


def test_words_are_encoded_as_the_stock_node_does_and_missed_without_a_clip(core_nodes, inputs):
    clip = LoadDemoWorld.execute().args[1]
    (wanted,) = core_nodes["CLIPTextEncode"]().encode(clip, "red shirt")

    text = board({"Ada": with_photo(keep_photo(inputs, "Ada"), prompt=" red shirt ")})
    prompt = CastBoard.execute(64, 64, text, clip=clip).args[0][0].prompt
    alone = CastBoard.execute(64, 64, text).args

    assert torch.equal(prompt[0][0], wanted[0][0])
    assert alone[0][0].prompt is None
    assert "no clip is connected" in alone[5]


def test_words_without_a_photo_are_a_place_that_needs_no_adapter(core_nodes, inputs):
    world = LoadDemoWorld.execute().args
    cast, *_, report = CastBoard.execute(128, 128, board({"Ada": {"prompt": "red shirt"}}), clip=world[1]).args
    assert CastBoard.execute(128, 128, board({"Ada": {"prompt": "red shirt"}})).args[0] == ()
    assert (cast[0].region.name, cast[0].strength, report) == ("Ada", 0.0, "")

    plain = drawn(core_nodes, world, world[0])
    own = drawn(core_nodes, world, patch_cast(world[0], cast, None, recipe_named("decoupled"), 1.0))
    assert not torch.equal(plain[:, :, :48], own[:, :, :48])


def test_a_negative_of_ones_own_is_encoded_and_written_as_the_card_has_it(core_nodes, inputs):
    clip = LoadDemoWorld.execute().args[1]
    (wanted,) = core_nodes["CLIPTextEncode"]().encode(clip, "hat")
    text = board({"Ada": with_photo(keep_photo(inputs, "Ada"), negative="hat")})
    (member,) = CastBoard.execute(64, 64, text, clip=clip).args[0]
    assert torch.equal(member.negative[0][0], wanted[0][0])
    assert member.prompt is None


def test_the_size_is_that_of_a_connected_picture_or_latent(core_nodes):
    (latent,) = core_nodes["EmptyLatentImage"]().generate(320, 192, 1)
    flux2 = {"samples": torch.zeros(1, 128, 12, 20)}
    for given in (latent, {"samples": latent["samples"]}, flux2):
        for node in (CastBoard, DrawRegions):
            made = node.execute(64, 64, TWO_PLACES, latent=given)
            assert made.args[2 if node is CastBoard else 1].shape == (2, 192, 320)
            assert made.ui["troupe_size"] == [[320, 192]]
    assert CastBoard.execute(64, 64, TWO_PLACES, latent=latent, image=torch.zeros(1, 40, 48, 3)).args[3:5] == (48, 40)


def test_a_new_board_is_two_empty_places():
    cast, regions, masks, _, _, report = CastBoard.execute(1024, 768, TWO_PLACES).args
    assert cast == ()
    assert [region.name for region in regions] == ["person 1", "person 2"]
    assert masks.shape == (2, 768, 1024)
    assert report.count("no photo") == 2


def test_members_from_the_wire_stand_in_front(engine, inputs):
    dev = ExtractIdentity.execute(engine, photo_of("Dev")[None], "Dev", "largest").args[0]
    wired = CastMember.execute(dev, DrawRegions.execute(64, 64, board({"Dev": {}})).args[0], "Dev", 1.0).args[0]
    result = CastBoard.execute(64, 64, board({"Ada": with_photo(keep_photo(inputs, "Ada"))}), cast=wired)
    assert [member.identity.name for member in result.args[0]] == ["Dev", "Ada"]
    assert result.ui["troupe_board"][0]["wired"] == [{"name": "Dev", "region": "Dev"}]
    with pytest.raises(ValueError, match="Troupe, Cast Board: region 'Dev' already belongs to 'Dev'"):
        CastBoard.execute(64, 64, board({"Dev": with_photo("troupe/Ada.png")}), cast=wired)


def test_a_photo_that_is_gone_is_named_before_the_run(server):
    text = board({"Mum": {"photos": [{"file": "troupe/gone.jpg", "name": "mum at the lake.jpg"}]}})
    node = {"class_type": "Troupe_CastBoard", "inputs": {"width": 64, "height": 64, "board": text}}
    with pytest.raises(PromptRefused) as refused:
        server.post_prompt({"1": node, "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 5]}}})
    assert "'mum at the lake.jpg' of 'Mum'" in json.dumps(refused.value.answer)
    assert "Drop the photo again" in json.dumps(refused.value.answer)


@pytest.mark.parametrize("file", ["../outside.png", "/etc/hostname", "", "troupe"])
def test_nothing_outside_of_the_hosts_folders_is_read(file, inputs):
    keep_photo(inputs, "Ada")
    Image.new("RGB", (8, 8)).save(inputs.parent / "outside.png")
    person = {"photos": [{"file": file or " "}]}
    with pytest.raises(ValueError, match="cannot be found"):
        CastBoard.execute(64, 64, board({"Ada": person}))


def test_a_photo_without_a_face_is_named_with_what_helps(engine, inputs):
    Image.new("RGB", (96, 96), (90, 90, 90)).save(inputs / "wall.png")
    with pytest.raises(NoFaceFound, match="no face on 'wall.png' of 'Ada'. Choose another photo, or take the whole"):
        CastBoard.execute(64, 64, board({"Ada": with_photo("wall.png")}), engine=engine)
    cast = CastBoard.execute(64, 64, board({"Ada": with_photo("wall.png", whole=True)}), engine=engine).args[0]
    assert cast[0].identity.embeddings


def test_a_changed_file_is_read_again(inputs):
    file = keep_photo(inputs, "Ada")
    text = board({"Ada": with_photo(file)})
    before = CastBoard.fingerprint_inputs(board=text, width=64, height=64)
    Image.new("RGB", (9, 9)).save(inputs / file)
    assert CastBoard.fingerprint_inputs(board=text, width=64, height=64) != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Troupe, Cast Board: the text is not JSON"),
        (board({"Ada": {}}).replace('"board": 1', '"board": 2'), "the board is of version 2"),
        (board({f"p{n}": {} for n in range(MOST_PEOPLE + 1)}), "at most 8"),
        (board({"Ada": {"strength": "much"}}), "'strength' of 'Ada' is \"much\""),
        (board({"Ada": {"start": 2}}), "'start' of 'Ada' is 2, it should be from 0 to 1"),
        (board({"Ada": {"photos": [{}]}}), "a photo of 'Ada'"),
        (board({"Ada": {"photos": [{"file": "a.png", "face": [1]}]}}), "the face on a photo of 'Ada'"),
        (board({"Ada": {"whole": 1}}), "'whole' of 'Ada'"),
        (board({"Ada": {"prompt": 3}}), "the words of 'Ada'"),
        (board({"Ada": {"negative": ["hat"]}}), "the words of 'Ada'"),
        (board({"Ada": []}), "the person 'Ada' is a list"),
    ],
)
def test_a_broken_board_is_one_clear_sentence(text, said):
    with pytest.raises(BoardTextError) as caught:
        decode_board(text)
    assert said in str(caught.value)
