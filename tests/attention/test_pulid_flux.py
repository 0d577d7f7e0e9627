"""PuLID for FLUX.1: its file, and people added to rows of a picture among text and references, against the formula."""

import numpy as np
import pytest
import torch
from pack.attention.adapters.identity_adapter import IdentityAdapter
from pack.attention.adapters.parts import AdapterFormatError
from pack.attention.adapters.weights import check_numbers, describe, read_adapter
from pack.attention.operators.packed_rows import pack_rows
from pack.attention.operators.picture_rows import add_to_rows, in_sequence
from pack.scripts.benches.engine.adapter_files import Published, id_former, random_state
from pack.tests.attention import reference_pulid as slow

CROSS, PICTURE, INNER, TOKENS = 24, 40, 256, 6
FILE = Published(
    "pulid flux", TOKENS, id_former(CROSS, 40, 16, 64, latents=TOKENS), CROSS, [INNER] * 2, picture=PICTURE
)
TEXT, CELLS, LENGTH = 3, 12, 20  # tokens of text, then of the picture, then of a reference


@pytest.fixture(scope="module")
def module():
    weights = read_adapter(random_state(FILE.shapes(), seed=4))
    made = IdentityAdapter(weights.spec, dtype=torch.float64)
    made.load(weights)
    return made


