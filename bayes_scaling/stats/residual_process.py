"""A Gaussian process for what a law leaves over, beside the law's own parameters.

The residual of row ``i`` is ``delta_i + run_i + noise_i``. ``delta``, the law's own error, is a
Matern-3/2 process over the covariates in decades, whose size may change with scale, independent
between families or with a part that all have in common; ``run_i`` is common to the checkpoints of
one run; the noise is Student-t, as weights of the rows. The law is linear in its coordinates
``z ~ N(mean, cov)`` about their current value, so that ``z`` is integrated out in closed form
(universal kriging; Rasmussen and Williams 2006, eq. 2.41-2.45). Arrays in, arrays out; families
are blocks, so that the cost grows with their number and with the cube of the rows in the largest;
errors in common make one block of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, get_lapack_funcs

HYPERS = ("size", "length", "noise", "noise_trend", "size_trend", "run")
SIZE, LENGTH, NOISE, NOISE_TREND, SIZE_TREND, RUN = range(len(HYPERS))
COMMON = len(HYPERS)  # the part (logit) of the error's variance that families have in common
NU = 5.0  # degrees of freedom of the noise
JITTER = 1e-10
NONE = -1  # the run of a row that is a run of its own


class Rows(NamedTuple):
    """Where residuals lie.

    ``place`` (row, axis) the covariates in decades; ``scale`` (row,) decades from the largest
    fitted run of all, negative for smaller ones; ``beyond`` (row,) decades beyond the largest
    fitted run of the family; ``family`` (row,); ``run`` (row,), `NONE` for runs of one row; ``se2``
    (row,) the square of a known standard error.
    """

    place: np.ndarray
    scale: np.ndarray
    beyond: np.ndarray
    family: np.ndarray
    run: np.ndarray
    se2: np.ndarray

    def take(self, rows: np.ndarray) -> Rows:
        """Return some of the rows."""
        return Rows(*(values[rows] for values in self))


class Linear(NamedTuple):
    """The law about a value of its coordinates, and their prior.

    ``residual`` (row,) is the response less the law there plus ``jacobian @ (z - mean)``;
    ``jacobian`` (row, coordinate); ``precision`` (coordinate, coordinate) of the prior.
    """

    residual: np.ndarray
    jacobian: np.ndarray
    precision: np.ndarray


class Solved(NamedTuple):
    """A family's block: its rows, the inverse covariance of its residuals, its log determinant."""

    rows: np.ndarray
    inverse: np.ndarray
    log_det: float


def noise_variance(v: np.ndarray, rows: Rows) -> np.ndarray:
    """Return the squared scale of the Student-t noise, (row,); beyond the data as at their edge."""
    return np.exp(2 * (v[NOISE] + v[NOISE_TREND] * np.minimum(rows.scale, 0.0))) + rows.se2


def law_error_sd(v: np.ndarray, rows: Rows, growth: float = 0.0) -> np.ndarray:
    """Return the sd of the law's error, (row,); it grows by ``growth`` a decade beyond the data."""
    size = v[SIZE] + v[SIZE_TREND] * np.minimum(rows.scale, 0.0)
    return np.exp(size) * (1.0 + growth * rows.beyond)


def _apart(a: Rows, b: Rows) -> np.ndarray:
    """Distances in decades, (a, b)."""
    return np.sqrt(((a.place[:, None] - b.place[None]) ** 2).sum(-1))


