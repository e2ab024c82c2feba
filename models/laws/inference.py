"""Laws of test time: more shots, more agents, more tokens, a better draft."""

from jax.nn import sigmoid
from jax.numpy import log, log2, log10

from bayes_scaling.models import priors
from bayes_scaling.models.laws.links import chance, lapse, observed, score
from bayes_scaling.prior import logitnormal, lognormal, normal
from bayes_scaling.spec import Param, law

_TOPIC = "test time"


@law(
    params=(
        Param("pi", logitnormal(0.16, 0.02, 0.6), "weight of the task before any shot",
              pool="partial", spread=0.5),
        Param("g", logitnormal(0.6, 0.25, 0.87), "probability under the task", pool="partial"),
        Param("b", logitnormal(0.08, 0.01, 0.45), "probability under another task",
              level="b / g", pool="partial", spread=0.5),
        Param("K", lognormal(0.5, 0.06, 3.0), "what a shot is worth", "1 / shot", pool="partial",
              spread=0.3),
    ),
    equation="b + (g - b) * sigmoid(log(pi / (1 - pi)) + K * k * log(g / b))",
    **observed(),
    reference={"k": 8},
    topic=_TOPIC,
    cite="arora2024",
    valid={"k": (1, 1e3)},
    asymptote="g",
    traps=(
        "K and log(g / b) enter the bend as a product",
        "a small pi gives a plateau that looks like a floor",
        "rows without a shot cannot be read: k is a positive number",
    ),
    aliases=("icl_bayes_2024",),
)  # fmt: skip
def icl_bayes(k, *, pi, g, b, K):
    """Probability of an answer after k shots, by Bayes over two tasks (Arora et al. 2024).

    The paper's mixture with tied probabilities, g for the task and b for all others:
    (pi g^(K k + 1) + (1 - pi) b^(K k + 1)) / (pi g^(K k) + (1 - pi) b^(K k)).
    """
    return b + (g - b) * sigmoid(log(pi / (1 - pi)) + K * k * log(g / b))


@law(
    params=(
        Param("de", logitnormal(0.5, 0.2, 0.8), "quality of a single agent", pool="partial",
              spread=0.5, latex=r"\delta"),
        Param("al", logitnormal(0.3, 0.08, 0.65), "gain of many agents", level="al / (1 - de)",
              pool="partial", spread=0.5, latex=r"\alpha"),
        Param("be", lognormal(1.2, 0.4, 3.0), "steepness", "1 / doubling", latex=r"\beta"),
        Param("ga", normal(4.0, 1.2), "doublings half-way up", "doublings", pool="partial",
              spread=0.5, latex=r"\gamma"),
    ),
    equation="de + al * sigmoid(be * (log2(k) - ga))",
    **observed(),
    reference={"k": 16},
    topic=_TOPIC,
    cite="qian2024",
    valid={"k": (1, 1000)},
    traps=(
        "pools of equal agents may saturate at four",
        "the gain and its place cannot be told apart before half of the rise",
    ),
    aliases=("macnet_2024",),
)  # fmt: skip
def macnet(k, *, de, al, be, ga):
    """Quality as a logistic curve in the log of the number of agents (Qian et al. 2024)."""
    return de + al * sigmoid(be * (log2(k) - ga))


@law(
    params=(
        chance(priors.no_chance()),
        lapse(),
        Param("u0", normal(0.0, 1.2), "logit at 4096 tokens", pool="partial", spread=0.8),
        Param("u1", lognormal(0.22, 0.06, 0.8), "rise of the logit per doubling", "1 / doubling"),
    ),
    equation="c + (1 - c - lapse) * sigmoid(u0 + u1 * log2(G / 4096))",
    **observed(priors.success_scatter()),
    reference={"G": 4096},
    topic=_TOPIC,
    cite="muennighoff2025",
    valid={"G": (128, 1e6)},
    traps=(
        "of thirty problems one standard error is nine points",
        "longer answers are also a consequence of harder problems",
        "a verifier that can be fooled turns the curve: compare with rm_overopt_bon",
    ),
    aliases=("ttc_loglinear", "s1_budget"),
)  # fmt: skip
def thinking_tokens(G, *, c, lapse, u0, u1):
    """Score whose logit rises with the log of tokens thought (after Muennighoff et al. 2025)."""
    return score(c, lapse, u0 + u1 * log2(G / 4096))


@law(
    params=(
        Param("c0", normal(3.5, 0.8), "length at 1e8 parameters and 1e9 tokens", "tokens",
              pool="partial", spread=0.5),
        Param("c1", lognormal(0.3, 0.08, 1.0), "rise per decade of data", "tokens / decade"),
        Param("c2", lognormal(0.3, 0.08, 1.0), "rise per decade of size", "tokens / decade"),
    ),
    equation="c0 + c1 * log10(D / 1e9) + c2 * log10(N / 1e8)",
    response="Y",
    observation="normal",
    noise=priors.score_scatter(),
    reference={"N": 1e8, "D": 1e9},
    topic=_TOPIC,
    cite="yan2025",
    valid={"N": (1e7, 2e9), "D": (1e8, 1e12)},
    traps=(
        "N and D are the draft model's",
        "the paper's acceptance rate is a count of tokens, at most the depth of the draft and one",
    ),
    aliases=("spec_decoding_2025", "scylla"),
)  # fmt: skip
def spec_decoding(N, D, *, c0, c1, c2):
    """Accepted tokens of a draft, linear in log size and log data (Yan et al. 2025)."""
    return c0 + c1 * log10(D / 1e9) + c2 * log10(N / 1e8)
