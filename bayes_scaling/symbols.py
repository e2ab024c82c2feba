"""The one vocabulary of inputs and responses that laws and tables share.

A law names its inputs with these symbols, a table's columns are matched to them, and
plots and documents take units and LaTeX from here. Adding a symbol is one line.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayes_scaling._errors import SpecError, did_you_mean, list_names
from bayes_scaling.law_symbols import LAW_COVARIATES, LAW_RESPONSES

INF = float("inf")


@dataclass(frozen=True)
class Symbol:
    """One quantity of the vocabulary.

    Parameters
    ----------
    name
        Canonical ASCII name, such as ``"N"``.
    meaning
        What it counts or measures, in a few words.
    unit
        Unit in which values are stored; ``""`` when it has none.
    latex
        LaTeX without dollar signs.
    aliases
        Column names taken for this symbol. Case, spaces and ``_ - . ( )`` are ignored,
        except in one-letter names, which must match exactly.
    role
        ``"covariate"`` for an input of laws, ``"response"`` for what they predict.
    low, high
        Plausible magnitudes in ``unit``; a table whose median lies outside is queried.
    """

    name: str
    meaning: str
    unit: str
    latex: str
    aliases: tuple[str, ...]
    role: Literal["covariate", "response"]
    low: float = -INF
    high: float = INF


def _covariate(
    name: str, meaning: str, unit: str, latex: str, aliases: str, low: float, high: float
) -> Symbol:
    return Symbol(name, meaning, unit, latex, tuple(aliases.split()), "covariate", low, high)


def _response(
    name: str, meaning: str, unit: str, latex: str, aliases: str, low: float, high: float
) -> Symbol:
    return Symbol(name, meaning, unit, latex, tuple(aliases.split()), "response", low, high)


# Left out on purpose, because the name does not say which quantity is meant: counts without
# embeddings (another N), `batch_size` (sequences or tokens?), `train_loss` (not held out).
_N = """params parameters n_params num_params n_parameters num_parameters param_count
    parameter_count params_count model_params model_parameters total_params params_total
    total_parameters model_size nparam nparameter"""
_D = """tokens n_tokens num_tokens d_tokens token_count train_tokens training_tokens
    total_tokens tokens_seen tokens_trained n_train_tokens num_train_tokens num_training_tokens
    pretraining_tokens dataset_tokens data_tokens dataset_size data_size"""
_C = """flops flop compute n_flops num_flops c_flops train_flops training_flops train_flop
    training_flop total_flops total_flop train_compute training_compute total_compute
    compute_flops compute_flop pretraining_flops pretraining_compute flops_6nd"""
_M = """tokens_per_param tokens_per_parameter tokens/param tokens/params tokens/parameter
    token_per_param token_param_ratio token_to_param_ratio tokens_to_params tpp"""
_U = """unique_tokens n_unique_tokens num_unique_tokens unique_train_tokens
    unique_training_tokens distinct_tokens unique_data_tokens"""
_V = "vocab vocab_size vocabulary vocabulary_size n_vocab num_vocab"
_B = """batch_tokens batch_size_tokens batch_size_in_tokens batch_in_tokens tokens_per_batch
    tokens_per_step global_batch_tokens global_batch_size_tokens"""
_S = """step steps n_steps num_steps total_steps train_steps training_steps max_steps
    global_step optimizer_steps optimiser_steps iterations n_iterations num_iterations"""
_LR = """learning_rate learningrate peak_lr max_lr peak_learning_rate max_learning_rate
    base_lr base_learning_rate"""
_L = """loss val_loss valid_loss validation_loss final_loss eval_loss evaluation_loss test_loss
    heldout_loss held_out_loss loss_val loss_nats nll cross_entropy cross_entropy_loss xent
    ce_loss lm_loss final_val_loss final_validation_loss"""
_ACC = """accuracy success_rate pass_rate solve_rate win_rate coverage test_accuracy
    val_accuracy eval_accuracy benchmark_score"""
_N_OPT = """opt_params params_opt optimal_params optimal_parameters opt_parameters opt_n
    optimal_n n_star optimal_model_size opt_model_size compute_optimal_params
    compute_optimal_parameters"""
_D_OPT = """opt_tokens tokens_opt optimal_tokens opt_d optimal_d d_star optimal_dataset_size
    compute_optimal_tokens"""
_ERR = """error error_rate err_rate test_error val_error valid_error validation_error
    eval_error top1_error top_1_error task_error"""

COVARIATES: Mapping[str, Symbol] = {
    each.name: each
    for each in (
        _covariate("N", "parameters", "parameters", "N", _N, 1e4, 1e14),
        _covariate("D", "training tokens", "tokens", "D", _D, 1e5, 1e15),
        _covariate("C", "training compute", "FLOPs", "C", _C, 1e12, 1e28),
        _covariate("M", "tokens per parameter", "tokens/parameter", "M", _M, 1e-3, 1e6),
        _covariate("U", "unique training tokens", "tokens", "U", _U, 1e5, 1e15),
        _covariate("V", "vocabulary size", "entries", "V", _V, 2, 1e7),
        _covariate("B", "batch size", "tokens", "B", _B, 1e2, 1e9),
        _covariate("S", "optimiser steps", "steps", "S", _S, 1, 1e9),
        _covariate("lr", "learning rate", "", r"\eta", _LR, 1e-8, 10),
        _covariate("X", "covariate", "", "X", "x", -INF, INF),
        *(_covariate(*row) for row in LAW_COVARIATES),
    )
}
"""Inputs of laws, canonical name to record."""

RESPONSES: Mapping[str, Symbol] = {
    each.name: each
    for each in (
        _response("L", "loss", "nats/token", "L", _L, -12, 12),
        _response("N_opt", "compute-optimal parameters", "parameters", "N^*", _N_OPT, 1e4, 1e14),
        _response("D_opt", "compute-optimal tokens", "tokens", "D^*", _D_OPT, 1e5, 1e15),
        _response("acc", "score", "", r"\mathrm{acc}", _ACC, 0, 1),
        _response("err", "error rate", "", r"\epsilon", _ERR, 0, 1),
        _response("Y", "response", "", "Y", "y", -INF, INF),
        *(_response(*row) for row in LAW_RESPONSES),
    )
}
"""What laws predict, canonical name to record."""

SYMBOLS: Mapping[str, Symbol] = {**COVARIATES, **RESPONSES}
"""The whole vocabulary, canonical name to record."""


def _normal(column: str) -> str:
    """Return a column name without case and separators; one letter keeps its case."""
    bare = re.sub(r"[\s_\-.()]+", "", column)
    return bare if len(bare) == 1 else bare.lower()


# A letter that single laws use, such as t or p, says too little in anybody's table: it is an input
# of those laws, and otherwise a column like any other.
_LETTERS_OF_LAWS = frozenset(row[0] for row in LAW_COVARIATES if len(row[0]) == 1)
_BY_ALIAS: Mapping[str, str] = {
    _normal(spelling): each.name
    for each in SYMBOLS.values()
    for spelling in (each.name, *each.aliases)
    if spelling not in _LETTERS_OF_LAWS
}


def symbol(name: str) -> Symbol:
    """Return the record of a canonical name.

    Parameters
    ----------
    name
        Canonical name, such as ``"N"``; aliases are suggested, not accepted.

    Raises
    ------
    SpecError
        When the vocabulary has no such name.

    Examples
    --------
    >>> symbol("D").unit
    'tokens'
    """
    if name in SYMBOLS:
        return SYMBOLS[name]
    alias = find_symbol(name)
    hint = f" Did you mean {alias!r}?" if alias else did_you_mean(name, SYMBOLS)
    raise SpecError(f"unknown symbol {name!r}.{hint} Known symbols: {list_names(SYMBOLS, 20)}")


def find_symbol(column: str) -> str | None:
    """Return the canonical name a table column stands for, or None.

    Parameters
    ----------
    column
        Column name as written in the table.

    Examples
    --------
    >>> find_symbol("Model Size"), find_symbol("n"), find_symbol("val_loss")
    ('N', None, 'L')
    """
    return _BY_ALIAS.get(_normal(column))


class _Relation(NamedTuple):
    """How one symbol follows from two others."""

    target: str
    needs: tuple[str, str]
    formula: str
    compute: Callable[[Any, Any], Any]


# Order matters: a given C or M is used to find N and D before either is computed anew.
_RELATIONS = (
    _Relation("D", ("N", "M"), "M N", lambda N, M: M * N),
    _Relation("N", ("D", "M"), "D / M", lambda D, M: D / M),
    _Relation("D", ("N", "C"), "C / (6 N)", lambda N, C: C / (6 * N)),
    _Relation("N", ("D", "C"), "C / (6 D)", lambda D, C: C / (6 * D)),
    _Relation("N", ("C", "M"), "sqrt(C / (6 M))", lambda C, M: np.sqrt(C / (6 * M))),
    _Relation("C", ("N", "D"), "6 N D", lambda N, D: 6 * N * D),
    _Relation("M", ("N", "D"), "D / N", lambda N, D: D / N),
)


def complete(values: Mapping[str, ArrayLike]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the values closed under C = 6 N D and M = D / N, and what was computed.

    Parameters
    ----------
    values
        Canonical symbol to array of any mutually broadcastable shapes, positive, in the
        units of the vocabulary. Symbols outside N, D, C, M pass through.

    Returns
    -------
    completed
        All given values as float64 arrays, with those of N, D, C, M that follow from them.
        A given value is never replaced.
    formulas
        One text for each computed symbol in order, such as ``"C = 6 N D"``.

    Examples
    --------
    >>> complete({"N": [1e9], "M": [20.0]})[1]
    ['D = M N', 'C = 6 N D']
    """
    have = {name: np.asarray(each, dtype=np.float64) for name, each in values.items()}
    formulas: list[str] = []
    while ready := [r for r in _RELATIONS if r.target not in have and have.keys() >= set(r.needs)]:
        relation = ready[0]
        first, second = relation.needs
        have[relation.target] = np.asarray(relation.compute(have[first], have[second]))
        formulas.append(f"{relation.target} = {relation.formula}")
    return have, formulas


_GREEK = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma
    tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"""
SHORT_GREEK = {"lam": r"\lambda", "gam": r"\gamma"}
"""Short names in use because ``lambda`` is a word of Python and gamma a function."""
_LETTERS = {name: rf"\{name}" for name in _GREEK.split()} | SHORT_GREEK


def default_latex(name: str) -> str:
    r"""Return the LaTeX of a name: Greek letters, and digits or what follows ``_`` as a subscript.

    Examples
    --------
    >>> print(default_latex("alpha"), default_latex("k_N"), default_latex("beta2"))
    \alpha k_{N} \beta_{2}
    """
    stem, _, rest = name.partition("_")
    letters = stem.rstrip("0123456789")
    below = " ".join(part for part in (stem[len(letters) :], rest) if part)
    head = _LETTERS.get(letters, letters)
    return f"{head}_{{{below}}}" if below else head
