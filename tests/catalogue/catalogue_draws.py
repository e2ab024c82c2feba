"""Points in a law's range and parameters from its prior, on which the generic tests stand."""

import zlib
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from bayes_scaling.build import distribution
from bayes_scaling.equation import oracle, parse_equation
from bayes_scaling.levels import sampling_order, to_paper
from bayes_scaling.symbols import SYMBOLS

SCALE = 2.5  # a typical response, which relative priors are multiples of
ANY = (1e3, 1e10)  # range of a covariate of which nothing is known


def law_rng(law, salt=0):
    """A generator that depends on the law's name alone, so that adding a law moves no other."""
    return np.random.default_rng([zlib.crc32(law.name.encode()), salt])


def input_range(law, name):
    """The range in which the law was studied, else the plausible one of the vocabulary."""
    if name in law.valid:
        return law.valid[name]
    if name in law.simplex:
        return 0.02, 0.96
    known = SYMBOLS.get(name)
    plausible = (known.low, known.high) if known else ANY
    return plausible if np.isfinite(plausible).all() else ANY


def is_unitless(law):
    """Whether the law is one of any covariate and any response, whose units it cannot know."""
    return law.inputs == ("X",) and not law.response


def reference_of(law):
    """The point at which the priors hold; the middle of the range where the law names none."""
    middle = {n: float(np.sqrt(np.prod(input_range(law, n)))) for n in law.inputs}
    middle |= {n: 1 / len(law.simplex) for n in law.simplex}
    return {**middle, **dict(law.reference)}


def draw_inputs(law, count, salt=0):
    """Log-uniform inputs, name to array (count,); shares evenly over their simplex."""
    rng = law_rng(law, salt)
    spans = {name: np.log(input_range(law, name)) for name in law.inputs}
    drawn = {name: np.exp(rng.uniform(*span, count)) for name, span in spans.items()}
    shares = rng.dirichlet(np.ones(len(law.simplex)), count).T if law.simplex else ()
    return drawn | dict(zip(law.simplex, shares, strict=True))


def draw_params(law, count, salt=0, at=None, scale=SCALE):
    """Parameters in the paper's units from the prior, name to array (count,)."""
    keys = jax.random.split(jax.random.key(zlib.crc32(law.name.encode()) + salt), len(law.params))
    values, at = {}, at or reference_of(law)
    with jax.enable_x64(True):
        for param, key in zip(sampling_order(law), keys, strict=True):
            sampled = draw_prior(param.prior, key, count, scale)
            paper = to_paper(law, param.name, sampled, values, at)
            values[param.name] = np.asarray(jnp.broadcast_to(paper, (count,)))
    return values


def draw_prior(prior, key, count, scale=SCALE):
    """Draws of a prior on its own scale, shape (count,)."""
    if prior.is_fixed:
        return np.full(count, prior.args[0])
    return np.asarray(distribution(prior, scale).sample(key, (count,)), float)


def each_point(values, count):
    """One mapping of name to float for every draw."""
    return [{name: float(v[i]) for name, v in values.items()} for i in range(count)]


def evaluate(law, values):
    """The law's function at named values."""
    inputs = [values[name] for name in law.inputs]
    return law(*inputs, **{name: values[name] for name in law.param_names})


@lru_cache
def parsed(text):
    """An equation's expression."""
    return parse_equation(text).expr


def truth(law, values, digits=30):
    """The law's equation at named values, by SymPy and mpmath."""
    return oracle(parsed(law.equation), values, digits)
