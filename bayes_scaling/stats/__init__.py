"""Statistics of arrays: array in, array out, nothing of the package's own types."""
