"""Crops that training sees are the crops that the face room makes."""

import numpy as np
import torch
from pack.demo.renderer import render
from pack.demo.scenes import photos
from pack.demo.train.alignment import aligned_crops, person_crops, weathered
from pack.face.alignment import aligned_crop

SIZE = 128


def drawn(count=8):
    generator = torch.Generator().manual_seed(0)
    return render(photos(torch.rand(count, 24, generator=generator), generator), SIZE)


def test_training_and_the_face_room_align_alike():
    photo = drawn()
    pictures = (photo.picture.permute(0, 2, 3, 1) * 255).round().byte().numpy()
    points = photo.key_points[:, 0].numpy() * SIZE

    here = aligned_crops(photo.picture, photo.key_points[:, 0]).permute(0, 2, 3, 1).numpy()
    there = np.stack([aligned_crop(*pair) for pair in zip(pictures, points, strict=True)]) / 255
    elsewhere = np.stack([aligned_crop(*pair) for pair in zip(pictures, points + 2, strict=True)]) / 255

    # The face room counts pixels from their corners, as InsightFace does: at most half a pixel lies between the two.
    assert np.abs(here - there).mean() < 0.02
    assert np.abs(here - there).mean() < 0.4 * np.abs(here - elsewhere).mean()


def test_a_crop_does_not_depend_on_where_a_face_is_and_how_large():
    def crop(x, y, half):
        generator = torch.Generator().manual_seed(1)
        scene = photos(torch.rand(1, 24, generator=generator), generator)
        scene.place[:] = torch.tensor([x, y, half])
        photo = render(scene, 256)
        return aligned_crops(photo.picture, photo.key_points[:, 0])[0, :, 30:100, 25:87]

    assert (crop(0.5, 0.4, 0.2) - crop(0.4, 0.5, 0.26)).abs().mean() < 0.03


def test_person_crops_hold_the_face_in_their_upper_half():
    size = 96
    photo = drawn()
    marked = torch.zeros_like(photo.picture)
    for row, (x0, y0, x1, y1) in enumerate((photo.face_box[:, 0] * SIZE).round().long().tolist()):
        marked[row, :, y0:y1, x0:x1] = 1

    crops = person_crops(marked, photo.face_box[:, 0], size)

    assert (crops[:, 0, :, 0] < 0.5).all()
    assert crops[:, 0, : size // 2].sum() > 4 * crops[:, 0, size // 2 :].sum()
    torch.testing.assert_close(crops.mean((1, 2, 3)) * size**2, crops[:, 0].sum((1, 2)))


def test_weathered_crops_stay_pictures():
    crops = torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    worn = weathered(crops, torch.Generator().manual_seed(0))

    assert worn.shape == crops.shape
    assert worn.min() >= 0
    assert worn.max() <= 1
    assert ((worn - crops).abs().mean((1, 2, 3)) > 0.01).all()
    assert torch.equal(worn, weathered(crops, torch.Generator().manual_seed(0)))
