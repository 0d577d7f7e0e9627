"""One cast in one sampling run: its effects' runs, which are made when sampling starts and gone when it ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..effects.cast_patch import CastPatch
from ..effects.effect import ModelCall, Session, StepState
from ..layers.in_force import Terms
from ..model.option_keys import INPUT, STATES, STEP
from ..model.rows import Step
from ..model.tiles import call_of
from .run_schedule import RunSchedule

log = logging.getLogger(__name__)


class CastRun:
    """Holds everything of a run.

    guider : ComfyUI's, whose conditionings say which rows are the positive prompt
    """

    def __init__(self, patch: CastPatch, guider: Any) -> None:
        self.patch = patch
        self.guider = guider
        self.schedule = RunSchedule(patch.effects, guider.model_patcher.get_model_object("model_sampling"))
        self._shares = patch.shares()
        self._said = False
        session = Session(self._shares, guider.model_patcher.model, self._terms_in_control)
        self._session = session
        self.effects = tuple(effect.begin(session) for effect in patch.effects)

    def close(self) -> None:
        """Let go of every tensor; a run that something still refers to holds no memory."""
        self._shares.close()
        for effect in self.effects:
            effect.close()

    def given_conds(self, conds: Any) -> Any:
        """The guider's conditionings by role, as the effects want them before the run encodes them."""
        for effect in self.effects:
            conds = effect.given_conds(conds)
        return conds

    def conds(self, conds: Any) -> Any:
        """The conditionings that are evaluated, as the effects want them."""
        for effect in self.effects:
            conds = effect.conds(conds)
        return conds

    def terms(self, call: ModelCall) -> Terms:
        """What answers the layers in one call."""
        terms = Terms()
        states: tuple[StepState, ...] = call.options[STATES][self.patch.key]
        for effect, state in zip(self.effects, states, strict=True):
            if any(state.acting) or not state.acting or effect.always:
                terms = effect.join(terms, call, state)
        return terms

    def call(self, options: dict, base: Any, x: Tensor, **others: Any) -> ModelCall:
        """A call of the model with these transformer options."""
        step: Step = options[STEP]
        rows = step.of(options["cond_or_uncond"], options.get("uuids", ()))
        evaluated = options.get(INPUT)
        call = step.call(rows, x, evaluated) or call_of(step, rows, x, evaluated, others.get("text"))
        if call.lost and not self._said:  # once in a run
            log.warning(call.lost)
            self._said = True
        return ModelCall(replace(call, lost=""), base, x, options, self.patch.blocks, **others)

    def _terms_in_control(self, options: dict, x: Tensor, asked: Mapping[str, Any]) -> Terms:
        return self.terms(self.call(options, self._session.model, x, in_control=True, rest=asked))
