"""Judge the audit by planted tables: ``python -m benchmarks.planted --seeds 0 1``."""

import argparse
from itertools import chain

from . import KINDS, cases, clean
from .judge import Score


def main():
    """Print one table of all kinds, and on request what was missed and wrongly said."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="ten tables a kind each")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, metavar="KIND", help="only these")
    parser.add_argument("--show", action="store_true", help="misses and false alarms, too")
    args = parser.parse_args()
    score = Score()
    for seed in args.seeds:
        for case in chain(cases(seed, args.kinds), clean(seed)):
            score.add(case)
    print(score.table(args.kinds or KINDS))
    for kind, words in score.words.items() if args.show else ():
        if words:
            print("", f"{kind}:", *words, sep="\n")


if __name__ == "__main__":
    main()
