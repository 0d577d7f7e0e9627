"""PuLID's orthogonal attention against its formula in float64, and what it must collapse to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.operators.kernel import fused_attention
from pack.attention.operators.masked import TextKeys
from pack.attention.operators.modes import attend_to_identities, lay_out
from pack.attention.operators.orthogonal import METHODS, ZERO_TOKENS, Method, lead_weight, zero_tokens_of
from pack.attention.recipes.recipe import Recipe
from pack.tests.attention import reference_pulid as slow
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode

HEADS, WIDTH, TOKENS = 2, 8, 7
ORTHOGONAL = [name for name, method in METHODS.items() if method.orthogonal]


class Case:
    """A batch of groups of pictures with people in it; every source has tokens of its own."""

    def __init__(self, share, images=1, length=TOKENS, seed=0, dtype=torch.float32):
        """share: [G, N, M]"""
        generator = torch.Generator().manual_seed(seed)
        groups, count, members = share.shape
        rows = groups * images

        def random(*shape):
            return torch.randn(shape, generator=generator).to(dtype)

        self.share, self.images = share, images
        self.text, self.q = random(rows, count, WIDTH), random(rows, count, WIDTH)
        self.k, self.v = random(members + 1, length, WIDTH), random(members + 1, length, WIDTH)
        self.sources = torch.full((groups, images, members), members)  # nobody
        self.sources[0] = torch.arange(members)

    def run(self, names, strengths=None, copies=None, strength=1.0, k=None, v=None, mode="decoupled"):
        members = self.share.shape[-1]
        strengths = torch.ones(members) if strengths is None else torch.tensor(strengths)
        ones = torch.ones(members + 1)
        methods = [METHODS[name] for name in names]
        copies = ones if copies is None else copies
        layout = lay_out(Recipe(mode), self.share, strengths, self.sources, ones, methods, copies)
        layout = layout.to(self.q.device, self.q.dtype)
        k, v = (self.k, self.v) if k is None else (k, v)
        text = TextKeys(self.text)
        return attend_to_identities(Recipe(mode), layout, self.text, self.q, text, k, v, HEADS, strength)

    def expected(self, name, strengths=None):
        method, out = METHODS[name], []
        text, q, k, v, share = (t.double().numpy() for t in (self.text, self.q, self.k, self.v, self.share))
        weights = np.ones(share.shape[-1]) if strengths is None else np.array(strengths)
        for row, sources in enumerate(self.sources.flatten(0, 1).tolist()):
            own = share[row // self.images] * weights
            people = [(k[source], v[source], own[:, member]) for member, source in enumerate(sources)]
            people = [person for person in people if person[2].any()]
            out.append(slow.orthogonal(text[row], q[row], people, HEADS, bool(method.lead), method.regional))
        return torch.from_numpy(np.stack(out))


def halves(count=6, groups=2):
    share = torch.zeros(groups, count, 2)
    share[:, : count // 2, 0] = share[:, count // 2 :, 1] = 1
    return share


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_it_is_the_formula_for_any_shares(data):
    groups, images = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    count, members = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 3))
    size = groups * count * members
    values = st.sampled_from([0.0, 0.0, 1.0, 0.5, 0.125])
    share = torch.tensor(data.draw(st.lists(values, min_size=size, max_size=size))).view(groups, count, members)
    case = Case(share, images, seed=count)
    name = data.draw(st.sampled_from(ORTHOGONAL))
    strengths = data.draw(st.lists(st.sampled_from([0.0, 0.8, 1.5]), min_size=members, max_size=members))

    out = case.run([name] * members, strengths)

    torch.testing.assert_close(out.double(), case.expected(name, strengths), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ORTHOGONAL)
def test_half_precision_sums_in_single(name, dtype):
    case = Case(halves(), dtype=dtype)

    out = case.run([name] * 2)

    tolerance = 2e-2 if dtype == torch.float16 else 1.5e-1
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), case.expected(name), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", ["fidelity", "style"])
def test_one_person_everywhere_is_the_same_regional_or_not(name):
    case = Case(torch.ones(2, 6, 1))

    torch.testing.assert_close(case.run([f"regional {name}"]), case.run([name]))


@pytest.mark.parametrize("name", METHODS)
def test_people_apart_are_each_alone_inside_their_regions(name):
    case = Case(halves())

    both, first, second = (case.run([name] * 2, strengths) for strengths in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0)))

    torch.testing.assert_close(both[:, :3], first[:, :3])
    torch.testing.assert_close(both[:, 3:], second[:, 3:])
    assert torch.equal(first[:, 3:], case.text[:, 3:])
    assert torch.equal(second[:, :3], case.text[:, :3])


def test_the_text_elsewhere_has_no_say_in_a_regional_method():
    case, other = Case(halves()), Case(halves())
    other.text[:, 3:] += 1
    other.q[:, 3:] += 1

    for name in ("regional fidelity", "regional style"):
        assert torch.equal(case.run([name] * 2)[:, :3], other.run([name] * 2)[:, :3])
    for name in ("fidelity", "style"):
        assert not torch.allclose(case.run([name] * 2)[:, :3], other.run([name] * 2)[:, :3])


def test_style_leaves_nothing_along_the_text():
    case = Case(torch.ones(1, 6, 1))

    added = case.run(["style"]) - case.text

    assert ((added * case.text).sum(1).abs() < 1e-5).all()
    assert added.abs().max() > 0.1


def test_neutral_is_the_plain_adapter_bit_for_bit():
    case = Case(halves())
    ones = torch.ones(3)
    layout = lay_out(Recipe("decoupled"), case.share, torch.ones(2), case.sources, ones)

    plain = attend_to_identities(
        Recipe("decoupled"), layout, case.text, case.q, TextKeys(case.text), case.k, case.v, HEADS
    )

    assert torch.equal(case.run(["neutral"] * 2), plain)


def test_others_beside_an_orthogonal_person_are_what_they_are_alone():
    case = Case(halves())

    mixed = case.run(["neutral", "regional fidelity"])

    torch.testing.assert_close(mixed[:, :3], case.run(["neutral"] * 2)[:, :3])
    torch.testing.assert_close(mixed[:, 3:], case.run(["regional fidelity"] * 2)[:, 3:])


def test_zero_tokens_take_weight_and_repeated_tokens_change_nothing():
    case = Case(halves())
    zeros = torch.zeros(3, 4, WIDTH)
    k, v = torch.cat([case.k, zeros], 1), torch.cat([case.v, zeros], 1)

    for name in METHODS:
        diluted = case.run([name] * 2, k=k, v=v)
        again = case.run([name] * 2, copies=torch.full((3,), 2.0), k=k.repeat(1, 2, 1), v=v.repeat(1, 2, 1))

        torch.testing.assert_close(diluted, again, atol=1e-5, rtol=1e-5)
        assert (diluted - case.text).norm() < (case.run([name] * 2) - case.text).norm()


def test_nobody_is_read_once_over_the_picture_and_by_each_in_their_own_region():
    case, ones = Case(halves(groups=3)), torch.ones(3)

    def pages(name, mode="decoupled"):
        recipe, methods = Recipe(mode), [METHODS[name]] * 2
        return len(lay_out(recipe, case.share, torch.ones(2), case.sources, ones, methods, ones).orthogonal.counts)

    assert [pages("fidelity"), pages("regional fidelity"), pages("fidelity", "gated")] == [2 + 2 * 1, 3 * 2, 3 * 2]


def test_what_is_kept_is_the_weight_of_the_bare_products():
    q, k = torch.randn(1, 3, WIDTH, dtype=torch.float64), torch.randn(1, TOKENS, WIDTH, dtype=torch.float64)
    half = WIDTH // HEADS

    bare = [(q[..., part] @ k[..., part].mT).softmax(-1)[..., :5].sum(-1) for part in (slice(half), slice(half, WIDTH))]

    torch.testing.assert_close(lead_weight(q, k, HEADS, 5), (sum(bare) / 2).float())


@pytest.mark.parametrize("name", ORTHOGONAL)
def test_gates_scale_what_is_left(name):
    case = Case(halves())

    gate = (case.run(["neutral"] * 2, mode="gated") - case.text) / (case.run(["neutral"] * 2) - case.text)
    gated = case.run([name] * 2, mode="gated")

    torch.testing.assert_close(gated, case.text + gate * (case.run([name] * 2) - case.text), atol=1e-4, rtol=1e-4)
    assert gate.min() < 0.1 < 0.9 < gate.max()


@pytest.mark.parametrize("name", ORTHOGONAL)
def test_pages_that_are_worked_on_one_by_one_come_to_the_same(monkeypatch, name):
    case = Case(halves(groups=3))
    whole = case.run([name] * 2)

    monkeypatch.setattr("pack.attention.operators.orthogonal.NUMBERS", 1)

    torch.testing.assert_close(case.run([name] * 2), whole)


def test_nobody_there_is_the_text_bit_for_bit():
    case = Case(torch.zeros(1, 4, 2))

    assert torch.equal(case.run(["fidelity", "regional style"]), case.text)


def test_a_text_that_says_nothing_takes_nothing():
    case = Case(torch.ones(1, 4, 1))
    case.text.zero_()

    out = case.run(["style"])

    torch.testing.assert_close(out, fused_attention(case.q, case.k[:1], case.v[:1], HEADS))


class KernelCalls(TorchFunctionMode):
    """Counts calls of torch's attention."""

    count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += function is torch.nn.functional.scaled_dot_product_attention
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("names", "calls"), [(["neutral"] * 2, 1), (["fidelity"] * 2, 1), (["neutral", "style"], 2)], ids=str
)
def test_the_people_of_an_orthogonal_method_are_one_call_of_the_kernel(names, calls):
    case = Case(halves())

    with KernelCalls() as kernel:
        case.run(names)

    assert kernel.count == calls


