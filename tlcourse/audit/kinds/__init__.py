"""The checks, by what they look at; here they stand in the order in which to act on what they find.

What `FIRST` finds changes the names by which all other lines ask. `COMMON` looks for rows of one table
in the other: that comes before cells are mended in one of them. `LAST` drops columns and changes names,
when no other line asks for them any more; `second.other_columns` comes after all.
"""

from tlcourse.audit.kinds import cells, missing, names, numbers, pairs, rows, second, target

FIRST = (names.no_header, names.shared_names)
COMMON = (second.overlap, second.shared_groups)
CHECKS = (
    missing.missing_words,
    cells.text_among_numbers,
    cells.numbers_as_text,
    cells.spellings,
    cells.mixed_dates,
    cells.infinities,
    missing.missing_codes,
    rows.duplicate_rows,
    rows.groups,
    target.missing_labels,
    rows.label_conflicts,
    numbers.two_units,
    numbers.outliers,
    missing.missing_pattern,
    missing.missing_values,
    target.imbalance,
)
BETWEEN = (second.shifts, second.unseen)  # with a second table
LAST = (
    target.target_leaks,
    pairs.say_the_same,
    pairs.constants,
    pairs.identifiers,
    names.padded_names,
)
