"""Building a cast."""

from types import SimpleNamespace

import pytest
from pack.attention.recipes.cast import NoIdentity, with_member
from pack.attention.regions.region import Region

REGIONS = (Region("left", width=0.5), Region("right", x=0.5, width=0.5))
ADA, BOB = SimpleNamespace(name="Ada"), SimpleNamespace(name="Bob")


def test_members_are_bound_to_regions_by_name_and_keep_their_order():
    cast = with_member(with_member((), ADA, REGIONS, " right "), BOB, REGIONS, "left", strength=0.5)

    assert [(member.identity.name, member.region.name, member.strength) for member in cast] == [
        ("Ada", "right", 1.0),
        ("Bob", "left", 0.5),
    ]


def test_a_member_does_not_change_the_cast_it_joins():
    first = with_member((), ADA, REGIONS, "left")
    with_member(first, BOB, REGIONS, "right")

    assert len(first) == 1


def test_an_unknown_region_lists_the_names_that_exist():
    with pytest.raises(ValueError, match="no region 'centre' for 'Ada'.*'left', 'right'"):
        with_member((), ADA, REGIONS, "centre")
    with pytest.raises(ValueError, match="none, because no region is drawn"):
        with_member((), ADA, (), "left")


def test_two_members_cannot_share_a_region():
    with pytest.raises(ValueError, match="'left' already belongs to 'Ada', so 'Bob'"):
        with_member(with_member((), ADA, REGIONS, "left"), BOB, REGIONS, "left")
    with pytest.raises(ValueError, match="two adapters, connect the other one to 'second_adapter'"):
        with_member(with_member((), ADA, REGIONS, "left"), ADA, REGIONS, "left")


def test_without_a_name_it_is_ones_own_region_else_the_next_that_is_free():
    own = (*REGIONS, Region("Bob"))
    cast = with_member(with_member((), BOB, own, " "), ADA, own, "")
    assert [member.region.name for member in cast] == ["Bob", "left"]
    assert with_member(cast, BOB, own, "")[-1].region.name == "right"
    with pytest.raises(ValueError, match="there is no region 'Ada'"):
        with_member(with_member(with_member((), BOB, REGIONS, ""), BOB, REGIONS, ""), ADA, REGIONS, "")


def test_a_place_without_an_identity_acts_by_its_words_alone():
    (member,) = with_member((), NoIdentity("left"), REGIONS, "", 2.0, prompt="words", negative="others")
    assert (member.strength, member.prompt, member.negative, member.region.name) == (0.0, "words", "others", "left")
