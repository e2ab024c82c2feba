"""Inputs and responses of single laws, as rows: name, meaning, unit, LaTeX, aliases, low, high.

The quantities that many laws share are in `symbols`, which makes the records of both.
"""

Row = tuple[str, str, str, str, str, float, float]

_K = """n_samples num_samples samples_per_problem n_shots num_shots shots n_agents num_agents
    exposures"""
_G = "thinking_tokens reasoning_tokens generated_tokens test_time_tokens"
_DF = """finetuning_examples finetuning_tokens finetuning_data finetune_examples finetune_tokens
    sft_examples sft_tokens n_sft"""
_H = "human_minutes minutes_for_a_person"

PIECES = 6  # that a schedule's drops are put together to: `bayes_scaling.schedules.pieces`
_PIECES: tuple[Row, ...] = tuple(
    row
    for i in range(1, PIECES + 1)
    for row in (
        (f"drop_share{i}", f"share of the drops in piece {i}", "", f"w_{i}", "", -1, 1),
        (f"drop_lr{i}", f"learning rate after piece {i}", "", rf"\eta_{i}", "", 1e-15, 10),
        (f"drop_area{i}", f"sum of the learning rates since piece {i}", "", f"s_{i}", "", 0, 1e6),
    )
)

LAW_COVARIATES: tuple[Row, ...] = (
    # Inputs of laws of pretraining.
    ("N_avg", "parameters averaged over training", "parameters", r"\bar{N}",
     "avg_params average_params mean_params average_parameters", 1e4, 1e14),
    ("N_enc", "encoder parameters", "parameters", r"N_\mathrm{enc}",
     "encoder_params params_encoder encoder_parameters", 1e4, 1e14),
    ("N_dec", "decoder parameters", "parameters", r"N_\mathrm{dec}",
     "decoder_params params_decoder decoder_parameters", 1e4, 1e14),
    ("Nv", "vocabulary parameters", "parameters", r"N_\mathrm{v}",
     "vocab_params params_vocab embedding_params vocabulary_parameters", 1e3, 1e13),
    ("width", "model width", "units", "m", "d_model hidden_size model_width", 1, 1e7),
    ("aspect", "width per layer", "units/layer", "R",
     "aspect_ratio width_per_layer", 1e-2, 1e5),
    *((f"r{i}", f"share of domain {i} of a mixture", "", f"r_{i}", "", 0, 1) for i in (1, 2, 3)),
    ("experts", "experts", "experts", "E", "n_experts num_experts", 1, 1e6),
    ("granularity", "feed-forward width per expert width", "", "G",
     "expert_granularity", 1e-3, 1e5),
    ("density", "share of the parameters that is active or not zero", "", r"\rho",
     "active_fraction active_share", 1e-6, 1),
    ("streams", "parallel streams", "streams", "P",
     "n_streams num_streams parallel_streams", 1, 1e4),
    ("members", "members of an ensemble", "models", "K",
     "n_members ensemble_size ensemble_members", 1, 1e4),
    ("replicas", "replicas trained apart", "replicas", "M",
     "n_replicas num_replicas", 1, 1e6),
    ("bits_w", "bits of a weight", "bits", r"P_\mathrm{w}",
     "weight_bits bits_weights", 0.1, 64),
    ("bits_a", "bits of an activation", "bits", r"P_\mathrm{a}",
     "activation_bits bits_activations", 0.1, 64),
    ("bits_kv", "bits of a cached key or value", "bits", r"P_\mathrm{kv}",
     "kv_bits kv_cache_bits", 0.1, 64),
    ("bits_e", "exponent bits", "bits", r"E_\mathrm{b}", "exponent_bits", 0.1, 16),
    ("bits_m", "mantissa bits", "bits", r"M_\mathrm{b}", "mantissa_bits", 0.1, 64),
    ("block", "elements that share a scale", "elements", "G",
     "group_size quant_group_size quant_block_size", 2, 1e6),
    ("S1", "sum of the learning rates of all steps", "", "S_1",
     "lr_sum sum_of_lr", 1e-9, 1e6),
    ("S2", "smoothed sum of the drops of the learning rate", "", "S_2",
     "annealing_area lr_annealing_area", 0, 1e3),
    ("lr_drop", "sum of all changes of the learning rate after warm-up", "", r"\Delta", "", 0, 10),
    *_PIECES,
    ("proportion", "share of the data", "", "p",
     "data_proportion mixture_proportion sampling_weight", 1e-6, 1),
    ("cutoff", "rank beyond which data lack the tail", "", "k",
     "tail_cutoff rank_cutoff", 1, 1e12),
    ("noise_batch_ratio", "noise per batch size", "", r"\bar{\sigma}",
     "noise_to_batch_ratio", 1e-12, 1e3),
    ("latents", "latents of an autoencoder", "latents", "n",
     "n_latents num_latents dictionary_size", 1, 1e12),
    ("active_latents", "active latents", "latents", "k",
     "n_active_latents sae_k", 1, 1e9),
    ("L_teacher", "loss of the teacher", "nats/token", r"L_\mathrm{T}",
     "teacher_loss loss_teacher", 0.1, 12),
    ("L_alone", "loss of the same model without a teacher", "nats/token",
     r"\tilde{L}", "supervised_loss loss_supervised", 0.1, 12),
    ("L_target", "loss aimed at", "nats/token", r"L_\mathrm{target}",
     "target_loss loss_target", 0.1, 12),
    # Inputs of laws of scores, sampling, fine-tuning and time.
    ("T", "loss a score is read off", "nats or bits", "T", "input_loss", 0.05, 12),
    ("k", "samples, shots, experts, agents or exposures", "", "k", _K, 1, 1e7),
    ("J", "comparisons of a pair", "", "J", "n_comparisons num_comparisons", 1, 1e4),
    ("G", "tokens generated for an answer", "tokens", "G", _G, 1, 1e8),
    ("Df", "fine-tuning data", "examples", "D_f", _DF, 1, 1e13),
    ("KL", "divergence from a policy", "nats", "K", "kl_divergence", 1e-3, 1e3),
    ("p", "score of this model", "", "p", "own_score", 1e-4, 0.9999),
    ("q", "score of the model it meets", "", "q", "other_score", 1e-4, 0.9999),
    ("H", "time a person needs for the task", "minutes", "H", _H, 1e-3, 1e6),
    ("t", "years since 2010-01-01", "years", "t", "years_since_2010", 0.1, 40),
)  # fmt: skip
"""Rows of inputs, in the units of their third column; the last two are the plausible range."""

