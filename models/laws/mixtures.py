"""Mixtures of domains: the loss on one domain by the shares of all in the training data.

One fit is of one validation loss. The coefficient of the last domain is minus the sum of the
others': adding a constant to all of them changes nothing, and with this gauge `k` is what an even
mixture could still gain.
"""

from jax.numpy import exp, where

from bayes_scaling.mixing import law_of_shares, signed
from bayes_scaling.models.laws.parts import (
    data_coefficient,
    data_exponent,
    floor,
    size_coefficient,
    size_exponent,
)
from bayes_scaling.prior import lognormal, normal
from bayes_scaling.spec import Param, make_law

_TOPIC = "mixtures"


def _pulls(domains):
    """One coefficient for every domain but the last, whose own is minus their sum."""
    return [
        Param(f"t_{name}", normal(0.0, 4.0), f"pull of {name}", f"1/{name}", latex=f"t_{{{name}}}")
        for name in domains[:-1]
    ]


def _sum_text(coefficients, domains):
    last = domains[-1]
    pieces = zip(coefficients, domains[:-1], strict=True)
    return " + ".join(f"{c.name} * ({name} - {last})" for c, name in pieces)


def _pulled(shares, coefficients):
    *moved, last = shares
    return sum(c * (own - last) for c, own in zip(coefficients, moved, strict=True))


@law_of_shares("r1", "r2", "r3")
def ye_mixing(domains):
    """Enter the data mixing law."""
    pulls = _pulls(domains)
    names = ("c", "k", *(p.name for p in pulls))

    def fn(*shares, c, k, **t):
        return c + k * exp(_pulled(shares, [t[p.name] for p in pulls]))

    return make_law(
        signed(fn, domains, names),
        name="ye_mixing",
        summary="Loss on a domain by the shares of all, c + k exp(sum t r) (Ye et al. 2024)",
        params=(
            Param("c", lognormal(0.65, 0.42, 1.0, relative=True), "loss no mixture takes away",
                  "nats/token", pool="partial"),
            Param("k", lognormal(0.2, 0.02, 2.0, relative=True), "what an even mixture adds",
                  "nats/token", pool="partial"),
            *pulls,
        ),
        equation=f"c + k * exp({_sum_text(pulls, domains)})",
        response="L",
        simplex=domains,
        reference=dict.fromkeys(domains, 1 / len(domains)),
        topic=_TOPIC,
        cite="ye2024",
        traps=(
            "the last domain's pull is minus the sum of the others'; a constant added to all is "
            "exactly flat without that",
            "one fit is of one validation loss; families are sizes, which share the pulls",
        ),
        aliases=("ye_2024", "data_mixing_law"),
    )  # fmt: skip


@law_of_shares("r1", "r2", "r3")
def linear_mixing(domains):
    """Enter the law of RegMix's linear regression."""
    pure = tuple(
        Param(f"w_{name}", lognormal(1.0, 0.4, 2.5, relative=True), f"loss of {name} alone",
              "nats/token", pool="partial", latex=f"w_{{{name}}}")
        for name in domains
    )  # fmt: skip

    def fn(*shares, **w):
        return sum(w[p.name] * own for p, own in zip(pure, shares, strict=True))

    return make_law(
        signed(fn, domains, [p.name for p in pure]),
        name="linear_mixing",
        summary="Loss on a domain linear in the shares of all domains (RegMix, Liu et al. 2024)",
        params=pure,
        equation=" + ".join(f"{p.name} * {name}" for p, name in zip(pure, domains, strict=True)),
        response="L",
        simplex=domains,
        topic=_TOPIC,
        cite="liu2024regmix",
        traps=("only the order of mixtures carries over to other sizes, not the coefficients",),
        aliases=("regmix_2024",),
    )


_RUN = ("N", "D")


def _shukor_params(domains):
    worths = [
        Param(f"C_{name}", lognormal(2.0, 0.27, 15.0), f"worth of {name}", "1/nats",
              pool="partial", latex=f"C_{{{name}}}")
        for name in domains
    ]  # fmt: skip
    powers = [
        Param(f"g_{name}", lognormal(0.5, 0.17, 1.5), f"exponent of {name}",
              latex=rf"\gamma_{{{name}}}")
        for name in domains
    ]  # fmt: skip
    return worths, powers


@law_of_shares(*_RUN, "r1", "r2", "r3", beside=_RUN)
def shukor_mixing(domains):
    """Enter the additive law of optimal mixtures."""
    worths, powers = _shukor_params(domains)
    run = (floor(), size_coefficient(), size_exponent(), data_coefficient(), data_exponent())
    params = (*run, *worths, *powers)

    def fn(N, D, *shares, E, A, alpha, B, beta, **p):
        parts = zip(worths, powers, shares, strict=True)
        worth = sum(p[c.name] * _power(own, p[g.name]) for c, g, own in parts)
        return E + 1 / worth + A * N**-alpha + B * D**-beta

    pieces = (f"{c.name} * {own}**{g.name}"
              for c, g, own in zip(worths, powers, domains, strict=True))  # fmt: skip
    return make_law(
        signed(fn, (*_RUN, *domains), [p.name for p in params]),
        name="shukor_mixing",
        summary="Chinchilla plus a term of the mixture, 1 / sum C h^g (Shukor et al. 2025)",
        params=params,
        equation=f"E + 1 / ({' + '.join(pieces)}) + A * N**-alpha + B * D**-beta",
        response="L",
        simplex=domains,
        reference={"N": 1e9, "D": 2e10},
        topic=_TOPIC,
        cite="shukor2025",
        valid={"N": (1e8, 8e9), "D": (1e9, 1.6e11)},
        decreasing=_RUN,
        traps=("the best mixture does not depend on size and data; repetition is not in it",),
        aliases=("shukor_2025",),
    )


def _power(share, exponent):
    """A share's power, nought for none, with gradients that are finite there."""
    return where(share > 0, where(share > 0, share, 1.0) ** exponent, 0.0)
