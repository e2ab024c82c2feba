"""Studies of repeated data, experts, vocabulary, streams and hyper-parameters."""

import numpy as np

from bayes_scaling.study_spec import Base, Published, study


@study(
    law="muennighoff",
    table="data_constrained/data_constrained.csv",
    columns={"N": "params", "D": "tokens", "U": "unique_tokens", "C": None},
    published=(
        Published("log(A)", 6.255414),
        Published("log(B)", 7.3049974),
        Published("log(E)", 0.6254804),
        Published("alpha", 0.3526596),
        Published("beta", 0.3526596),
        Published("RD", 15.387756),
        Published("RN", 5.309743),
    ),
    base=Base("mape", 1.4, "log-Huber point fits of Chinchilla's law up to 4.5 epochs"),
    note="The published constants are of another level of loss: they are 8 % too low on these runs "
    "(median), 9 to 14 % for the largest models and 19 to 28 % for the smallest seen up to 16 "
    "times. RN hangs on the small models: from those above 1e8 parameters alone it is 2.1 to 13.3, "
    "RD 23 to 34.",
)
def muennighoff(table):
    """Repeated data up to 500 epochs, without two strays (Muennighoff et al. 2023)."""
    kept = (table["epochs"] <= 500) & ~table["run_id"].isin(["3b926b26b", "3b926b12b"])
    return table[kept].drop(columns="run_id")


@study(
    law="parscale",
    table="parscale/parscale.csv",
    group="family",
    columns={"N": "params_non_embed", "streams": "parallel"},
    pool="separate",
    published=(
        Published("k", 0.39, family="stack_v2_python"),
        Published("k", 0.33, family="pile"),
        Published("E", 0.691, family="stack_v2_python", kind="rerun"),
        Published("alpha", 0.189, family="stack_v2_python", kind="rerun"),
        Published("log(A)", 16.24, family="stack_v2_python", kind="rerun"),
        Published("E", 1.289, family="pile", kind="rerun"),
        Published("alpha", 0.196, family="pile", kind="rerun"),
        Published("log(A)", 19.10, family="pile", kind="rerun"),
    ),
    base=Base("r2", 1.0, "the authors' law with the task's constants"),
)
def parscale(table):
    """Parallel streams on two corpora (Chen et al. 2025)."""
    return table


# --- experts ----------------------------------------------------------------------------------

_ROUTERS = {
    "s_base": (-0.082, -0.108, 0.009, 1.104, 1.847, 314.478),
    "rl_r": (-0.083, -0.126, 0.012, 1.111, 1.880, 469.982),
    "hash": (-0.087, -0.136, 0.012, 1.157, 4.175, 477.741),
}


def _clark(router, values):
    names = ("a", "b", "c", "d", "Es", "Em")

    @study(
        name=f"clark_{router}",
        law="clark",
        table="routed_lm/routed_lm.csv",
        columns={"N": "params_dense", "experts": "num_experts", "L": "loss", "D": None},
        published=tuple(Published(n, v) for n, v in zip(names, values, strict=True)),
    )
    def rows(table):
        """One router and the dense models, last evaluations (Clark et al. 2022, table 3)."""
        last = table[table["is_last"].astype(bool) & table["family"].isin(["dense", router])]
        return last[(last["top_k"] == 1) & (last["routing_frequency"] == 0.5)
                    & (last["seed"] == 42)]  # fmt: skip

    return rows


for _router, _values in _ROUTERS.items():
    _clark(_router, _values)


# --- vocabulary -------------------------------------------------------------------------------


def _tokens(characters, vocabulary):
    """Tokens by the paper's quadratic in the log of the vocabulary."""
    x = np.log(np.minimum(vocabulary, 2e5))
    return characters * (0.00639222 * x**2 - 0.15811069 * x + 1.20470122)


