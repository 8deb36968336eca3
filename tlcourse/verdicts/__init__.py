"""Claims and verdicts: written before they are tested, judged by where an interval lies."""

from tlcourse.verdicts.before import NOTE, Claim, print_verdicts, verdict, verdict_table
from tlcourse.verdicts.care import Care
from tlcourse.verdicts.judging import MARGINS, judge, judge_difference
from tlcourse.verdicts.lesson import Claims
from tlcourse.verdicts.tables import Table

__all__ = [
    "MARGINS",
    "NOTE",
    "Care",
    "Claim",
    "Claims",
    "Table",
    "judge",
    "judge_difference",
    "print_verdicts",
    "verdict",
    "verdict_table",
]
