"""Helper library of a hands-on course on transfer learning.

Importing the package costs next to nothing: each room (``tlcourse.data``, ``tlcourse.models``, ...)
is imported where it is used.
"""

__version__ = "0.1.0"