LAW_RESPONSES: tuple[Row, ...] = (
    ("lr_opt", "optimal learning rate", "", r"\eta^*",
     "opt_lr optimal_lr lr_star optimal_learning_rate", 1e-8, 10),
    ("B_opt", "optimal batch size", "tokens", "B^*",
     "opt_batch_tokens optimal_batch_tokens", 1e2, 1e9),
    ("B_crit", "critical batch size", "tokens", r"B_\mathrm{crit}",
     "critical_batch_tokens crit_batch_tokens", 1e2, 1e10),
    ("timescale", "optimal memory of AdamW as a share of the run", "", r"\tau^*",
     "adamw_timescale optimal_timescale", 1e-4, 1e3),
    ("scale_opt", "optimal FLOPs per token without embeddings", "FLOPs/token", "M^*",
     "optimal_flops_per_token opt_flops_per_token", 1e4, 1e16),
    ("bpc", "bits per character or byte", "bits", r"L_\mathrm{bpc}",
     "bits_per_character bits_per_char bpb bits_per_byte", 0.02, 16),
    ("dL", "loss added by quantisation", "nats/token", r"\delta L",
     "delta_loss loss_increase loss_degradation", 1e-6, 12),
    ("L_unigram", "loss less that of the unigram model", "nats/token",
     r"L_\mathrm{u}", "unigram_normalized_loss unigram_normalised_loss", -12, 12),
    ("mse", "normalised mean squared error", "", r"\mathrm{MSE}",
     "normalized_mse normalised_mse nmse", 1e-4, 10),
)  # fmt: skip
"""Rows of responses, as those of inputs."""
