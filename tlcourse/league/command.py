"""``python -m tlcourse league``: print the league table, and what the headline methods do elsewhere."""

import argparse

from tlcourse import league
from tlcourse.league import travel

BLOCKS = {"methods": league.BLOCK, "travel": travel.BLOCK}


def main() -> None:
    """Print the league table and how its headline methods travel; or measure a new block."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse league", description=main.__doc__)
    parser.add_argument(
        "--measure",
        nargs="?",
        const="all",
        choices=["all", *BLOCKS],
        help="measure and store the blocks that are not stored yet (about 40 minutes of CPU)",
    )
    part = parser.parse_args().measure
    try:
        if part:
            measure(part)
        else:
            print(league.table())
            print()
            print(travel.table())
    except (FileExistsError, FileNotFoundError) as error:
        parser.error(str(error))


def measure(part: str) -> None:
    """Measure one of `BLOCKS`, or all that are not stored yet.

    Raises
    ------
    FileExistsError
        If everything asked for is stored already.
    """
    asked = [BLOCKS[part]] if part != "all" else list(BLOCKS.values())
    for block in [b for b in asked if not b.path.exists()] or asked[:1]:
        print(block.confirm())
