"""The pictures of the course: one grammar for all of them.

Queries stand down, keys across, weights from 0 to 1 in one family of colours; categories take the colours of Okabe and
Ito, which colour-blind readers can tell apart. Pictures that one lesson needs stand in a room of their own.
"""

from course_utils.plots.base import COLOURS, SEQUENTIAL, bars, curves, heatmap, row, use_style

__all__ = ["COLOURS", "SEQUENTIAL", "bars", "curves", "heatmap", "row", "use_style"]
