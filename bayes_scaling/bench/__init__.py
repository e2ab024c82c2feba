"""Throughput and quality of samplers on fixed problems, peers on the same posterior."""
