"""The pictures of the course: one grammar for all of them.

Queries stand down, keys across, weights from 0 to 1 in one family of colours; categories take the colours of Okabe and
Ito, which colour-blind readers can tell apart.

    base        what every lesson uses: maps of weights, curves, bars, and the style
    card        drawings that are no data: boxes with shapes, arrows with words
    fonts       glyphs for every script that a lesson draws
    lessons     the map of the course, and what is done of it

Pictures that one lesson needs stand in a room of their own: dates, readers and alignment (00), shop (01), scores (02),
hard (03), masks (04), positions (05), heads (06), seq2seq (07), local (08 and 09), questions (10), transformer
(11), pictures and recommender (12), cheaper (13), explain (14), dashboard (15).
"""

from course_utils.plots.base import COLOURS, SEQUENTIAL, bars, curves, heatmap, row, use_style

__all__ = ["COLOURS", "SEQUENTIAL", "bars", "curves", "heatmap", "row", "use_style"]
