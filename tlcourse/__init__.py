"""Helper library of a hands-on course on transfer learning.

The library is what every lesson uses: `runtime`, `models`, `training`, `experiment`, `settings`,
`verdicts`, `plots`, with `data`, `teaching` and `audit`. What one lesson alone needs stands in its wing of
`lessons`. Importing the package costs next to nothing: each room is imported where it is used.
"""

__version__ = "0.1.0"
