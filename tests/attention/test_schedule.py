"""Windows in the schedule: who acts at which noise level, and which step it is."""

import pytest
from pack.attention.recipes.schedule import active_at, shared_window, sigma_windows, step_number


def to_sigma(part):
    return 10.0 * (1 - part)


def test_two_windows_share_what_lies_in_both():
    assert shared_window((0.0, 0.6), (0.2, 1.0)) == (0.2, 0.6)


def test_windows_become_falling_noise_levels_that_hold_both_ends():
    windows = sigma_windows([(0.0, 1.0), (0.2, 0.5)], to_sigma)

    assert windows == ((10.0, 0.0), (8.0, 5.0))
    assert [active_at(sigma, windows)[1] for sigma in (9.0, 8.0, 6.0, 5.0, 4.9)] == [False, True, True, True, False]
    assert active_at(0.0, windows)[0]


def test_windows_that_share_nothing_are_never_active():
    windows = sigma_windows([shared_window((0.0, 0.3), (0.6, 1.0))], to_sigma)

    assert not any(active_at(to_sigma(part / 20), windows)[0] for part in range(21))


@pytest.mark.parametrize(("sigma", "step"), [(20.0, 0), (14.6, 0), (14.5999999, 0), (9.0, 0), (6.0, 1), (1.0, 2)])
def test_a_step_holds_the_noise_levels_down_to_the_next(sigma, step):
    assert step_number(sigma, [14.6, 6.0, 2.0, 0.0]) == step
