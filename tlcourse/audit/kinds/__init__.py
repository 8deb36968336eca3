"""The checks, by what they look at; here they stand in the order in which to act on what they find.

What `FIRST` finds changes the names by which all other lines ask.
"""

from tlcourse.audit.kinds import cells, missing, names, numbers, pairs, rows, second, target

FIRST = (names.no_header, names.shared_names)
CHECKS = (
    missing.missing_words,
    cells.text_among_numbers,
    cells.numbers_as_text,
    cells.spellings,
    cells.mixed_dates,
    cells.infinities,
    missing.missing_codes,
    pairs.identifiers,
    pairs.constants,
    pairs.say_the_same,
    rows.duplicate_rows,
    rows.groups,
    target.missing_labels,
    rows.label_conflicts,
    target.target_leaks,
    numbers.two_units,
    numbers.outliers,
    missing.missing_pattern,
    missing.missing_values,
    target.imbalance,
    names.padded_names,
)
BETWEEN = (
    second.other_columns,
    second.overlap,
    second.shared_groups,
    second.shifts,
    second.unseen,
)
