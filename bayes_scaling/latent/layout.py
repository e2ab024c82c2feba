"""The arrays that the model takes: standardised inputs, floors, anchors, and where scores are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling._errors import DataError, SpecError, did_you_mean, list_names
from bayes_scaling.latent.table import Scores, by_benchmark

PRODUCT = "N x D"
MOST_SKILLS = 3
NOISES = ("beta", "normal", "beta_binomial")
EDGE = 1e-3  # scores nearer to 0 or 1 have no Beta density
# Rise of the first skill, in logits of its anchor, per sd of an input over the table (Maia Polo et
# al. 2024): mean and sd; of further skills only how far it may go either way.
SLOPES = {"N": (0.8, 0.5), "D": (0.3, 0.5), "C": (1.0, 0.5), PRODUCT: (0.0, 0.3)}
SLOPE_OF_OTHERS = 0.5


@dataclass(frozen=True)
class Layout:
    """What was asked of the model.

    ``terms`` are the inputs with their product, if any; ``centre`` and ``scale`` (input,) are the
    mean and sd of the inputs' log10; ``anchors`` the benchmarks that fix the skills, in order;
    ``chance``, ``lapse`` and ``trials`` are per benchmark.
    """

    inputs: tuple[str, ...]
    terms: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    anchors: tuple[str, ...]
    noise: str
    chance: tuple[float, ...]
    lapse: tuple[float, ...]
    trials: tuple[float, ...] = ()

    @property
    def n_skills(self) -> int:
        """Number of skills."""
        return len(self.anchors)


def make_layout(
    scores: Scores,
    *,
    n_skills: int,
    anchors: Sequence[str],
    noise: str | None,
    links: tuple[np.ndarray, np.ndarray],
    trials: Mapping[str, float] | float | None,
    interaction: bool,
) -> Layout:
    """Return the layout; ``links`` are chance and lapse, each (benchmark,).

    Raises
    ------
    SpecError, DataError
        When an argument does not fit the table or the others.
    """
    names = scores.benchmarks
    centre, scale = _scales(scores)
    counts = () if trials is None else _counts(trials, names)
    if interaction and not {"N", "D"} <= set(scores.inputs):
        raise SpecError("interaction=True is the product of log N and log D: inputs=('N', 'D').")
    return Layout(
        tuple(scores.inputs),
        (*scores.inputs, *([PRODUCT] if interaction else [])),
        centre,
        scale,
        checked_anchors(anchors, names, n_skills),
        _noise(noise, counts),
        tuple(links[0].tolist()),
        tuple(links[1].tolist()),
        counts,
    )


def checked_links(
    chance: float | Mapping[str, float], lapse: float | Mapping[str, float], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return floors and lapses, each (benchmark,).

    Raises
    ------
    SpecError
        Unless they are at least 0 and together below 1.
    """
    floors, tops = by_benchmark(chance, names, "chance"), by_benchmark(lapse, names, "lapse")
    if not ((floors >= 0) & (tops >= 0) & (floors + tops < 1)).all():
        raise SpecError("chance and lapse must be at least 0 and together below 1 everywhere.")
    return floors, tops


def _noise(asked: str | None, counts: tuple[float, ...]) -> str:
    noise = asked or ("beta_binomial" if counts else "beta")
    if noise not in NOISES:
        raise SpecError(f"noise {noise!r} is none of {list_names(NOISES)}.")
    if (noise == "beta_binomial") != bool(counts):
        raise SpecError("noise 'beta_binomial' goes with trials={benchmark: items}, and only then.")
    return noise


def _counts(trials: Mapping[str, float] | float, names: Sequence[str]) -> tuple[float, ...]:
    counts = by_benchmark(trials, names, "trials")
    bad = [n for n, k in zip(names, counts, strict=True) if k < 1 or k != np.floor(k)]
    if bad:
        raise SpecError(f"trials[{bad[0]!r}] must be a whole number of items, 1 or more.")
    return tuple(counts.tolist())


