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
_K = """n_samples num_samples samples_per_problem n_shots num_shots shots n_agents num_agents
    exposures"""
_G = "thinking_tokens reasoning_tokens generated_tokens test_time_tokens"
_DF = """finetuning_examples finetuning_tokens finetuning_data finetune_examples finetune_tokens
    sft_examples sft_tokens n_sft"""
_H = "human_minutes minutes_for_a_person"
_ACC = """accuracy score success_rate pass_rate solve_rate win_rate coverage test_accuracy
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
        # Inputs of special laws of pretraining
        _covariate("N_avg", "parameters averaged over training", "parameters", r"\bar{N}",
                   "avg_params average_params mean_params average_parameters", 1e4, 1e14),
        _covariate("N_enc", "encoder parameters", "parameters", r"N_\mathrm{enc}",
                   "encoder_params params_encoder encoder_parameters", 1e4, 1e14),
        _covariate("N_dec", "decoder parameters", "parameters", r"N_\mathrm{dec}",
                   "decoder_params params_decoder decoder_parameters", 1e4, 1e14),
        _covariate("N_vocab", "vocabulary parameters", "parameters", r"N_\mathrm{v}",
                   "vocab_params params_vocab embedding_params vocabulary_parameters", 1e3, 1e13),
        _covariate("width", "model width", "units", "m", "d_model hidden_size model_width", 1, 1e7),
        _covariate("aspect", "width per layer", "units/layer", "R",
                   "aspect_ratio width_per_layer", 1e-2, 1e5),
        _covariate("experts", "experts", "experts", "E", "n_experts num_experts", 1, 1e6),
        _covariate("granularity", "feed-forward width per expert width", "", "G",
                   "expert_granularity", 1e-3, 1e5),
        _covariate("density", "share of the parameters that is active or not zero", "", r"\rho",
                   "active_fraction active_share", 1e-6, 1),
        _covariate("streams", "parallel streams", "streams", "P",
                   "n_streams num_streams parallel_streams", 1, 1e4),
        _covariate("members", "members of an ensemble", "models", "K",
                   "n_members ensemble_size ensemble_members", 1, 1e4),
        _covariate("replicas", "replicas trained apart", "replicas", "M",
                   "n_replicas num_replicas", 1, 1e6),
        _covariate("bits_w", "bits of a weight", "bits", r"P_\mathrm{w}",
                   "weight_bits bits_weights", 0.1, 64),
        _covariate("bits_a", "bits of an activation", "bits", r"P_\mathrm{a}",
                   "activation_bits bits_activations", 0.1, 64),
        _covariate("bits_kv", "bits of a cached key or value", "bits", r"P_\mathrm{kv}",
                   "kv_bits kv_cache_bits", 0.1, 64),
        _covariate("bits_e", "exponent bits", "bits", r"E_\mathrm{b}", "exponent_bits", 0.1, 16),
        _covariate("bits_m", "mantissa bits", "bits", r"M_\mathrm{b}", "mantissa_bits", 0.1, 64),
        _covariate("block", "elements that share a scale", "elements", "G",
                   "group_size quant_group_size quant_block_size", 2, 1e6),
        _covariate("S1", "sum of the learning rates of all steps", "", "S_1",
                   "lr_sum sum_of_lr", 0, 1e6),
        _covariate("S2", "smoothed sum of the drops of the learning rate", "", "S_2",
                   "annealing_area lr_annealing_area", 0, 1e3),
        _covariate("proportion", "share of the data", "", "p",
                   "data_proportion mixture_proportion sampling_weight", 1e-6, 1),
        _covariate("cutoff", "rank beyond which data lack the tail", "", "k",
                   "tail_cutoff rank_cutoff", 1, 1e12),
        _covariate("noise_batch_ratio", "noise per batch size", "", r"\bar{\sigma}",
                   "noise_to_batch_ratio", 1e-12, 1e3),
        _covariate("latents", "latents of an autoencoder", "latents", "n",
                   "n_latents num_latents dictionary_size", 1, 1e12),
        _covariate("active_latents", "active latents", "latents", "k",
                   "n_active_latents sae_k", 1, 1e9),
        _covariate("L_teacher", "loss of the teacher", "nats/token", r"L_\mathrm{T}",
                   "teacher_loss loss_teacher", 0, 12),
        _covariate("L_alone", "loss of the same model without a teacher", "nats/token",
                   r"\tilde{L}", "supervised_loss loss_supervised", 0, 12),
        _covariate("L_target", "loss aimed at", "nats/token", r"L_\mathrm{target}",
                   "target_loss loss_target", 0, 12),
        # Inputs of laws of scores, sampling, fine-tuning and time.
        _covariate("T", "loss a score is read off", "nats or bits", "T", "input_loss", 0.05, 12),
        _covariate("k", "samples, shots, experts, agents or exposures", "", "k", _K, 1, 1e7),
        _covariate("J", "comparisons of a pair", "", "J", "n_comparisons num_comparisons", 1, 1e4),
        _covariate("G", "tokens generated for an answer", "tokens", "G", _G, 1, 1e8),
        _covariate("Df", "fine-tuning data", "examples", "D_f", _DF, 1, 1e13),
        _covariate("KL", "divergence from a policy", "nats", "K", "kl_divergence", 1e-3, 1e3),
        _covariate("p", "score of this model", "", "p", "own_score", 1e-4, 0.9999),
        _covariate("q", "score of the model it meets", "", "q", "other_score", 1e-4, 0.9999),
        _covariate("H", "time a person needs for the task", "minutes", "H", _H, 1e-3, 1e6),
        _covariate("t", "years since 2010-01-01", "years", "t", "years_since_2010", 0.1, 40),
    )
}  # fmt: skip
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
        # Responses of special laws of pretraining
        _response("lr_opt", "optimal learning rate", "", r"\eta^*",
                  "opt_lr optimal_lr lr_star optimal_learning_rate", 1e-8, 10),
        _response("B_opt", "optimal batch size", "tokens", "B^*",
                  "opt_batch_tokens optimal_batch_tokens", 1e2, 1e9),
        _response("B_crit", "critical batch size", "tokens", r"B_\mathrm{crit}",
                  "critical_batch_tokens crit_batch_tokens", 1e2, 1e10),
        _response("timescale", "optimal memory of AdamW as a share of the run", "", r"\tau^*",
                  "adamw_timescale optimal_timescale", 1e-4, 1e3),
        _response("scale_opt", "optimal FLOPs per token without embeddings", "FLOPs/token", "M^*",
                  "optimal_flops_per_token opt_flops_per_token", 1e4, 1e16),
        _response("bpc", "bits per character or byte", "bits", r"L_\mathrm{bpc}",
                  "bits_per_character bits_per_char bpb bits_per_byte", 0.02, 16),
        _response("dL", "loss added by quantisation", "nats/token", r"\delta L",
                  "delta_loss loss_increase loss_degradation", 1e-6, 12),
        _response("L_unigram", "loss less that of the unigram model", "nats/token",
                  r"L_\mathrm{u}", "unigram_normalized_loss unigram_normalised_loss", -12, 12),
        _response("mse", "normalised mean squared error", "", r"\mathrm{MSE}",
                  "normalized_mse normalised_mse nmse", 1e-4, 10),
    )
}  # fmt: skip
"""What laws predict, canonical name to record."""

SYMBOLS: Mapping[str, Symbol] = {**COVARIATES, **RESPONSES}
"""The whole vocabulary, canonical name to record."""


def _normal(column: str) -> str:
    """Return a column name without case and separators; one letter keeps its case."""
    bare = re.sub(r"[\s_\-.()]+", "", column)
    return bare if len(bare) == 1 else bare.lower()


_BY_ALIAS: Mapping[str, str] = {
    _normal(spelling): each.name
    for each in SYMBOLS.values()
    for spelling in (each.name, *each.aliases)
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
