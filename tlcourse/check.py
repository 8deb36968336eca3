"""Where assignments and notebooks find the instant checks: see `tlcourse.teaching.check`."""

from tlcourse.teaching.check import check, examine, hint, statement

__all__ = ["check", "examine", "hint", "statement"]
