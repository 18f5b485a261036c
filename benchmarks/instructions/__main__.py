"""``python -m benchmarks.instructions``: count, compare with the reference; ``--write`` makes a new reference."""

from __future__ import annotations

import argparse
import sys

from benchmarks.instructions.count import CountError, count
from benchmarks.instructions.reference import growth, read_reference, worse, write_reference


def main() -> int:
    """Show each count; exit status 1 where one is worse than the reference, 2 where nothing can be counted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the counts as the reference")
    arguments = parser.parse_args()
    try:
        counts = count()
    except CountError as error:
        print(f"instructions: {error}", file=sys.stderr)
        return 2
    if arguments.write:
        write_reference(counts)
    reference = read_reference()
    ratios = growth(reference, counts)
    for way, each in counts.items():
        for name, value in each.items():
            ratio = ratios.get((way, name))
            print(f"{way:<12} {name:<16} {value:9.2f} {f'{ratio:.3f} × reference' if ratio else 'new'}")
    complaints = worse(reference, counts)
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
