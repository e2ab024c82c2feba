"""Studies of fine-tuning, of scores of tasks, of curves and of time."""

import numpy as np

from bayes_scaling.prior import fixed
from bayes_scaling.study_spec import Base, Published, study

# --- errors of tasks --------------------------------------------------------------------------

_SEVENTEEN = (
    "arc_easy", "bigbench_cs_algorithms", "bigbench_dyck_languages", "bigbench_novel_concepts",
    "bigbench_operators", "bigbench_qa_wikidata", "boolq", "commonsense_qa", "copa", "coqa",
    "hellaswag", "hellaswag_zeroshot", "lambada_openai", "piqa", "pubmed_qa_labeled", "squad",
    "winograd",
)  # fmt: skip
# The authors' recipe run again: five cheap runs and one of 1.4B a corpus (k, gamma, eps).
_ERRORS = {
    "c4": (2.079, 0.756, 0.850),
    "redpajama": (2.206, 0.715, 0.857),
    "refinedweb": (2.215, 0.707, 0.865),
}


@study(
    law="loss_error",
    table="gadre_overtraining/gadre_downstream.csv",
    group="family",
    columns={"T": "loss_c4_val", "err": "error"},
    response="err",
    pool="separate",
    published=tuple(
        Published(name, value, family=corpus, kind="rerun")
        for corpus, values in _ERRORS.items()
        for name, value in zip(("k", "gam", "eps"), values, strict=True)
    ),
    constants="cheap",
    fitted="cheap",
    ahead="dear and family == 'redpajama'",
    base=Base("mape", 1.85, "the authors' point fit"),
    cite="gadre2024",
)
def gadre_error(table):
    """Average error of 17 tasks by the loss on C4, from six runs a corpus (Gadre et al. 2024)."""
    chosen = table[table["task"].isin(_SEVENTEEN)]
    keys = ["run_id", "family", "params", "tokens", "loss_c4_val"]
    runs = chosen.groupby(keys, as_index=False)["error"].mean()
    ratio, size = runs["tokens"] / runs["params"], runs["params"]
    usual, longer, longest = (np.isclose(ratio, r, rtol=0.05) for r in (20, 320, 640))
    cheap = (usual & (size < 2e9)) | (longer & (size < 2e7))
    dear = (usual & (size > 5e9)) | (longest & (size > 1e9) & (size < 2e9))
    return runs.assign(cheap=cheap, dear=dear)


@study(
    law="sloth",
    table="sloth_families/sloth_families.csv",
    group="series",
    columns={"acc": "mmlu", "N": "params", "D": "tokens", "C": None},
    response="acc",
    priors={"c": fixed(0.25)},
    noise="normal",
)
def sloth_mmlu(table):
    """MMLU of the largest model of a family, tuned ones apart (Sloth, Maia Polo et al. 2024)."""
    kept = table[table["mmlu"].notna() & table["tokens"].notna()]
    tuned = kept["instruct"].map({True: " tuned", False: ""})
    return kept.assign(series=kept["family"] + tuned)


# --- images and text --------------------------------------------------------------------------

_OPENCLIP = {
    "table": "openclip/openclip.csv",
    "columns": {"err": "error", "C": "flops", "lr": None, "N": None},
    "response": "err",
    "cite": "cherti2023",
}
_SLOPES = {
    **_OPENCLIP,
    "law": "power_law(C)",
    "group": "family",
    "pool": "separate",
    "fitted": "",
    "ahead": "",
}


def _evaluated(table, name):
    kept = table[table["eval_dataset"] == name]
    return kept[kept["train_dataset"].isin(["LAION-2B", "LAION-400M", "CLIP-WIT"])]


def _slopes(ours, theirs):
    return (
        Published("-alpha", ours, family="openclip_laion", kind="mem"),
        Published("-alpha", theirs, family="openai_wit", kind="mem"),
    )


@study(**_SLOPES, published=_slopes(-0.11, -0.16))
def openclip_slopes(table):
    """Slope of ImageNet's zero-shot error in compute (OpenCLIP, Cherti et al. 2023)."""
    return _evaluated(table, "imagenet1k")


@study(**_SLOPES, published=_slopes(-0.08, -0.05))
def openclip_retrieval(table):
    """Slope of COCO's retrieval error in compute (OpenCLIP, Cherti et al. 2023)."""
    return _evaluated(table, "mscoco_captions")


