"""The checks, by what they look at; here they stand in the order in which to act on what they find.

What `FIRST` finds changes the names by which all other lines ask. `LAST` drops columns and changes
names, when no other line asks for them any more.
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
BETWEEN = (  # with a second table; `second.other_columns` is the last of all
    second.overlap,
    second.shared_groups,
    second.shifts,
    second.unseen,
)
LAST = (
    target.target_leaks,
    pairs.say_the_same,
    pairs.constants,
    pairs.identifiers,
    names.padded_names,
)
