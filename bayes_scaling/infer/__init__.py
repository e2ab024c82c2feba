"""Inference: from a model and its arguments to checked posterior draws."""
