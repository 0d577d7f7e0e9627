"""Who sees whom: the rule, that nothing leaks through any chain of tokens, and how few groups it takes."""

from itertools import chain, combinations, product

import pytest
import torch
from pack.attention.routing.policies import APART, CLOSED, POLICIES, Odds, routed_groups, sees, weights, work
from pack.attention.routing.sequences import grid_of, joint_sequence, reference_spans, text_spans
from pack.attention.routing.token_map import PICTURE, REFERENCE, TEXT, Span, TokenClass, token_map
from pack.tests.attention.reference_routing import may_see, odds_of
from pack.tests.attention.routed_scenes import scene

PEOPLE = [frozenset(some) for some in chain.from_iterable(combinations(range(3), size) for size in range(4))]
CLASSES = [TokenClass(kind, people) for kind, people in product((TEXT, PICTURE, REFERENCE), PEOPLE)]


@pytest.mark.parametrize("policy", POLICIES)
def test_who_sees_whom_is_what_the_reference_says(policy):
    for row, column in product(CLASSES, CLASSES):
        assert sees(policy, row, column) == may_see(policy, tuple(row), tuple(column)), (row, column)


@pytest.mark.parametrize("background", ["shared", "apart"])
def test_weights_are_what_the_reference_says(background):
    odds = Odds((0.5, 2.0, 0.0), 0.25, background)
    table = weights(CLOSED, CLASSES, odds)

    for row, column in product(range(len(CLASSES)), repeat=2):
        pair = tuple(CLASSES[row]), tuple(CLASSES[column])
        expected = odds_of(*pair, odds.references, 0.25, background) * may_see(CLOSED, *pair)
        assert table[row, column] == pytest.approx(expected), pair


def test_apart_nothing_reaches_anybody_through_any_chain_of_tokens():
    for row, middle, far in product(CLASSES, repeat=3):
        if sees(APART, row, middle) and sees(APART, middle, far):
            assert far.people <= row.people
            assert sees(APART, row, far) or (row.kind, far.kind) == (REFERENCE, TEXT)


@pytest.mark.parametrize("policy", [CLOSED, APART])
def test_references_depend_on_references_alone(policy):
    assert all(
        column.kind == REFERENCE and column.people <= row.people
        for row, column in product(CLASSES, CLASSES)
        if row.kind == REFERENCE and sees(policy, row, column)
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_every_class_sees_itself_so_that_no_row_is_empty(policy):
    assert all(sees(policy, one, one) for one in CLASSES)


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("policy", [CLOSED, APART])
def test_people_side_by_side_take_two_groups_each_and_one(count, policy):
    _, tokens = scene([{member} for member in range(count)] + [set()], people=count, users=0)

    groups = routed_groups(tokens, policy)

    assert len(groups) == 2 * count + 1
    assert torch.cat([group.rows for group in groups]).sort().values.tolist() == list(range(len(tokens)))


def test_free_is_one_group_that_sees_everything_and_biases_nothing():
    _, tokens = scene([{0}, {1}])
    (group,) = routed_groups(tokens, "free")

    assert group.columns is None
    assert group.bias is None


def test_strength_zero_leaves_a_reference_out_of_sight_and_eta_zero_other_people():
    whose, tokens = scene([{0}, {1}, set()])
    groups = routed_groups(tokens, CLOSED, Odds((0.0, 1.0), 0.0))
    first = whose.index(("picture", frozenset([0])))
    (seen,) = (group.columns.tolist() for group in groups if first in group.rows)

    assert {whose[column] for column in seen} == {
        ("text", frozenset()),
        ("text", frozenset([0])),
        ("picture", frozenset([0])),
        ("picture", frozenset()),
        ("reference", frozenset()),
    }


def published(people, photo):
    """1024 x 1024 on FLUX.2: strips with 16 % of background, 512 tokens of text of which 32 are everybody's own."""
    owned = torch.zeros(64, 64, people, dtype=torch.bool)
    for member in range(people):
        owned[10:, 64 * member // people : 64 * (member + 1) // people, member] = True
    text = text_spans(512, [32] * people)
    side = photo // 16
    references = reference_spans([(side, side)] * people, [frozenset([member]) for member in range(people)])
    return token_map(joint_sequence(text, (64, 64), references), owned.flatten(0, 1))


@pytest.mark.parametrize(
    ("people", "closed", "apart"), [(1, 0.81, 0.69), (2, 0.60, 0.38), (4, 0.38, 0.21), (8, 0.20, 0.11)]
)
def test_the_work_of_several_people_is_a_part_of_everything(people, closed, apart):
    tokens = published(people, 512)

    assert len(tokens) == 4608 + 1024 * people
    for policy, expected in ((CLOSED, closed), (APART, apart)):
        assert work(routed_groups(tokens, policy), len(tokens)) == pytest.approx(expected, abs=0.015)


def test_a_picture_whose_sides_are_no_multiple_of_the_patch_has_a_token_for_the_rest():
    assert grid_of((1, 16, 15, 17), 2) == (8, 9)
    assert grid_of((7, 9), 1) == (7, 9)


def test_members_prompts_are_counted_from_the_end_of_the_text():
    assert text_spans(512, [4, 0, 6]) == [
        Span(TEXT, 502), Span(TEXT, 4, frozenset([0])), Span(TEXT, 6, frozenset([2])),
    ]  # fmt: skip


def test_a_users_references_come_first_and_are_everybodys():
    spans = reference_spans([(2, 3), (4, 4), (1, 1)], [frozenset([0]), frozenset([1])])

    assert spans == [
        Span(REFERENCE, 6), Span(REFERENCE, 16, frozenset([0])), Span(REFERENCE, 1, frozenset([1])),
    ]  # fmt: skip


def test_a_picture_of_other_cells_than_its_span_is_refused():
    with pytest.raises(ValueError, match="picture of 4 tokens was to be mapped by 3 cells"):
        token_map([Span(PICTURE, 4)], torch.zeros(3, 1, dtype=torch.bool))
