"""A law's equation: read from one line of text; its JAX function, LaTeX, oracle and inverses."""

from bayes_scaling.equation.display import latex as latex
from bayes_scaling.equation.elements import FUNCTIONS as FUNCTIONS
from bayes_scaling.equation.parse import Equation as Equation
from bayes_scaling.equation.parse import parse_equation as parse_equation
from bayes_scaling.equation.solve import solve_for as solve_for
from bayes_scaling.equation.terms import additive_terms as additive_terms
from bayes_scaling.equation.terms import exponents as exponents
from bayes_scaling.equation.terms import linear_terms as linear_terms
from bayes_scaling.equation.translate import compile_jax as compile_jax
from bayes_scaling.equation.translate import oracle as oracle
