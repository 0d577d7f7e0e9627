"""Refine Cast in the demo world: rendered strangers become the members of a cast, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.face.identity import subject_from_pictures
from pack.nodes.host.refine.redrawing import without_places
from pack.nodes.refine.member_faces import lookout_for
from pack.nodes.refine.refine_report import LARGE, LOST, NO_FACE, REDRAWN, SUBJECT
from pack.nodes.refine.refining import finished, plan_for
from pack.tests.host.refine_scene import PEOPLE, RefineScene, strangers


@pytest.fixture(scope="module")
def scene(core_nodes):
    return RefineScene(core_nodes)


def states(refined, number=0):
    return [outcome.state for outcome in refined.outcomes[number]]


def likeness(engine, picture, cast):
    """Of each member's own face, as an engine sees it that need not be the one that refined."""
    lookout = lookout_for(engine, cast)
    return np.array([face.likeness if face else 0.0 for face in lookout.faces(picture, lookout.regions(picture))])


def test_small_faces_become_their_members(scene):
    before, after = (
        likeness(scene.scorer, scene.picture, scene.cast),
        likeness(scene.scorer, scene.whole.pictures[0], scene.cast),
    )

    assert states(scene.whole) == [REDRAWN] * PEOPLE
    assert after.mean() > before.mean() + 0.15
    assert all(outcome.after > outcome.before for outcome in scene.whole.outcomes[0])
    assert "Ada: redrawn from" in scene.whole.report
    assert len(scene.whole.report.splitlines()) == PEOPLE


def test_nothing_changes_outside_of_what_is_said_to_change(scene):
    new, changed = scene.whole.pictures[0], scene.whole.changed[0]

    assert np.array_equal(new[~changed], scene.picture[~changed])
    assert (new[changed] != scene.picture[changed]).any(-1).mean() > 0.5
    assert 0.05 < changed.mean() < 0.6


def test_a_members_close_up_stays_within_their_region(scene):
    third = scene.refine(scene.cast[2:3])

    columns = np.flatnonzero((third.pictures[0] != scene.picture).any((0, 2)))
    assert 2 * 128 / PEOPLE - 1 < columns[0] < columns[-1] < 3 * 128 / PEOPLE + 1


def test_who_else_is_there_and_in_which_order_changes_nobodys_face(scene):
    backwards = scene.refine(scene.cast[::-1])
    assert np.array_equal(backwards.pictures[0], scene.quickly.pictures[0])

    alone = scene.refine(scene.cast[3:4])
    strip = slice(3 * 128 // PEOPLE + 1, 4 * 128 // PEOPLE)
    assert np.array_equal(alone.pictures[0][:, strip], scene.quickly.pictures[0][:, strip])
    assert (alone.pictures[0][:, strip] != scene.picture[:, strip]).any()


def test_a_seed_gives_the_same_picture_again_and_another_one_another(scene):
    first, again, other = (scene.refine(scene.cast[1:2], seed=seed).pictures[0] for seed in (7, 7, 8))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_noise_goes_by_the_regions_name(scene):
    ben = scene.cast[1]
    renamed = replace(ben, region=replace(ben.region, name="elsewhere"))
    first, other = (scene.refine([member]).pictures[0] for member in (ben, renamed))

    assert not np.array_equal(first, other)


def test_each_picture_of_a_batch_is_refined_as_alone(scene):
    wider = np.pad(scene.picture, ((0, 0), (0, 32), (0, 0)), mode="edge")
    both = scene.refine(scene.cast[:2], [wider, scene.picture])

    assert both.pictures[0].shape == (128, 160, 3)
    assert np.array_equal(both.pictures[1], scene.refine(scene.cast[:2]).pictures[0])
    assert [face.picture for face in both.faces] == sorted(face.picture for face in both.faces)
    assert both.report.startswith("Picture 1 of 2:\n")


def test_the_own_prompt_describes_the_close_up_and_places_are_left_off(scene):
    """Whatever the positive has for the whole picture would end in an error if it were used."""
    alone = scene.refine(scene.cast[:1]).pictures[0]
    text, values = scene.prompt("one person in the forest, blue sad left")[0]
    placed = [[text, {**values, "control": object(), "area": (9, 9, 0, 0), "mask": object(), "gligen": object()}]]

    assert np.array_equal(scene.refine(scene.cast[:1], positive=placed).pictures[0], alone)
    without = replace(scene.cast[0], prompt=None)
    assert not np.array_equal(scene.refine([without]).pictures[0], alone)
    with_places = replace(scene.cast[0], prompt=placed)
    assert np.array_equal(
        scene.refine([with_places]).pictures[0], scene.refine([replace(without, prompt=[[text, values]])]).pictures[0]
    )
    assert set(placed[0][1]) - set(without_places(placed)[0][1]) == {"control", "area", "mask", "gligen"}


def test_a_member_without_a_face_is_left_alone_and_named(scene):
    sky = replace(scene.cast[0], region=Region("sky", height=0.1))
    thing = Member(subject_from_pictures("Rex", [scene.picture]), Region("5", x=0.8, width=0.2))
    refined = scene.refine([sky, thing])

    assert states(refined) == [NO_FACE, SUBJECT]
    assert np.array_equal(refined.pictures[0], scene.picture)
    assert not refined.changed[0].any()
    assert refined.report.splitlines()[0].startswith("Ada: left alone, no face")


def test_a_large_face_is_left_as_it_is(scene):
    refined = scene.refine(scene.cast[:1], size=32)

    assert states(refined) == [LARGE]
    assert np.array_equal(refined.pictures[0], scene.picture)
    assert "and a close-up 32" in refined.report


def test_a_face_at_the_border_is_redrawn(scene):
    lookout = lookout_for(scene.engine, scene.cast)
    face, *_ = lookout.faces(scene.picture, lookout.regions(scene.picture))
    at_border = np.ascontiguousarray(scene.picture[:, round(float(face.bbox[0])) + 1 :])
    refined = scene.refine([replace(scene.cast[0], region=Region("1", width=0.25))], [at_border])

    assert states(refined) == [REDRAWN]
    assert refined.changed[0][:, 0].any()


def test_a_close_up_without_a_face_is_not_pasted(scene):
    somebody = strangers(1, seed=3)
    lookout = lookout_for(scene.engine, [replace(scene.cast[0], region=Region("all"))])
    plan = plan_for(somebody, lookout, replace(scene.quick, size=256, room=3.0))
    (one,) = plan.close_ups

    kept = finished(somebody, plan, [(one, one.before)], lookout)
    assert [outcome.state for outcome in kept.outcomes] == [REDRAWN]
    background = np.broadcast_to(somebody[0, 0], (256, 256, 3))
    lost = finished(somebody, plan, [(one, background)], lookout)
    assert [outcome.state for outcome in lost.outcomes] == [LOST]
    assert np.array_equal(lost.picture, somebody)
    assert not lost.changed.any()
    assert lost.kept == []


def test_in_an_overlap_two_faces_are_two_members(scene):
    """Both regions are the whole picture: two faces are taken, each changed by one member alone."""
    both = [replace(member, region=Region(member.region.name)) for member in scene.cast[:2]]
    refined = scene.refine(both)

    assert states(refined) == [REDRAWN, REDRAWN]
    ada, ben = refined.faces
    assert not np.array_equal(ada.before, ben.before)


def test_strength_0_leaves_the_picture_as_it_is(scene):
    refined = scene.refine(scene.cast, adapter=None, strength=0.0)

    assert np.array_equal(refined.pictures[0], scene.picture)
    assert "the strength is 0" in refined.report
