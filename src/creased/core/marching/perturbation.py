"""Simulation of simplicity: decide which rows bound a polygon where several of them meet in one point.

As in subdivision an exact zero counts as +, and later rows are decided at the unperturbed vertices of earlier
ones. That is the arrangement of rows ``h_r + e_r >= 0`` and the level set ``f + e = 0`` with infinitesimals
``0 < e_walls << e_1 << e_2 << ... << e``. Numbers are polynomials in these, of which the terms of first order
are kept: the value, the coefficient of ``e``, and those of the ``e_r`` from the last row to the first. They
are compared term by term; a difference within rounding is zero. The effect of ``e_r`` on rows after ``r`` is
left out: wherever it could decide, a larger infinitesimal has decided already.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.marching.cell_planes import NormalSlopes
from creased.core.numerics.tolerance import rounding_error

TERMS = 7  # of the sums whose rounding error is estimated; deep sums mostly stay far below their bound
COARSEST = 0.01  # of the domain: rows whose line in the plane is less certain are taken as parallel to it


class NearestLines(NamedTuple):
    """Lines nearest to a point of the level set in R cells; points for D = 2."""

    rows: Tensor  # (R, n) int64
    normals: Tensor  # (R, D - 1, n): unit normals in the plane, into the cell
    heights: Tensor  # (R, n): of the rows at the point
    distances: Tensor  # (R, n): of the point from the lines, negative outside of their half-planes
    limit: Tensor  # (R,): lower bound on the distances of all other rows
    scale: Tensor  # (R, n): one over the slope of each row along its normal
    signs: Tensor  # (R, n) bool: True if the cell is on the + side of the row
    reach: float  # of the domain and its coordinates, to which rounding errors are relative


class ClippedLines(NamedTuple):
    """Each of m lines in R cells, clipped by all others; for D = 2, m = 1: the level set itself."""

    low: Tensor  # (R, m): start, from the foot of the perpendicular; may be -infinity
    high: Tensor  # (R, m): end; may be infinity
    before: Tensor  # (R, m) int64: the line at its start; D = 2 only
    after: Tensor  # (R, m) int64: the line at its end; D = 2 only
    exists: Tensor  # (R, m) bool
    is_doubtful: Tensor  # (R,) bool: True if corners coincide within rounding


class _Numbers(NamedTuple):
    """Numbers with infinitesimal parts."""

    parts: Tensor  # (..., P): most significant first
    noise: Tensor  # (..., P): rounding error of each part

    def __neg__(self) -> _Numbers:
        return _Numbers(-self.parts, self.noise)

    def __sub__(self, other: _Numbers) -> _Numbers:
        return _Numbers(self.parts - other.parts, self.noise + other.noise)

    def over(self, divisor: Tensor) -> _Numbers:
        """Divide by (...)."""
        return _Numbers(self.parts / divisor[..., None], self.noise / divisor.abs()[..., None])

    def choose(self, index: Tensor) -> _Numbers:
        """Select, from numbers (..., n), those at index (...)."""
        place = index[..., None, None].expand(*index.shape, 1, self.parts.shape[-1])
        return _Numbers(self.parts.gather(-2, place)[..., 0, :], self.noise.gather(-2, place)[..., 0, :])

    def sign(self) -> Tensor:
        """Return the sign (...) of the first part beyond its rounding error; 0 if there is none."""
        is_certain = self.parts.abs() > self.noise
        first = is_certain.to(torch.int8).argmax(-1, keepdim=True)
        return (self.parts * is_certain).gather(-1, first)[..., 0].sign()

    def argmax(self, allowed: Tensor) -> Tensor:
        """Find the index (...) of the largest allowed one of numbers (..., n); 0 if none is allowed."""
        left, lower, upper = allowed, self.parts - self.noise, self.parts + self.noise
        for low, high in zip(lower.unbind(-1), upper.unbind(-1), strict=True):
            least = low.where(left, -torch.inf).amax(-1, keepdim=True)
            left = left & (high >= least)
        return left.to(torch.int8).argmax(-1)


def spans_with_ties(near: NearestLines, normal_slopes: NormalSlopes) -> ClippedLines:
    """Clip each line by all others, with ties broken by perturbation; slopes (R, n) are of the same rows."""
    epsilon = rounding_error(near.normals.dtype, TERMS)
    own, steepness = _perturbed(near, normal_slopes), _steepness(near, normal_slopes)
    if near.normals.shape[1] == 1:
        slopes, constants = near.normals, _Numbers(*(x[:, None] for x in own))
    else:
        (x, y), n = near.normals.unbind(1), near.rows.shape[1]
        slopes = y[:, :, None] * x[:, None] - x[:, :, None] * y[:, None]
        cosine = (x[:, :, None] * x[:, None] + y[:, :, None] * y[:, None])[..., None]
        parts = own.parts[:, None] - cosine * own.parts[:, :, None]
        constants = _Numbers(parts, own.noise[:, None] + own.noise[:, :, None])
        others = ~torch.eye(n, dtype=torch.bool, device=slopes.device)
        slopes = torch.where(others, slopes, torch.nan)  # a line does not cut itself
    is_constant = _is_constant(near, normal_slopes)
    matters = (epsilon * steepness < COARSEST) & ~is_constant  # rows that cut the plane beyond rounding
    flat = slopes.abs() <= epsilon * steepness[:, None]
    starts, ends = (slopes > 0) & ~flat & matters[:, None], (slopes < 0) & ~flat & matters[:, None]
    is_hidden = (flat & matters[:, None] & (constants.sign() < 0)).any(-1)
    is_hidden = is_hidden | (~matters & _excludes(near, normal_slopes, is_constant)).any(-1, keepdim=True)
    crossing = (-constants).over(slopes)
    before, after = crossing.argmax(starts), (-crossing).argmax(ends)
    low, high = crossing.choose(before), crossing.choose(after)
    has_start, has_end = starts.any(-1), ends.any(-1)
    exists = ~is_hidden & (((high - low).sign() > 0) | ~has_start | ~has_end)
    if near.normals.shape[1] == 2:
        exists &= matters
    nowhere = torch.zeros_like(exists[:, 0])
    least, most = low.parts[..., 0].where(has_start, -torch.inf), high.parts[..., 0].where(has_end, torch.inf)
    return ClippedLines(least, most, before, after, exists, nowhere)


def _perturbed(near: NearestLines, normal_slopes: NormalSlopes) -> _Numbers:
    """Perturb the signed distances of the point from the lines: value, level, rows from last to first."""
    steepness, n = _steepness(near, normal_slopes), near.rows.shape[1]
    side = torch.where(near.signs, near.scale, -near.scale)
    rank = torch.argsort(torch.argsort(near.rows, dim=1, descending=True), dim=1)
    own = torch.zeros((*near.rows.shape, n), dtype=side.dtype, device=side.device)
    own.scatter_(2, rank[:, :, None], side[:, :, None])
    parts = torch.cat([near.distances[:, :, None], -(side * normal_slopes.rates)[:, :, None], own], dim=2)
    noise = steepness[:, :, None] * torch.stack([parts.new_tensor(near.reach), parts.new_tensor(1.0)])
    epsilon = rounding_error(side.dtype, TERMS)
    return _Numbers(parts, epsilon * torch.cat([noise, steepness[:, :, None] * own.abs()], dim=2))


def _steepness(near: NearestLines, normal_slopes: NormalSlopes) -> Tensor:
    """Return one over the sine of the angle (R, n) between each row and the level set."""
    return (1 + (normal_slopes.rates * near.scale).square()).sqrt()


def _is_constant(near: NearestLines, normal_slopes: NormalSlopes) -> Tensor:
    """True (R, n) for rows that are constant in the cell within rounding."""
    return (1 / near.scale).square() + normal_slopes.rates.square() <= normal_slopes.noise.square()


def _excludes(near: NearestLines, normal_slopes: NormalSlopes, is_constant: Tensor) -> Tensor:
    """True (R, n) where the plane lies on the other side of a row than the cell, for rows that do not cut it.

    A plane within a row is perturbed towards smaller f; a row that is zero in the whole cell counts as +.
    """
    side, (rates, noise) = torch.where(near.signs, 1, -1), normal_slopes
    slopes = torch.maximum(noise, rounding_error(near.heights.dtype, TERMS) * rates.abs())
    falls = torch.where(is_constant, -1, rates)
    is_in_row = near.heights.abs() <= slopes * near.reach
    return torch.where(is_in_row, side * falls > 0, side * near.heights < 0)
