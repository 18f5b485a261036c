"""Lines of a listing that tell of no entry: totals, headings of columns, rules, the directory's name.

Whoever concludes from a listing what is not there has to know that every other line was understood.
"""

from __future__ import annotations

import re

from fairlead.proto.listing.dialects import mlsx

_TOTALS = (
    "total", "totaal", "totale", "totalt", "celkem", "i alt", "insgesamt", "összesen", "razem", "toplam", "yhteensä",
    "σύνολο", "всього", "загалом", "итого", "合計", "总用量", "總計", "합계", "총계",
)  # fmt: skip
"""What ``ls`` calls the blocks of a directory, in the languages that it speaks."""

_HEADING = rf"""
    (?: {"|".join(map(re.escape, _TOTALS))} ) [ ]? [:：]? [ ]{{0,20}} [0-9][0-9.,]{{0,24}} [KMGTP]?
    | [- ]{{4,200}}                                       # a rule below the names of columns
    | size [ ]+ date [ ]+ time [ ]+ name                  # VxWorks
    | (?: Directory [ ] )? \S{{1,255}}:\[ [^]]{{1,255}} \] # VMS
    | (?: Grand [ ] )? total [ ] of [ ] [0-9]{{1,10}} [ ] (?:file|director).{{0,100}}
    | Volume [ ]+ Unit [ ]+ (?:Referred|Date) [ ] .{{1,100}} Dsname
    | Name [ ]+ (?: VV\.MM [ ]+ Created | Size [ ]+ TTR ) [ ] .{{1,100}}
    | JOBNAME [ ]+ JOBID .{{0,100}}
    | [0-9]{{1,10}} [ ] spool [ ] files?
    | File [ ]+ Code [ ]+ EOF .{{0,100}}                  # HP NonStop
    """


def is_heading(line: str) -> bool:
    """Whether ``line``, which no dialect reads, tells of no entry."""
    text = line.strip()
    return not text or mlsx.is_heading(text) or re.fullmatch(_HEADING, text, re.IGNORECASE | re.VERBOSE) is not None
