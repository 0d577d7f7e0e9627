"""The training loop: an interruption changes nothing, a finished stage is not trained again, weights to start from."""

import logging
from dataclasses import replace

import pytest
import torch
from pack.demo.train import loop
from pack.demo.train.loop import Run, optimise, step_generator
from torch import nn

STEPS = 12


def module(seed=0):
    """Small, but with everything that has to survive: weights, running statistics, a frozen part."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    net[3].bias.requires_grad_(False)
    return net


def train(folder, steps=STEPS, save_after=(), cut_off_at=None, monkeypatch=None, seed=0, **options):
    """Train a fresh module; save after the named steps only, raise KeyboardInterrupt in another."""
    net = module(seed)

    def loss_at(step, generator):
        if step == cut_off_at:
            raise KeyboardInterrupt
        if monkeypatch:
            monkeypatch.setattr(loop, "SAVE_EVERY", -1.0 if step in save_after else 1e9)
        x = torch.randn(16, 4, generator=generator)
        return (net(x) - x.sum(1, keepdim=True)).square().mean()

    return optimise(Run("tiny", folder, steps), net, loss_at, 1e-2, **options)


def assert_equal(one, other):
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key


@pytest.mark.parametrize("cut_off_at", [5, 8])
def test_a_run_cut_off_between_saves_ends_where_an_uninterrupted_one_does(tmp_path, monkeypatch, cut_off_at):
    whole = train(tmp_path / "whole")

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", save_after=(4,), cut_off_at=cut_off_at, monkeypatch=monkeypatch)
    assert torch.load(tmp_path / "cut" / "tiny.pt", weights_only=True)["step"] == 5
    resumed = train(tmp_path / "cut", seed=99)

    assert_equal(whole, resumed)
    kept = [torch.load(tmp_path / name / "tiny.pt", weights_only=True)["module"] for name in ("whole", "cut")]
    assert all(torch.equal(kept[0][key], kept[1][key]) for key in kept[0])


def test_a_run_cut_off_before_the_first_save_starts_anew(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", cut_off_at=3)

    assert_equal(train(tmp_path / "whole"), train(tmp_path / "cut"))


def test_a_finished_stage_is_loaded_and_not_trained_again(tmp_path):
    trained = train(tmp_path)

    loaded = train(tmp_path, cut_off_at=0, seed=99)

    assert_equal(trained, loaded)
    assert not loaded.training


def test_more_steps_go_on_from_a_finished_stage(tmp_path):
    train(tmp_path)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, steps=STEPS + 5, cut_off_at=STEPS + 2)


def test_averaged_weights_come_back_and_frozen_ones_stay(tmp_path):
    averaged, frozen = train(tmp_path), module()[3].bias

    last = torch.load(tmp_path / "tiny.pt", weights_only=True)["module"]

    assert torch.equal(averaged[3].bias, frozen)
    assert not torch.equal(averaged[0].weight, last["0.weight"])
    assert not torch.equal(averaged[0].weight, module()[0].weight)


def test_steps_and_stages_have_random_numbers_of_their_own():
    drawn = {
        (name, step): torch.rand(1, generator=step_generator(name, step)).item() for name in "ab" for step in (0, 1)
    }

    assert len(set(drawn.values())) == 4
    assert drawn["a", 0] == torch.rand(1, generator=step_generator("a", 0)).item()


def test_shipped_weights_are_where_training_starts(tmp_path, caplog):
    start = {key: value.half() if value.is_floating_point() else value for key, value in module(7).state_dict().items()}
    run = Run("tiny", tmp_path, 1, start)
    net, seen = module(0), []

    def loss_at(_step, _generator):
        seen.append(net[0].weight.detach().clone())
        return net(torch.ones(4, 4)).square().mean()

    with caplog.at_level(logging.INFO):
        optimise(run, net, loss_at, 1e-2)

    assert torch.equal(seen[0], start["0.weight"].float())
    assert "tiny starts from the shipped weights" in caplog.text


def test_a_checkpoint_counts_more_than_shipped_weights(tmp_path):
    trained = train(tmp_path)
    run = Run("tiny", tmp_path, STEPS, module(7).state_dict())

    assert_equal(trained, optimise(run, module(0), None, 1e-2))


def test_a_part_that_is_only_needed_is_taken_as_it_ships(tmp_path, caplog):
    run = Run("tiny", tmp_path, 0, module(7).state_dict())

    with caplog.at_level(logging.INFO):
        taken = optimise(run, module(0), None, 1e-2)

    assert run.as_shipped
    assert not replace(run, start=None).as_shipped
    assert_equal(taken, module(7))
    assert "tiny is taken from the shipped weights" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_builds_upon_something_else_is_refused(tmp_path):
    train(tmp_path, upon=3.0)

    train(tmp_path, upon=3.0)
    with pytest.raises(RuntimeError, match="Delete it to train tiny anew"):
        train(tmp_path, upon=4.0)
