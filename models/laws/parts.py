"""What many laws share: Chinchilla's floor, size term and data term; the record of optima."""

from typing import Any

from bayes_scaling.models import priors
from bayes_scaling.spec import Param


def floor(name: str = "E") -> Param:
    """Irreducible loss of text models."""
    return Param(name, priors.floor(), "irreducible loss", "nats/token", pool="partial")


def size_coefficient(at: float = 1e9) -> Param:
    """A of A N^-alpha, by the term's value at ``at`` parameters."""
    return Param("A", priors.reducible_n(at), "size coefficient", "nats * N^alpha",
                 level="A * N**-alpha", pool="partial")  # fmt: skip


def data_coefficient(at: float = 2e10) -> Param:
    """B of B D^-beta, by the term's value at ``at`` tokens."""
    return Param("B", priors.reducible_d(at), "data coefficient", "nats * D^beta",
                 level="B * D**-beta", pool="partial")  # fmt: skip


def size_exponent() -> Param:
    """Exponent alpha of size."""
    return Param("alpha", priors.exponent_n(), "size exponent", spread=priors.SPREAD_EXPONENT)


def data_exponent() -> Param:
    """Exponent beta of data."""
    return Param("beta", priors.exponent_d(), "data exponent", spread=priors.SPREAD_EXPONENT)


def chinchilla_params(n: float = 1e9, d: float = 2e10) -> tuple[Param, ...]:
    """The five parameters of Chinchilla's law, with priors that hold at ``n`` and ``d``."""
    coefficients = size_coefficient(n), data_coefficient(d)
    return (floor(), *coefficients, size_exponent(), data_exponent())


def optimal_size(A: str = "A", alpha: str = "alpha", B: str = "B", beta: str = "beta") -> str:
    """The N that is best at C = 6 N D for terms A N^-alpha and B D^-beta (Hoffmann, eq. 4)."""
    return f"({alpha} * {A} / ({beta} * {B}) * (C / 6)**({beta}))**(1 / ({alpha} + {beta}))"


def of_optimum(response: str) -> dict[str, Any]:
    """Record of a law whose response is a fitted optimum, with scatter of its logarithm."""
    noise = priors.optimum_scatter()
    return {"response": response, "observation": "normal_log", "noise": noise}
