"""From a `ModelSpec` and a table of runs to a NumPyro model with its arguments.

The model is a pure function of its arguments, so that one compiled program serves every table of
the same shape; nothing in it depends on the data by closure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import biject_to

from bayes_scaling._registry import POOLINGS
from bayes_scaling.distributions import HalfNormal
from bayes_scaling.levels import log_shift, sampling_order, to_paper
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.prior import HALF_NORMAL_MEDIAN, Z95, Prior
from bayes_scaling.spec import Law, ModelSpec, Param

NOISE_SPREAD = 0.5  # median between-family sd of log sigma
TREND_SD = 0.35  # sd of the change of log sigma per decade
ROWS = "row"

Args = Mapping[str, Any]


def distribution(prior: Prior, scale: Any = 1.0, shift: Any = 0.0) -> dist.Distribution:
    """Return the NumPyro distribution of a prior, multiplied by ``exp(shift)``.

    ``scale`` is the typical size of the response, used by relative priors.
    """
    factor = shift + (jnp.log(scale) if prior.relative else 0.0)
    return _DISTRIBUTIONS[prior.kind](prior, factor)


def _log_sd(low: float, high: float) -> float:
    return float(np.log(high / low) / (2 * Z95))


def _logit_sd(low: float, high: float) -> float:
    return float((_logit(high) - _logit(low)) / (2 * Z95))


def _logit(p: float) -> float:
    return float(np.log(p) - np.log1p(-p))


def _logitnormal(prior: Prior, shift: Any) -> dist.Distribution:
    median, low, high = prior.args
    base = dist.Normal(_logit(median), _logit_sd(low, high))
    return _scaled(dist.TransformedDistribution(base, dist.transforms.SigmoidTransform()), shift)


def _scaled(base: dist.Distribution, shift: Any) -> dist.Distribution:
    if isinstance(shift, float) and shift == 0.0:
        return base
    support: Any = base.support
    stretch = dist.transforms.AffineTransform(0.0, jnp.exp(shift), domain=support)
    return dist.TransformedDistribution(base, stretch)


_DISTRIBUTIONS: dict[str, Callable[[Prior, Any], dist.Distribution]] = {
    "lognormal": lambda p, s: dist.LogNormal(np.log(p.args[0]) + s, _log_sd(*p.args[1:])),
    "normal": lambda p, s: dist.Normal(p.args[0] * jnp.exp(s), p.args[1] * jnp.exp(s)),
    "halfnormal": lambda p, s: HalfNormal(p.args[0] / HALF_NORMAL_MEDIAN * jnp.exp(s)),
    "logitnormal": _logitnormal,
    "uniform": lambda p, s: _scaled(dist.Uniform(*p.args), s),
    "numpyro": lambda p, s: _scaled(p.custom, s),
}


class Slot(NamedTuple):
    """All that a pooling structure needs to give one parameter its values."""

    spec: ModelSpec
    param: Param
    args: Args
    values: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.param.name

    @property
    def site(self) -> str:
        """The sampled site's name: the parameter, or its level."""
        return f"{self.name}_level" if self.param.level else self.name

    @property
    def levels(self) -> tuple[str, ...]:
        """Group names, outer to inner."""
        return self.spec.groups

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of groups at each level."""
        return tuple(self.args["parent"][g].shape[0] for g in self.levels)

    @property
    def parents(self) -> tuple[Any, ...]:
        """For each level the index of its members' parents; None for the outermost."""
        return (None, *(self.args["parent"][g] for g in self.levels[1:]))

    @property
    def spread(self) -> float:
        """Prior median of the between-group sd on the link scale."""
        return self.param.spread

    def information(self, level: str) -> Any:
        """What the data say of each direction of a level: 1 / sd^2 on the link scale."""
        return self.args["information"][self.label(level)]

    def pull(self, level: str) -> Any:
        """Information times the data's estimate, for each direction of a level."""
        return self.args["pull"][self.label(level)]

    def basis(self, level: str) -> Any:
        """Orthonormal directions in which a level's members deviate, shape (member, direction)."""
        return self.args["basis"][self.label(level)]

    def label(self, level: str) -> str:
        """The stem of a level's site names: the parameter, with the group for outer levels."""
        return stem(self.spec, self.name, level)

    def prior(self, shift: Any) -> dist.Distribution:
        """The prior at the data's reference point, given the shift of its level."""
        return distribution(self.spec.prior(self.name), self.args["scale"], shift)

    def link_prior(self, shift: Any, away: Any) -> dist.Distribution:
        """The prior carried to the link scale and moved by ``away``."""
        prior = self.prior(shift)
        if isinstance(prior, dist.LogNormal):
            return dist.Normal(prior.loc + away, prior.scale)
        move = dist.transforms.AffineTransform(away, 1.0)
        return dist.TransformedDistribution(prior, [self.link().inv, move])

    def shift(self, level: str) -> Any:
        """Log-ratio of the level between the data's reference point and the law's."""
        return log_shift(self.spec.law, self.name, self.values[level], self.args["ref"])

    def link(self) -> Any:
        """The map from the real line to the parameter's support."""
        return biject_to(distribution(self.spec.prior(self.name)).support)


def stem(spec: ModelSpec, name: str, level: str) -> str:
    """The stem of a parameter's site names at a level of the grouping."""
    return name if level == spec.groups[-1] else f"{name}_{level}"


def sample_parameters(spec: ModelSpec, args: Args) -> dict[str, dict[str, Any]]:
    """Sample every parameter; return its paper value at each level (``""`` the population)."""
    values: dict[str, dict[str, Any]] = {level: {} for level in ("", *spec.groups)}
    for param in sampling_order(spec.law):
        sampled = _sample_one(spec, param, args, values)
        for level, value in sampled.items():
            values[level][param.name] = value
    return values


