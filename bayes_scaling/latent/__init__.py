"""Latent skills of models, read from a table of models by benchmarks with gaps."""
