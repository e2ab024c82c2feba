"""Studies of the compute-optimal frontier."""

from bayes_scaling.prior import logitnormal
from bayes_scaling.study_spec import Published, study

# Value and 95 % interval of the exponent, table 1: RefinedWeb, OpenWebText2.
_STEPS = {
    "base_long_kaplan_kaplan_train": ((0.835, 0.82, 0.85), (0.864, 0.82, 0.90)),
    "base_long_kaplan_standard_val": ((0.706, 0.69, 0.72), (0.699, 0.66, 0.72)),
    "base_short_kaplan_standard_val": ((0.602, 0.59, 0.62), (0.603, 0.57, 0.63)),
    "base_short_chinchilla_standard_val": ((0.571, 0.56, 0.59), (0.574, 0.54, 0.61)),
    "tuned_short_const_standard_val": ((0.497, 0.49, 0.50), (0.518, 0.49, 0.54)),
}
_CORPORA = ("refinedweb", "openwebtext2")


@study(
    law="optimal_size",
    table="porian_isoflop/porian_optimal_frontier.csv",
    group="setting",
    columns={"N_opt": "opt_params", "D_opt": None, "L": None},
    response="N_opt",
    se="se",
    pool={"a": "separate"},
    priors={"a": logitnormal(0.6, 0.2, 0.9)},
    published=tuple(
        Published("a", value, family=f"{corpus}/{step}", low=low, high=high)
        for step, ends in _STEPS.items()
        for corpus, (value, low, high) in zip(_CORPORA, ends, strict=True)
    ),
    fitted="",
    ahead="",
    note="The prior of the exponent is wide here: the catalogue's own, of careful studies (0.40 to "
    "0.65), pulls the two set-ups of Kaplan to 0.79 and 0.82.",
)
def porian(table):
    """Exponents of the optimal size, five counting rules and recipes (Porian et al. 2024)."""
    kept = table[table["procedure"].isin(list(_STEPS)) & table["opt_params"].notna()]
    return kept.assign(
        setting=kept["dataset"] + "/" + kept["procedure"],
        se=kept["opt_params"] * kept["opt_params_log_sd"],
    )


_EVO = {
    "transformer_pp": (0.552, 0.551),
    "mamba": (0.388, 0.487),
    "hyena": (0.504, 0.499),
    "stripedhyena": (0.483, 0.539),
}
_DIGITISED = {"table": "evo_optimal/evo_optimal.csv", "group": "family", "cite": "nguyen2024"}


@study(
    **_DIGITISED,
    law="optimal_size",
    columns={"N_opt": "opt_params", "D_opt": None},
    response="N_opt",
    pool={"a": "partial"},
    published=tuple(Published("a", v[0], family=f) for f, v in _EVO.items()),
)
def evo_size(table):
    """Optimal size of four architectures on DNA (Evo, Nguyen et al. 2024)."""
    return table


@study(
    **_DIGITISED,
    law="optimal_data",
    columns={"D_opt": "opt_tokens", "N_opt": None},
    response="D_opt",
    pool={"b": "partial"},
    published=tuple(Published("b", v[1], family=f) for f, v in _EVO.items()),
)
def evo_data(table):
    """Optimal data of four architectures on DNA (Evo, Nguyen et al. 2024)."""
    return table