def _sample_one(spec: ModelSpec, param: Param, args: Args, values: dict) -> dict[str, Any]:
    prior = spec.prior(param.name)
    if prior.is_fixed:
        return dict.fromkeys(values, jnp.asarray(prior.args[0]))
    sampled = POOLINGS.get(spec.pooling(param.name))(Slot(spec, param, args, values))
    return {
        level: _report(spec, param, level, value, values[level], args)
        for level, value in sampled.items()
    }


def _report(spec: ModelSpec, param: Param, level: str, value: Any, others: dict, args: Args) -> Any:
    """The paper's parameter from its sampled coordinate, recorded under its public name."""
    paper = to_paper(spec.law, param.name, value, others, args["ref"])
    name = public_name(spec, param.name, level)
    sampled_as_is = not param.level and spec.pooling(param.name) != "partial"
    if name and not sampled_as_is:
        numpyro.deterministic(name, paper)
    return paper


def public_name(spec: ModelSpec, name: str, level: str) -> str:
    """The posterior variable that holds a parameter at a level; "" when it has none of its own."""
    pooled = spec.pooling(name)
    innermost = spec.groups[-1] if spec.groups else ""
    if pooled == "shared":
        return name if level == "" else ""
    if level == innermost:
        return name
    if pooled == "separate":
        return ""
    return f"{name}_pop" if level == "" else f"{name}_{level}"


def noise_scale(spec: ModelSpec, args: Args) -> Any:
    """Sample the noise sd and return it for every row, shape () or (row,)."""
    unit = jnp.log(noise_unit(spec, args))
    sigma = numpyro.sample("sigma", distribution(spec.prior("sigma"), args["scale"], unit))
    log_sigma = jnp.log(sigma)
    if spec.noise_by_family:
        log_sigma = log_sigma + spread_over_rows(_noise_offsets(spec, args), args)
    if spec.noise_trend:
        slope = numpyro.sample("sigma_trend", dist.Normal(0.0, TREND_SD))
        log_sigma = log_sigma + slope * args["trend"]
    return jnp.exp(log_sigma)


def noise_unit(spec: ModelSpec, args: Args) -> Any:
    """What noise is a multiple of: the typical response on the raw scale, 1 on the log scale."""
    return args["scale"] if spec.observation.on == "raw" else 1.0


def _noise_offsets(spec: ModelSpec, args: Args) -> Any:
    tau = numpyro.sample("tau_sigma", HalfNormal(NOISE_SPREAD / HALF_NORMAL_MEDIAN))
    family = spec.groups[-1]
    with numpyro.plate(family, args["parent"][family].shape[0]):
        offset = numpyro.sample("sigma_offset", dist.Normal(0.0, 1.0))
    return numpyro.deterministic("log_sigma_family", tau * offset)


def spread_over_rows(value: Any, args: Args) -> Any:
    """Family values, shape (family,), to rows, shape (row,); scalars stay.

    A matrix product rather than an index: its gradient is another product, not a scatter. Of rows
    that lie family after family (`bayes_scaling.arguments.by_families`) a repeat.
    """
    if jnp.ndim(value) == 0:
        return value
    if "by_family" in args:
        return jnp.broadcast_to(value[:, None], args["by_family"].shape).ravel()
    return args["member"] @ value


def observe(spec: ModelSpec, mean: Any, sigma: Any, args: Args) -> dist.Distribution:
    """Return the distribution of the response about the law's ``mean``, shape (row,)."""
    extra = {
        name: numpyro.sample(name, distribution(spec.prior(name)))
        for name, _ in spec.observation.extra
    }
    blurred = jnp.sqrt(sigma**2 + (args["blur"] * noise_unit(spec, args)) ** 2)
    return response_distribution(spec, mean, blurred, extra, args.get("se"), args.get("trials"))


def response_distribution(
    spec: ModelSpec,
    mean: Any,
    sigma: Any,
    extra: Mapping[str, Any],
    se: Any = None,
    trials: Any = None,
) -> dist.Distribution:
    """Return the distribution of the response.

    ``se`` is a known standard error, raw scale; ``trials`` the number of items of a share.
    """
    on_log = spec.observation.on == "log"
    location = jnp.log(mean) if on_log else mean
    if se is not None:
        sigma = jnp.sqrt(sigma**2 + (se / mean if on_log else se) ** 2)
    counted = {"trials": trials} if spec.observation.counts else {}
    return spec.observation.build(location, sigma, **extra, **counted)


def law_at_rows(law: Law, family_values: Mapping[str, Any], args: Args) -> Any:
    """Return the law's value on every row, shape (row,)."""
    params = {name: spread_over_rows(value, args) for name, value in family_values.items()}
    evaluate = with_fast_powers(lambda x, p: law(*x, **p))
    return evaluate([args["x"][name] for name in law.inputs], params)


def numpyro_model_of(spec: ModelSpec) -> Callable[[Args], None]:
    """Return the model of a spec; it takes the arguments made by `make_args`."""
    innermost = spec.groups[-1] if spec.groups else ""

    def model(args: Args) -> None:
        values = sample_parameters(spec, args)
        mean = law_at_rows(spec.law, values[innermost], args)
        sigma = noise_scale(spec, args)
        response = observe(spec, mean, sigma, args)
        with numpyro.plate(ROWS, args["mask"].shape[0]), numpyro.handlers.mask(mask=args["mask"]):
            numpyro.sample(spec.law.response, response, obs=args.get("y"))

    return model