def _correlation(v: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Matern-3/2 correlation of rows of one family, and its slope in log length."""
    r = apart * (np.sqrt(3.0) / np.exp(v[LENGTH]))
    decay = np.exp(-r)
    correlation = r * decay
    in_length = r * correlation
    correlation += decay
    return correlation, in_length


def common_part(v: np.ndarray) -> float:
    """Return the part of the error's variance that families have in common; 0 for blocks apart."""
    return float(1.0 / (1.0 + np.exp(-v[COMMON])))


def _between(v: np.ndarray, same_family: np.ndarray) -> np.ndarray:
    """The correlation of families' errors at one place."""
    return np.where(same_family, 1.0, common_part(v))


def _same_family(a: Rows, b: Rows) -> np.ndarray:
    return a.family[:, None] == b.family[None]


def _same_run(a: Rows, b: Rows) -> np.ndarray:
    return (a.run[:, None] == b.run[None]) & (a.run[:, None] != NONE)


def covariance(v: np.ndarray, a: Rows, b: Rows, growth: float = 0.0) -> np.ndarray:
    """Return the covariance of ``delta + run`` between rows, (a, b)."""
    sizes = law_error_sd(v, a, growth)[:, None] * law_error_sd(v, b, growth)[None]
    sizes *= _between(v, _same_family(a, b))
    return sizes * _correlation(v, _apart(a, b))[0] + np.exp(2 * v[RUN]) * _same_run(a, b)


def rows_by_family(family: np.ndarray) -> list[np.ndarray]:
    """Return the rows of every family."""
    return [np.flatnonzero(family == f) for f in np.unique(family)]


class Block(NamedTuple):
    """One family, or all: its rows' numbers ``own`` (row,), where they lie, how many decades apart
    and whether of one run and of one family, all (row, row)."""

    own: np.ndarray
    rows: Rows
    apart: np.ndarray
    same_run: np.ndarray
    same_family: np.ndarray


def family_blocks(rows: Rows) -> list[Block]:
    """Return what every family's covariance needs of its rows, whatever the hyper-parameters."""
    return [_block(own, rows.take(own)) for own in rows_by_family(rows.family)]


def one_block(rows: Rows) -> list[Block]:
    """Return the same of all rows, for errors that families have in common."""
    return [_block(np.arange(len(rows.family)), rows)]


def _block(own: np.ndarray, part: Rows) -> Block:
    return Block(own, part, _apart(part, part), _same_run(part, part), _same_family(part, part))


class Process(NamedTuple):
    """The law's error and the run's in one block: their covariance, and its derivatives in the
    logarithm of the length, in the common part (logit) and in the logarithm of the run's sd; None
    where there is no such error."""

    of_law: np.ndarray | None
    in_length: np.ndarray | None
    in_common: np.ndarray | None
    of_run: np.ndarray | None


def _process(v: np.ndarray, block: Block) -> Process:
    of_law = in_length = in_common = None
    if v[SIZE] > -np.inf:
        sd = law_error_sd(v, block.rows)
        sizes = sd[:, None] * sd[None]
        if (common := common_part(v)) > 0.0:
            sizes *= _between(v, block.same_family)
        of_law, in_length = (sizes * part for part in _correlation(v, block.apart))
        if common > 0.0:
            in_common = (1.0 - common) * np.where(block.same_family, 0.0, of_law)
    return Process(
        of_law, in_length, in_common, np.exp(2 * v[RUN]) * block.same_run if _runs(v) else None
    )


def _runs(v: np.ndarray) -> bool:
    return bool(v[RUN] > -np.inf)


def solve_blocks(v: np.ndarray, blocks: Sequence[Block], weight: np.ndarray) -> list[Solved]:
    """Return every family's inverse covariance; ``weight`` (row,) divides the noise variance."""
    return [_solved(v, block, weight[block.own], _process(v, block)) for block in blocks]


def _solved(v: np.ndarray, block: Block, weight: np.ndarray, process: Process) -> Solved:
    noise = noise_variance(v, block.rows) / weight + JITTER
    known = [part for part in (process.of_law, process.of_run) if part is not None]
    if not known:
        return Solved(block.own, np.diag(1 / noise), float(np.log(noise).sum()))
    factor, _ = cho_factor(sum(known, np.diag(noise)), lower=True)
    log_det = 2 * float(np.log(np.diag(factor)).sum())
    (invert,) = get_lapack_funcs(("potri",), (factor,))
    half, _ = invert(factor, lower=1)
    inverse = np.tril(half)
    return Solved(block.own, inverse + np.tril(inverse, -1).T, log_det)


class Given(NamedTuple):
    """The law's coordinates given the rows: mean less the prior's, precision; and the evidence."""

    shift: np.ndarray
    precision: np.ndarray
    log_evidence: float


def given_rows(solved: list[Solved], linear: Linear) -> Given:
    """Return the posterior of the law's coordinates, and the log evidence up to a constant."""
    precision, pull, square, log_det = linear.precision.copy(), 0.0, 0.0, 0.0
    for own, inverse, part in solved:
        jacobian, residual = linear.jacobian[own], linear.residual[own]
        scaled = inverse @ jacobian
        precision = precision + jacobian.T @ scaled
        pull = pull + scaled.T @ residual
        square += residual @ inverse @ residual
        log_det += part
    factor = cho_factor(precision, lower=True)
    shift = cho_solve(factor, pull)
    log_det += 2 * np.log(np.diag(factor[0])).sum()
    return Given(shift, precision, -0.5 * float(square - pull @ shift + log_det))


def evidence_and_slope(
    v: np.ndarray, blocks: Sequence[Block], linear: Linear, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the log evidence of hyper-parameters ``v`` (hyper,), and its gradient (hyper,).

    ``blocks`` are families where the common part is zero, all rows where it is not.
    """
    processes = [_process(v, block) for block in blocks]
    solved = [
        _solved(v, block, weight[block.own], process)
        for block, process in zip(blocks, processes, strict=True)
    ]
    given = given_rows(solved, linear)
    spread = np.linalg.inv(given.precision)
    slope = np.zeros(len(v))
    for block, process, part in zip(blocks, processes, solved, strict=True):
        scaled = part.inverse @ linear.jacobian[block.own]
        left = part.inverse @ linear.residual[block.own] - scaled @ given.shift
        inside = Inside(left, part.inverse, scaled, scaled @ spread)
        slope += 0.5 * _slopes(v, block, weight[block.own], process, inside)
    return given.log_evidence, slope


class Inside(NamedTuple):
    """What a block's covariance derivative is multiplied with: ``outer(left, left) - inverse +
    spread @ scaled.T``, of which little is needed where there is noise alone."""

    left: np.ndarray
    inverse: np.ndarray
    scaled: np.ndarray
    spread: np.ndarray

    def diagonal(self) -> np.ndarray:
        """Return its diagonal, (row,)."""
        return self.left**2 - np.diag(self.inverse) + (self.spread * self.scaled).sum(1)

    def whole(self) -> np.ndarray:
        """Return all of it, (row, row)."""
        return np.outer(self.left, self.left) - self.inverse + self.spread @ self.scaled.T


def _slopes(
    v: np.ndarray, block: Block, weight: np.ndarray, process: Process, inside: Inside
) -> np.ndarray:
    """The sum of ``inside`` times the covariance's derivative in each hyper-parameter."""
    rows, small = block.rows, np.minimum(block.rows.scale, 0.0)
    noise = inside.diagonal() * (noise_variance(v, rows) - rows.se2) / weight
    slope = np.zeros(len(v))
    slope[[NOISE, NOISE_TREND]] = 2 * noise.sum(), 2 * (noise * small).sum()
    if process.of_law is None and process.of_run is None:
        return slope
    whole = inside.whole()
    if process.of_law is not None and process.in_length is not None:
        error = np.einsum("ij,ij->i", whole, process.of_law)
        slope[[SIZE, SIZE_TREND]] = 2 * error.sum(), 2 * (error * small).sum()
        slope[LENGTH] = np.einsum("ij,ij->", whole, process.in_length)
    if process.in_common is not None:
        slope[COMMON] = np.einsum("ij,ij->", whole, process.in_common)
    if process.of_run is not None:
        slope[RUN] = 2 * np.einsum("ij,ij->", whole, process.of_run)
    return slope


def student_weights(
    v: np.ndarray, rows: Rows, weight: np.ndarray, solved: list[Solved], left: np.ndarray
) -> np.ndarray:
    """Return the expected weights of the rows, (row,), under Student-t noise (an EM step).

    ``left`` (row,) is the response less the law. Lange, Little and Taylor 1989, eq. 2.
    """
    own = noise_variance(v, rows)
    square = np.empty(len(left))
    for block in solved:
        var = own[block.rows] / weight[block.rows]
        noise = var * (block.inverse @ left[block.rows])
        spread = var - var**2 * np.diag(block.inverse)
        square[block.rows] = noise**2 + np.maximum(spread, 0.0)
    return (NU + 1.0) / (NU + square / own)