@study(**_OPENCLIP, law="power_law_with_floor(C)", group="train_dataset")
def openclip(table):
    """ImageNet's zero-shot error of the largest models, three corpora (Cherti et al. 2023)."""
    own = table[table["family"] == "openclip_laion"]
    return own[own["eval_dataset"] == "imagenet1k"]


@study(
    law="rectified_sft",
    table="sft_flan/sft_flan.csv",
    group="model",
    columns={"L": "loss", "N": None, "Df": "examples"},
    published=(Published("beta", 0.24, kind="rerun"), Published("E", 0.44, kind="rerun")),
    base=Base("mape", 11.0, "point fits of a power law, each model"),
)
def sft_flan(table):
    """Thirty models fine-tuned on FLAN, the largest sets held back (Lin et al. 2024)."""
    return table[table["role"] != "zero_shot"]


# --- curves -----------------------------------------------------------------------------------


def _thinned(curve, most):
    """At most that many rows, near even in the log of the covariate, the ends among them."""
    place = np.log(curve.to_numpy(float))
    wanted = np.linspace(place[0], place[-1], most)
    return curve.index[np.unique(np.abs(place[:, None] - wanted).argmin(axis=0))]


def _each(table, key, covariate, most):
    rows = [_thinned(own[covariate], most) for _, own in table.groupby(key, sort=False)]
    return table.loc[np.concatenate(rows)]


# b, c0, c1, log d1, f1 of every curve
_BROKEN = {
    "14M": (18.42, 0.17, -0.16, 8.68, 0.20),
    "144M": (20.31, 0.21, -0.19, 8.71, 0.34),
    "472M": (21.16, 0.23, -0.19, 8.44, 0.39),
    "OLMo-1B": (25.97, 0.27, -0.23, 8.22, 0.76),
    "OLMo-7B": (27.49, 0.28, -0.22, 8.44, 0.76),
}


def _decelerating(run, values):
    names = ("b", "c0", "c1", "log(d1)", "f1")

    @study(
        name=f"loss_deceleration_{run.lower().replace('-', '_')}",
        law="bnsl(S)",
        table="zsl_loss_curves/zsl_loss_curves.csv",
        columns={"S": "step", "L": "loss", "D": None},
        priors={"a": fixed(0.0)},
        noise="normal_log",
        published=tuple(Published(n, v, decimals=2) for n, v in zip(names, values, strict=True)),
        fitted="",
        ahead="",
        cite="mircea2025",
    )
    def rows(table):
        """Training loss by step, a broken power law without floor (Mircea et al. 2025)."""
        return table[table["run_id"] == run].drop(columns="run_id")

    return rows


for _run, _values in _BROKEN.items():
    _decelerating(_run, _values)


@study(
    law="bnsl(X)",
    table="bench_vision_curves/bench_vision_curves.csv",
    group="task",
    columns={"err": "error_rate", "X": "examples_seen"},
    response="err",
    pool="separate",
    noise_by_family=True,
    base=Base("mape", 2.7, "point fits of a power law with a floor, 36 curves"),
    cite="caballero2022",
)
def few_shot(table):
    """Error on four tasks of one vision model by examples seen (Caballero et al. 2022)."""
    tasks = ("bird_10", "c_10", "cal_10", "inet_10")
    own = table[(table["family"] == "ViT/S/16") & table["task"].isin(tasks)]
    early = own[own["role"] == "fit"]
    return table.loc[[*_each(early, "task", "examples_seen", 40).index,
                      *own.index[own["role"] == "forecast"]]]  # fmt: skip


# --- time -------------------------------------------------------------------------------------


@study(
    law="metr_success",
    table="metr_horizon/metr_horizon.csv",
    group="agent",
    columns={"acc": "mean_score", "H": "human_minutes"},
    response="acc",
    pool={"s": "partial"},
    published=(
        Published("s", 0.40, kind="rerun"),
        Published("s", 0.26, family="o1", kind="rerun"),
    ),
    fitted="",
    ahead="",
    note="The slope hangs on what is weighed: binomial fits of all runs have 0.26 to 0.51, as "
    "quoted; one vote a task has 0.20 to 0.35, as ours. With Student-t noise the posterior "
    "degenerates, because rates of exactly 0 or 1 can be met without any error.",
)
def metr(table):
    """Success of agents by the time a person needs (Kwa et al. 2025)."""
    return table[~table["agent"].isin(["davinci-002", "gpt-3.5-turbo-instruct"])]