def numbers(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@torch.no_grad()
def added(module, sequence, share, people, layer=1):
    """The sequence behind a block; share [G, N, M] of people's tokens [M, T, C]."""
    keys, values = module.keys_and_values(people, layer)
    packed = pack_rows(share, len(sequence) // len(share))
    picture = in_sequence(packed, CELLS, LENGTH, TEXT).to("cpu", sequence.dtype)

    def answer(rows):
        return module.crossings[layer](rows, keys, values, picture.counts)

    return add_to_rows(sequence, picture, answer)


def by_formula(sequence, share, people):
    """Token by token and person by person."""
    weights = {
        key.removeprefix("pulid_ca."): value.double().numpy() for key, value in random_state(FILE.shapes(), 4).items()
    }
    out = sequence.numpy().copy()
    for row in range(len(out)):
        for cell in range(CELLS):
            for person, tokens in enumerate(people.numpy()):
                read = slow.read_by_picture(weights, "1", sequence[row, TEXT + cell].numpy(), tokens)
                out[row, TEXT + cell] += share[row, cell, person].item() * read
    return out


def test_one_person_everywhere_is_the_published_form(module):
    sequence, people = numbers(1, 2, LENGTH, PICTURE), numbers(2, 1, TOKENS, CROSS)
    share = torch.full((2, CELLS, 1), 0.7)

    expected = by_formula(sequence, share, people)

    np.testing.assert_allclose(added(module, sequence, share, people), expected, atol=1e-6, rtol=0)


def test_people_in_regions_that_overlap_are_those_of_the_formula(module):
    sequence, people = numbers(1, 2, LENGTH, PICTURE), numbers(2, 3, TOKENS, CROSS)
    share = torch.rand(2, CELLS, 3, generator=torch.Generator().manual_seed(3))
    share = torch.where(share > 0.5, share, 0.0)

    expected = by_formula(sequence, share, people)

    np.testing.assert_allclose(added(module, sequence, share, people), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_rows_outside_regions_of_text_and_of_references_are_the_same_bits(module, dtype):
    module = module if dtype == torch.float64 else IdentityAdapter(module.spec)
    sequence, people = numbers(1, 2, LENGTH, PICTURE).to(dtype), numbers(2, 2, TOKENS, CROSS).to(dtype)
    share = torch.zeros(2, CELLS, 2)
    share[:, 2:5, 0] = share[:, 7:9, 1] = 1
    outside = [row for row in range(LENGTH) if row - TEXT not in (2, 3, 4, 7, 8)]
    before = sequence.clone()

    out = added(module, sequence, share, people)

    assert torch.equal(out[:, outside], sequence[:, outside])
    assert torch.equal(sequence, before)
    assert not (out == sequence)[:, [TEXT + 2, TEXT + 8]].all(-1).any()


@pytest.mark.parametrize("counts", [[12], [6, 6], [9, 2, 1], [1] * 12, [7, 5, 7]])
def test_each_row_is_read_once_for_each_person_there_and_none_for_nothing(counts):
    share, end = torch.zeros(2, CELLS, len(counts)), 0
    for person, count in enumerate(counts):
        share[:, [cell % CELLS for cell in range(end, end + count)], person] = 0.5
        end += count
    seen = []

    picture = in_sequence(pack_rows(share), CELLS, LENGTH, TEXT)
    add_to_rows(numbers(1, 2, LENGTH, PICTURE), picture, lambda rows: seen.append(rows) or rows)

    assert [len(rows) for rows in seen] == [2 * sum(counts)]
    assert picture.counts == tuple(2 * count for count in counts)


def test_nobodys_region_changes_nothing(module):
    sequence = numbers(1, 1, LENGTH, PICTURE)
    assert torch.equal(added(module, sequence, torch.zeros(1, CELLS, 1), numbers(2, 1, TOKENS, CROSS)), sequence)


def test_the_order_of_people_does_not_matter(module):
    sequence, people = numbers(1, 1, LENGTH, PICTURE), numbers(2, 3, TOKENS, CROSS)
    share = torch.rand(1, CELLS, 3, generator=torch.Generator().manual_seed(3))
    order = [2, 0, 1]

    torch.testing.assert_close(
        added(module, sequence, share, people), added(module, sequence, share[..., order], people[order])
    )


def test_the_report_names_the_format():
    weights = read_adapter(random_state(FILE.shapes()))

    report = describe(weights.spec, weights.reason, weights.extras)

    assert report.startswith("Read as pulid flux (6 tokens of width 24, 2 layers), because its keys and shapes")
    assert report.endswith("It reads face embeddings of antelopev2 and a file of EVA02-CLIP-L-14-336.")


@pytest.mark.parametrize(
    ("key", "shape", "said"),
    [
        ("pulid_ca.1.to_kv.weight", (INNER, CROSS, 1), "pulid_ca.1.to_kv.weight has the shape"),
        ("pulid_ca.1.to_kv.weight", (200, CROSS), "whole heads"),
        ("pulid_ca.1.to_q.weight", (INNER, PICTURE + 1), r"pulid_ca.1.to_q.weight is \[256, 41\]"),
        ("pulid_ca.0.norm2.weight", (0,), "pulid_ca.0.norm2.weight"),
        ("pulid_ca.1.to_q.bias", (INNER,), "holds 1.to_q.bias"),
        ("pulid_ca.3.norm1.weight", (CROSS,), r"numbered \[0, 1, 3\]"),
        ("pulid_encoder.layers.0.1.1.weight", (7, 64), "contradict each other"),
    ],
)
def test_a_file_with_a_part_that_does_not_fit_is_refused_by_name(key, shape, said):
    state = random_state(FILE.shapes()) | {key: torch.zeros(shape)}

    with pytest.raises(AdapterFormatError, match=said):
        read_adapter(state)


@pytest.mark.parametrize("key", ["pulid_encoder.mapping_3.1.weight", "pulid_encoder.layers.0.0.to_q.weight"])
def test_a_missing_part_of_the_encoder_is_named_as_the_file_names_it(key):
    state = random_state(FILE.shapes())
    del state[key]

    with pytest.raises(AdapterFormatError, match=f"pulid_encoder part lacks {key.removeprefix('pulid_encoder.')}"):
        read_adapter(state)


@pytest.mark.parametrize(
    "key",
    [
        "pulid_ca.1.to_kv.weight",
        "pulid_ca.0.norm2.bias",
        "pulid_ca.1.to_out.weight",
        "pulid_encoder.mapping_3.1.weight",
    ],
)
def test_numbers_that_are_not_finite_are_refused_by_name(key):
    state = random_state(FILE.shapes())
    state[key] = state[key].index_fill(0, torch.tensor([1]), float("nan"))

    with pytest.raises(AdapterFormatError, match=f"its {key} .*not finite"):
        check_numbers(read_adapter(state))
