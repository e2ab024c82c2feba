"""Studies of the loss by size and data, and of what else moves it."""

from bayes_scaling.study_spec import Base, Published, study

_POINT_FITS = "log-Huber point fits, several starts"
_HOFFMANN = {
    "E": (1.8172, 1.769, 1.871),
    "A": (482.01, 285, 744),
    "B": (2085.43, 1042, 5810),
    "alpha": (0.3478, 0.317, 0.373),
    "beta": (0.3658, 0.331, 0.415),
    "beta / (alpha + beta)": (0.5126, 0.477, 0.549),
}


@study(
    law="chinchilla",
    table="chinchilla_epoch/chinchilla_epoch.csv",
    published=tuple(Published(k, v, low=a, high=b) for k, (v, a, b) in _HOFFMANN.items()),
    base=Base("mape", 1.05, _POINT_FITS),
    cite="besiroglu2024",
)
def besiroglu(table):
    """Chinchilla's runs read off its figure, without five outliers (Besiroglu et al. 2024)."""
    return table[table["role"] != "excluded"]


@study(
    law="chinchilla",
    table="chinchilla_epoch/chinchilla_epoch.csv",
    published=(
        Published("E", 1.6934),
        Published("A", 406.4),
        Published("B", 410.7),
        Published("alpha", 0.3392),
        Published("beta", 0.2849),
        Published("beta / (alpha + beta)", 0.4565),
    ),
    ahead="",
    fitted="",
    note="E, B and beta are out: they do not fit the authors' own points, as Besiroglu et al. "
    "found, whose cause is an optimiser that stopped early.",
)
def hoffmann(table):
    """Chinchilla's own constants, digits of the TeX source (Hoffmann et al. 2022)."""
    return table[table["role"] != "excluded"]


# --- over-training --------------------------------------------------------------------------

# The authors' recipe run again: five cheap runs a corpus (E, a, b, eta).
_GADRE = {
    "c4": (1.51, 141, 190, 0.121),
    "redpajama": (1.84, 212, 367, 0.136),
    "refinedweb": (1.73, 157, 246, 0.127),
}
_C4_LOSS = {"L": "loss_c4_val", "lr": None}
_CHEAP = "(tokens_per_param == 20 and params < 5e8) or (tokens_per_param == 320 and params < 2e7)"


@study(
    law="gadre",
    table="gadre_overtraining/gadre_overtraining.csv",
    group="family",
    columns=_C4_LOSS,
    pool="separate",
    published=tuple(
        Published(name, value, family=corpus, kind="rerun")
        for corpus, values in _GADRE.items()
        for name, value in zip(("E", "a", "b", "eta"), values, strict=True)
    ),
    constants="cheap",
    fitted="cheap",
    ahead="dear and family == 'redpajama'",
    base=Base("mape", 0.72, "the authors' point fit"),
    note="The law alone misses the two runs by 0.95 %; with its own error, of which five runs say "
    "little, the median is 2.4 % too high.",
)
def gadre_five_runs(table):
    """Five cheap runs of a corpus forecast the 1.4B and the 6.9B model (Gadre et al. 2024)."""
    long = (table["params"] > 1e9) & (table["params"] < 2e9) & (table["tokens_per_param"] > 600)
    cheap = table.eval(_CHEAP)
    return table.assign(cheap=cheap, dear=long | (table["params"] > 5e9))


@study(
    law="gadre",
    table="gadre_overtraining/gadre_overtraining.csv",
    group="family",
    columns=_C4_LOSS,
    base=Base("mape", 2.4, f"{_POINT_FITS}, Chinchilla's law for each corpus"),
)
def gadre_loss(table):
    """All smaller runs of three corpora forecast the 1.4B and 6.9B models (Gadre et al. 2024)."""
    return table


# --- learning rates, shapes, architectures ----------------------------------------------------

_MISFITTING = {
    "law": "chinchilla",
    "table": "misfitting_lr/misfitting_lr.csv",
    "columns": {"N": "params", "C": "flops", "lr": None},
    "cite": "li2025misfitting",
}


@study(
    **_MISFITTING,
    published=(
        Published("log(A)", 3.939),
        Published("log(B)", 13.056),
        Published("log(E)", 0.592),
        Published("alpha", 0.2002),
        Published("beta", 0.6357),
    ),
    ahead="",
    fitted="",
)
def misfitting(table):
    """Every learning rate of every size and horizon (Li et al. 2025, (Mis)Fitting)."""
    return table


@study(**_MISFITTING, base=Base("mape", 0.75, _POINT_FITS))
def misfitting_best(table):
    """The best learning rate of every size and horizon (Li et al. 2025, (Mis)Fitting)."""
    single = table[~table["duplicate_loss"].astype(bool)]
    return single.loc[single.groupby(["params", "tokens"])["loss"].idxmin()]


def _gemstones(alpha, beta, log_a, log_b, log_e):
    names = ("alpha", "beta", "log(A)", "log(B)", "log(E)")
    values = (alpha, beta, log_a, log_b, log_e)
    return tuple(Published(n, v) for n, v in zip(names, values, strict=True))


_RIDGE = (
    "the sum of absolute log residuals, which the authors minimise, differs by 0.02 between beta "
    "0.46 and 0.71, so that objective, noise and prior choose the place on a ridge."
)
_GEMSTONES = {
    "law": "chinchilla",
    "table": "gemstones/gemstones.csv",
    "columns": {"L": "loss", "C": "flops_6nd"},
    "run": "run_id",
    "cite": "mcleish2025",
}


@study(
    **_GEMSTONES,
    published=_gemstones(0.293, 0.713, 5.361, 15.416, 0.762),
    constants="tokens <= 1.001e11",
    base=Base("mape", 1.2, _POINT_FITS),
    note=f"beta and B are out: {_RIDGE} With normal noise beta is 0.36 to 0.71.",
)
def gemstones(table):
    """22 shapes at a constant learning rate, to 100B tokens (McLeish et al. 2025)."""
    return table[table["variant"] == "hot"]


@study(
    **_GEMSTONES,
    published=_gemstones(0.297, 0.690, 5.363, 14.972, 0.746),
    constants="tokens <= 1.001e11",
    ahead="",
    note=f"beta and B are out or at the edge: {_RIDGE} With a wide prior beta is 0.35 to 0.72.",
)
def gemstones_cooldown(table):
    """The same shapes after a cool-down of the learning rate (McLeish et al. 2025)."""
    return table[table["variant"] == "cooldown_end"]


_XLSTM = {
    "law": "chinchilla",
    "table": "xlstm_isoflop/xlstm_isoflop.csv",
    "columns": {"C": "flops_6nd", "lr": None, "L": "loss"},
    "cite": "beck2025",
}


@study(
    **_XLSTM,
    published=(
        Published("log(A)", 10.28),
        Published("log(B)", 16.75),
        Published("log(E)", 0.910),
        Published("alpha", 0.590),
        Published("beta", 0.797),
        Published("beta / (alpha + beta)", 0.5746),
    ),
    ahead="",
    fitted="",
)
def xlstm_llama(table):
    """IsoFLOP runs of the Llama baseline at 8192 tokens of context (Beck et al. 2025)."""
    return table[table["family"] == "llama_ctx8192"]


@study(**_XLSTM, group="family", base=Base("mape", 1.5, f"{_POINT_FITS}, each family"))
def xlstm(table):
    """Architectures and context lengths, the largest budget held back (Beck et al. 2025)."""
    return table
