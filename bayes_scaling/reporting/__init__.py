"""A fit as one HTML page: each section is a function of the same numbers, listed in `sections`."""