def checked_skills(n_skills: int, names: Sequence[str]) -> int:
    """Return the number of skills.

    Raises
    ------
    SpecError
        Unless it is 1 to 3 and there are more benchmarks than skills.
    """
    if n_skills not in range(1, MOST_SKILLS + 1) or len(names) < n_skills + (n_skills > 1):
        raise SpecError(
            f"n_skills={n_skills} with {len(names)} benchmarks: pass 1 to {MOST_SKILLS}, and more "
            "benchmarks than skills."
        )
    return n_skills


def checked_anchors(anchors: Sequence[str], names: Sequence[str], n: int) -> tuple[str, ...]:
    """Return the anchors.

    Raises
    ------
    SpecError
        Unless they are so many different benchmarks.
    """
    for name in anchors:
        if name not in names:
            hint = did_you_mean(str(name), names)
            raise SpecError(f"anchors names no benchmark {name!r}.{hint} Benchmarks: "
                            f"{list_names(names)}.")  # fmt: skip
    if len(set(anchors)) != n or len(anchors) != n:
        raise SpecError(f"anchors={list(anchors)}: name one benchmark for each of {n} skills.")
    return tuple(anchors)


def _scales(scores: Scores) -> tuple[tuple[float, ...], tuple[float, ...]]:
    logs = [np.log10(x) for x in scores.inputs.values()]
    scale = [float(x.std()) for x in logs]
    flat = [n for n, s in zip(scores.inputs, scale, strict=True) if s < 1e-9]
    if flat:
        raise DataError(f"{flat[0]} is the same for all models: leave it out of inputs")
    return tuple(float(x.mean()) for x in logs), tuple(scale)


def design(layout: Layout, inputs: Mapping[str, Any]) -> np.ndarray:
    """Standardised terms of inputs, shape (point, term)."""
    parts = zip(layout.inputs, layout.centre, layout.scale, strict=True)
    x = {n: (np.log10(np.asarray(inputs[n], float)) - m) / s for n, m, s in parts}
    both = {PRODUCT: x["N"] * x["D"]} if PRODUCT in layout.terms else {}
    return np.column_stack([*x.values(), *both.values()])


def slope_prior(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of the slopes' prior, each (term, skill)."""
    first = np.array([SLOPES[t] for t in layout.terms])
    loc, scale = (np.zeros((len(first), layout.n_skills)) for _ in range(2))
    loc[:, 0], scale[:, 0] = first.T
    scale[:, 1:] = np.minimum(SLOPE_OF_OTHERS, first[:, 1:])
    return loc, scale


def free_loadings(layout: Layout, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Loadings that are known, zero elsewhere, and a mask of those that are free: both
    (benchmark, skill)."""
    known = np.zeros((len(names), layout.n_skills))
    free = np.ones(known.shape, bool)
    for k, anchor in enumerate(layout.anchors):
        row = list(names).index(anchor)
        known[row, k], free[row, k:] = 1.0, False
    return known, free


def make_args(scores: Scores, layout: Layout) -> dict[str, Any]:
    """Return the arrays that the model takes, families and models wholly centred."""
    values, skills = scores.values, layout.n_skills
    known, free = free_loadings(layout, scores.benchmarks)
    seen = np.isfinite(values).ravel()
    loc, scale = slope_prior(layout)
    counts = np.broadcast_to(layout.trials, values.shape) if layout.trials else np.ones_like(values)
    families, codes = np.unique(scores.family, return_inverse=True)
    return {
        "score": _given(values.ravel()[seen], counts.ravel()[seen], layout.noise),
        "seen": np.flatnonzero(seen),
        "trials": counts.ravel()[seen],
        "x": design(layout, scores.inputs),
        "family": codes,
        "chance": np.array(layout.chance),
        "lapse": np.array(layout.lapse),
        "known": known,
        "free": np.flatnonzero(free.ravel()),
        "loading_loc": np.tile(np.arange(skills) == 0, (len(known), 1))[free].astype(float),
        "slope_loc": loc,
        "slope_scale": scale,
        "family_centred": np.ones((len(families), skills)),
        "model_centred": np.ones((len(values), skills)),
    }


def _given(score: np.ndarray, trials: np.ndarray, noise: str) -> np.ndarray:
    """The response of the likelihood, shape (observation,)."""
    if noise == "beta_binomial":
        return np.round(score * trials)
    return np.clip(score, EDGE, 1 - EDGE) if noise == "beta" else score
