"""What a network holds: retrieval, facts, attack surface, directions of its features."""

from jax.numpy import log2

from bayes_scaling.models import priors
from bayes_scaling.prior import Prior, lognormal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "capacity"


@law(
    params=(
        Param("d", lognormal(0.05, 0.01, 0.2), "irreducible loss", "nats", pool="partial"),
        Param("A", lognormal(0.1, 0.02, 0.4), "size constant", "parameters",
              level="(A / N)**alpha", pool="partial"),
        Param("B", lognormal(0.1, 0.02, 0.4), "data constant", "pairs", level="(B / Df)**beta",
              pool="partial"),
        Param("alpha", lognormal(0.5, 0.2, 1.1), "size exponent", spread=priors.SPREAD_EXPONENT),
        Param("beta", lognormal(0.7, 0.3, 1.5), "data exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="((A / N)**(alpha / beta) + B / Df)**beta + d",
    response="Y",
    reference={"N": 3e7, "Df": 1e5},
    topic=_TOPIC,
    cite="fang2024",
    valid={"N": (5e5, 8.2e7), "Df": (1e4, 1e6)},
    decreasing=("N", "Df"),
    asymptote="d",
    reduces_to=(
        Reduction("kaplan", when={"d": 0.0},
                  params={"Nc": "A", "Dc": "B", "aN": "alpha", "aD": "beta"}, inputs={"D": "Df"}),
    ),
    traps=(
        "the response is the contrastive cross-entropy; ranking metrics jump near 0.25",
        "N counts parameters without embeddings, Df annotated pairs",
    ),
    aliases=("dense_retrieval_2024",),
)  # fmt: skip
def dense_retrieval(N, Df, *, d, A, B, alpha, beta):
    """Contrastive loss of dense retrieval in size and annotated pairs (Fang et al. 2024)."""
    return ((A / N) ** (alpha / beta) + B / Df) ** beta + d


@law(
    params=(
        Param("Rmax", lognormal(2.1, 1.6, 2.6), "capacity after many exposures", "bits/parameter",
              pool="partial", spread=0.15, latex=r"R_\mathrm{max}"),
        Param("e0", lognormal(130.0, 50.0, 400.0), "exposures to half of it", "exposures",
              pool="partial", spread=0.3, latex="e_0"),
        Param("h", lognormal(0.9, 0.6, 1.3), "steepness"),
    ),
    equation="Rmax / (1 + (e0 / k)**h)",
    response="Y",
    observation="normal",
    noise=lognormal(0.05, 0.02, 0.15),
    reference={"k": 300},
    topic=_TOPIC,
    cite="allenzhu2024",
    valid={"k": (30, 2000)},
    asymptote="Rmax",
    traps=(
        "an interpolation through the paper's two anchors, 1 bit at 100 exposures and 2 at 1000",
        "k counts exposures of a fact; bits are a lower bound; the data are synthetic",
        "families are architectures and data: experts, int4 and junk tokens lower the capacity",
    ),
    aliases=("knowledge_capacity_2024",),
)  # fmt: skip
def knowledge_capacity(k, *, Rmax, e0, h):
    """Bits of knowledge per parameter after k exposures (after Allen-Zhu and Li 2024)."""
    return Rmax / (1 + (e0 / k) ** h)


@law(
    params=(
        Param("chi", lognormal(20.0, 14.0, 28.0), "bits in per bit out", spread=0.1),
    ),
    equation="16 * width * k / (chi * log2(V))",
    response="Y",
    noise=lognormal(0.1, 0.03, 0.3),
    reference={"k": 1, "width": 1024, "V": 50257},
    topic=_TOPIC,
    cite="fort2023",
    valid={"k": (1, 100), "width": (128, 8192), "V": (1e4, 3e5)},
    traps=(
        "k counts attacked activations, width numbers of 16 bits each; the response is tokens",
        "what an optimiser reached is a lower bound",
    ),
    aliases=("activation_attack_2023",),
)  # fmt: skip
def activation_attack(k, width, V, *, chi):
    """Tokens controlled by attacked activations, at a constant resistance (Fort 2023)."""
    return 16 * width * k / (chi * log2(V))


def _rank(exponent: Prior) -> dict:
    """What the laws of both ranks share."""
    return {
        "params": (
            Param("c", lognormal(500.0, 60.0, 4000.0), "coefficient", "1 / width^b",
                  level="c * width**b", pool="partial", spread=0.5),
            Param("b", exponent, "exponent", spread=priors.SPREAD_EXPONENT),
        ),
        "equation": "c * width**b",
        "response": "Y",
        "noise": lognormal(0.05, 0.01, 0.25),
        "reference": {"width": 3072},
        "topic": _TOPIC,
        "cite": "jha2025",
        "valid": {"width": (256, 32768)},
        "traps": ("needs four widths; layers are no replicates of each other",),
    }  # fmt: skip


@law(**_rank(lognormal(0.9, 0.7, 1.15)), aliases=("spectral_2025",))
def soft_rank(width, *, c, b):
    """Soft rank (exponential of the Shannon entropy) of feed-forward features (Jha 2025)."""
    return c * width**b


@law(**_rank(lognormal(0.4, 0.15, 0.9)))
def hard_rank(width, *, c, b):
    """Hard rank (participation ratio) of feed-forward features (Jha and Reagen 2025)."""
    return c * width**b