def test_zero_tokens_are_the_published_ones():
    assert [zero_tokens_of("pulid", name) for name in METHODS] == [8, 8, 16, 16, 0]
    assert zero_tokens_of("pulid v1.1", "regional fidelity") == ZERO_TOKENS["pulid v1.1"]["fidelity"] == 20
    assert zero_tokens_of("faceid", "fidelity") == 0
    assert replace(Method(), lead=5) != Method()


# What `pulid_attention` of PuLID_ComfyUI (commit 4e1fd40) adds to a text's attention at weight 0.8, with its own method
# for each of two rows: one asks for a person of 13 tokens, the other for nobody. Random numbers in, 4 heads.
THEIRS = Path(__file__).parents[1] / "fixtures" / "pulid_comfyui.safetensors"


def beside_theirs(method, vectors):
    """What is added to those rows by a method, with everybody everywhere."""
    share, sources = torch.ones(2, vectors["q"].shape[1], 1), torch.tensor([[[0]], [[1]]])
    ones = torch.ones(2)
    layout = lay_out(Recipe("decoupled"), share, torch.tensor([0.8]), sources, ones, [method], ones)
    text, k, v = vectors["text"], vectors["key"], vectors["value"]
    out = attend_to_identities(Recipe("decoupled"), layout, text, vectors["q"], TextKeys(text), k, v, 4)
    return out - text


