"""What every effect of a cast on a model looks like, and what it is handed.

An effect is one file: when it is absent (`of`), which parts of the schedule it asks for (`windows`), what it changes in
the patched clone (`install`), and what answers the layers in each call of the model (`EffectRun.join`). The patch and
its wrappers (nodes/host/cast) name none of them but in one list.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from torch import Tensor

from ....attention.recipes.cast import Cast
from ....attention.recipes.recipe import Recipe
from ....attention.recipes.schedule import Window
from ..layers.in_force import Terms
from ..model.blocks import CrossAttentionBlock, grid_at
from ..model.family import UNET, Family
from ..model.rows import Call
from .shares import Shares

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Given:
    """What effects are made from.

    model    : the patched clone
    family   : of the model
    blocks   : its cross-attention layers in the order of adapter files; none in families without such layers
    adapter  : for members that bring none of their own
    strength : of the whole cast
    vae      : encodes photos, where the user gave one
    """

    model: Any
    blocks: tuple[CrossAttentionBlock, ...]
    cast: Cast
    recipe: Recipe
    adapter: Any = None
    strength: float = 1.0
    vae: Any = None
    family: Family | None = None


@dataclass(frozen=True)
class StepState:
    """What holds for one effect in one evaluation of the conditionings.

    acting : of each of its windows, whether the step lies in it
    early  : whether this is one of the run's first steps that it asked for
    """

    acting: tuple[bool, ...] = ()
    early: bool = False


@dataclass(frozen=True, eq=False)
class ModelCall:
    """One call of the model, or of a ControlNet in its stead.

    rows       : what its rows are
    base       : the model as ComfyUI runs it (a BaseModel)
    x          : its input, [B, C, h, w]
    options    : its transformer options
    blocks     : the model's cross-attention layers
    in_control : the call is a ControlNet's, which reads the picture's prompt alone and is not recorded
    again      : runs the model once more, with the arguments of the call; None for a ControlNet
    t, text, rest : the call's noise levels [B], text tokens and other arguments; of a ControlNet `rest` alone, which is
                    "cond", its conditioning, and "control", itself
    """

    rows: Call
    base: Any
    x: Tensor
    options: dict
    blocks: tuple[CrossAttentionBlock, ...]
    in_control: bool = False
    again: Any = None
    t: Tensor | None = None
    text: Tensor | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dtype(self):
        """Of the model's computations."""
        return self.base.manual_cast_dtype or self.base.get_dtype()

    @property
    def grids(self) -> set[tuple[int, int]]:
        """Rows and columns of the tokens at each level that has layers."""
        return {grid_at(self.x.shape, level) for level in {block.level for block in self.blocks}}


@dataclass(frozen=True, eq=False)
class Session:
    """One sampling run of one cast, as its effects share it.

    model            : the model that is sampled (a BaseModel)
    terms_in_control : what answers a ControlNet's layers: (options, its input, {cond, control}) -> Terms
    """

    shares: Shares
    model: Any
    terms_in_control: Callable[[dict, Tensor, Mapping[str, Any]], Terms]


class EffectRun:
    """An effect in one sampling run: what it keeps is made once, and gone when the run ends.

    always : whether it is asked in steps outside of all its windows too
    """

    always = False

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under this key before, or is made now."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def given_conds(self, conds: Mapping[str, list[dict]]) -> Mapping[str, list[dict]]:
        """The guider's conditionings by role as this effect wants them, before the run encodes them."""
        return conds

    def conds(self, conds: Sequence[list[dict] | None]) -> Sequence[list[dict] | None]:
        """The conditionings that are evaluated, as this effect wants them."""
        return conds

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """The terms that answer a call so far, with this effect's own.

        Asked while one of its windows is open; always where it has none, or says so.
        """
        return terms

    def close(self) -> None:
        """Let go of every tensor; a run that something still refers to holds no memory."""
        self._kept.clear()


class Effect:
    """One thing that a cast does to a model; immutable, so that clones and branches may share it.

    kinds       : of families that it acts in (model.family)
    windows     : parts of the schedule it acts in; none for always
    first_steps : how many steps at the start of a run it treats in a way of their own
    """

    kinds: ClassVar[frozenset[str]] = frozenset({UNET})
    windows: tuple[Window, ...] = ()
    first_steps: int = 0

    @classmethod
    def of(cls, given: Given) -> Effect | None:
        """The effect, or None where cast and recipe do not ask for it.

        Raises ValueError where they ask for it and something is missing.
        """
        raise NotImplementedError

    def install(self, patched: Any) -> None:
        """Change what has to be changed in the patched clone itself."""

    def begin(self, session: Session) -> EffectRun:
        """The effect in a sampling run that is about to start."""
        raise NotImplementedError
