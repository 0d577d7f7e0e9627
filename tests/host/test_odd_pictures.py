"""Files as people have them, through the host's own Load Image to a face: turned, grey, deep, tiny, huge."""

from types import SimpleNamespace

import folder_paths
import numpy as np
import pytest
import torch
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.nodes.faces.face_nodes import ExtractIdentity
from pack.tests.face.onnx_packs import red_squares, write_recogniser, write_square_detector
from PIL import Image

import nodes

PICTURE = red_squares(256, 256, (160, 40, 32))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squares")
    write_square_detector(folder / "det.onnx", lenient=True)
    write_recogniser(folder / "rec.onnx")
    return load_engine(read_pack("squares", folder), "CPU")


def loaded(image, name, **options):
    """What Load Image makes of a picture that is saved under that name."""
    image.save(f"{folder_paths.get_input_directory()}/{name}", **options)
    with torch.inference_mode():
        return nodes.LoadImage().load_image(name)[0]


def extract(engine, image, **inputs):
    with torch.inference_mode():
        return ExtractIdentity.execute(engine=engine, image=image, name="Ada", select="largest", **inputs).result


@pytest.mark.parametrize(
    "orientation", [1, 3, 6, 8]
)  # what cameras write; the host itself leaves 2, 4, 5 and 7 mirrored
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_load_image_shows_a_photo_upright_however_the_camera_was_held(engine, orientation, kind):
    ways = {3: "ROTATE_180", 6: "ROTATE_90", 8: "ROTATE_270"}
    image = Image.fromarray(PICTURE[:, :224])
    if orientation > 1:
        image = image.transpose(Image.Transpose[ways[orientation]])  # as the sensor saw it
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind == "jpg" else {"lossless": True} if kind == "webp" else {}

    ada = extract(engine, loaded(image, f"turned.{kind}", exif=exif, **options))[0]

    np.testing.assert_allclose(ada.boxes[0], [160, 40, 192, 72], atol=5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_give_the_same_upright_face_where_load_image_is_linked(engine, orientation, monkeypatch):
    ways = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_90", "TRANSVERSE", "ROTATE_270")
    image, name = Image.fromarray(PICTURE[:, :224]), f"held{orientation}.png"
    (expected, *_) = extract(engine, loaded(image, "upright.png"))
    stored = image if orientation == 1 else image.transpose(Image.Transpose[ways[orientation - 2]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "Troupe_ExtractIdentity", "inputs": {"image": ["1", 0]}},
    }
    shown = loaded(stored, name, exif=exif)
    monkeypatch.setattr(ExtractIdentity, "hidden", SimpleNamespace(prompt=prompt, unique_id="2"))

    ada = extract(engine, shown)[0]

    np.testing.assert_array_equal(ada.boxes, expected.boxes)
    np.testing.assert_array_equal(ada.crops, expected.crops)
    np.testing.assert_array_equal(ada.photos[0], expected.photos[0])


@pytest.mark.parametrize("kind", ["RGBA", "P", "16 bit", "CMYK"])
def test_pictures_of_every_depth_show_the_face(engine, kind):
    if kind == "16 bit":
        import cv2

        path = f"{folder_paths.get_input_directory()}/deep.png"
        cv2.imwrite(path, PICTURE[..., ::-1].astype(np.uint16) * 257)
        image = nodes.LoadImage().load_image("deep.png")[0]
    elif kind == "RGBA":
        image = loaded(Image.fromarray(np.dstack([PICTURE, np.full((256, 256), 255, np.uint8)])), "a.png")
    elif kind == "CMYK":
        image = loaded(Image.fromarray(PICTURE).convert("CMYK"), "c.jpg", quality=95)
    else:
        image = loaded(Image.fromarray(PICTURE).quantize(64), "p.png")

    ada = extract(engine, image)[0]

    np.testing.assert_allclose(ada.boxes[0], [160, 40, 192, 72], atol=5)


@pytest.mark.parametrize("deep", [False, True])
def test_grey_pictures_of_either_depth_keep_their_shades(deep):
    ramp = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (32, 1))
    image = Image.fromarray(ramp.astype(np.uint16) * 257) if deep else Image.fromarray(ramp)

    picture = loaded(image, f"grey{deep}.png")

    assert np.abs(picture[0, :, :, 1].numpy() * 255 - ramp).max() <= 2


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 300)])
def test_a_tiny_picture_has_no_face_and_says_so(engine, size):
    picture = torch.rand(1, *size, 3, generator=torch.Generator().manual_seed(0))  # nothing as red as a face here
    with pytest.raises(ValueError, match=rf"No face was found in the photo of 'Ada' \({size[1]}x{size[0]} pixels\)"):
        extract(engine, picture)
    assert len(extract(engine, picture, no_face="whole picture")[0].crops) == 1


def test_fifty_megapixels_are_looked_at_and_shown_as_a_small_preview(engine):
    height, width = 5773, 8660
    image = torch.zeros(1, height, width, 3)
    side = round(32 * width / 256)
    image[0, 2000 : 2000 + side, 3000 : 3000 + side] = torch.from_numpy(
        red_squares(side, side, (0, 0, side)).astype(np.float32) / 255
    )

    ada, preview, _ = extract(engine, image)

    np.testing.assert_allclose(ada.boxes[0], [3000, 2000, 3000 + side, 2000 + side], atol=side / 6)
    assert max(preview.shape) <= 2048