@pytest.mark.parametrize("name", ["fidelity", "style", "neutral"])
def test_pooled_methods_are_those_of_the_pack_for_this_host(name):
    vectors = load_file(THEIRS)

    ours = beside_theirs(replace(METHODS[name], pooled=True), vectors)

    torch.testing.assert_close(ours, vectors[f"expected.{name}"], atol=2e-5, rtol=1e-4)


def test_what_a_point_keeps_is_its_own_unless_it_is_pooled():
    vectors = load_file(THEIRS)

    assert (beside_theirs(METHODS["fidelity"], vectors) - vectors["expected.fidelity"]).abs().max() > 0.01


def test_people_of_both_kinds_stand_in_one_call():
    case = Case(halves())
    plain, pooled = METHODS["fidelity"], replace(METHODS["fidelity"], pooled=True)

    def run(*methods):
        ones = torch.ones(3)
        layout = lay_out(Recipe("decoupled"), case.share, torch.ones(2), case.sources, ones, methods, ones)
        return attend_to_identities(
            Recipe("decoupled"), layout, case.text, case.q, TextKeys(case.text), case.k, case.v, HEADS
        )[0]

    both = run(plain, pooled)
    torch.testing.assert_close(both[:3], run(plain, plain)[:3])
    torch.testing.assert_close(both[3:], run(pooled, pooled)[3:])
    assert not torch.allclose(run(plain, plain)[3:], run(pooled, pooled)[3:], atol=1e-3)