_VOCABULARY = {
    "law": "tao",
    "table": "vocab_scaling/vocab_scaling.csv",
    "columns": {
        "N": "params_non_vocab", "Nv": "params_vocab", "D": "D", "C": None, "V": None,
        "L_unigram": "loss_unigram_normalized",
    },
    "response": "L_unigram",
    "run": "run",
}  # fmt: skip


def _vocabulary(table, divided_by):
    words = table["vocab_size"] / divided_by
    return table.assign(D=_tokens(table["characters"], words), run=table["run_id"]).drop(
        columns=["run_id"]
    )


def _tao(kind, a1, a2, b, e, alpha, second):
    """Constants in millions of parameters and billions of tokens."""
    of = ("A1 / 1e6**alpha", "A2 / 1e6**a2", "B / 1e9**alpha", "E", "alpha", "a2")
    values = (a1, a2, b, e, alpha, second)
    return tuple(Published(n, v, kind=kind) for n, v in zip(of, values, strict=True))


@study(
    **_VOCABULARY,
    published=_tao("src", 1.8314, 0.19584, 2.1241, 5.5328, 0.44661, 0.67074),
    note="The published constants are no minimum of their own objective on these rows: the sum of "
    "Huber terms is 82.3 there and 80.0 at A2 0.082, E 5.606, alpha 0.419, a2 0.32, which is where "
    "our posterior lies.",
)
def tao(table):
    """Vocabularies of ten sizes, data as the authors' script counts them (Tao et al. 2024)."""
    return _vocabulary(table, 1000)


@study(
    **_VOCABULARY,
    published=_tao("rerun", 1.903, 0.129, 1.331, 5.537, 0.440, 1.06),
    fitted="",
    ahead="",
    note="With true tokens the vocabulary's term is not told from none: the sum of Huber terms is "
    "84.4 at A2 = 0 and 86.7 at the constants of the authors' recipe.",
)
def tao_tokens(table):
    """The same with true tokens (Tao et al. 2024)."""
    return _vocabulary(table, 1)


# --- hyper-parameters -------------------------------------------------------------------------


@study(
    law="step_law_surface",
    table="steplaw_dense/steplaw_dense.csv",
    columns={"N": "params_non_embed", "D": "tokens", "B": "batch_tokens", "lr": "lr",
             "L": "loss_smooth", "S": None},
    published=(
        Published("log(k)", 0.586, low=-0.44, high=1.61),
        Published("cN", -0.713, low=-0.764, high=-0.664),
        Published("cD", 0.307, low=0.277, high=0.340),
        Published("log(q)", -0.544, low=-1.25, high=0.23),
        Published("bD", 0.571, low=0.539, high=0.601),
    ),
    note="The learning rate's exponents are out: the published ones are of the best point of each "
    "grid, whose regression has cN -0.82 (0.11) and cD 0.29 (0.06) on the released cells too; a "
    "parabola through all points near the best has its minimum elsewhere.",
)  # fmt: skip
def step_law(table):
    """Learning rates and batch sizes within 2 % of the best loss (Step Law, Li et al. 2025)."""
    best = table.groupby(["params_non_embed", "tokens"])["loss_smooth"].transform("min")
    return table[(table["role"] != "diverged") & (table["loss_smooth"] <= 1.02 * best)]


# --- mixtures ---------------------------------------------------------------------------------

_SHARES = [f"p{i}" for i in range(1, 6)]


def _ye(domain):
    @study(
        name=f"ye_{domain}",
        law=f"ye_mixing({', '.join(_SHARES)})",
        table="domain_mixture/domain_mixture.csv",
        columns={"L": f"loss{domain}", "N": None, **{name: name for name in _SHARES}},
        group="family",
        fitted="split == 'train'",
        ahead="split == 'eval'",
        base=Base("r2", 0.671, "the human law of SLDBench, mean over five domains"),
        cite="ye2024",
    )
    def rows(table):
        """Mixtures of five domains at four sizes, six held out of each (Ye et al. 2024)."""
        return table.drop(columns="run_id")

    return rows


for _domain in range(1, 6):
    _ye(_domain)
