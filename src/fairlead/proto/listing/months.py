"""What servers call the months: the short names of ``ls`` in their languages, as UTF-8 or in an older encoding."""

from __future__ import annotations

_NAMES = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "de": "jan feb mär apr mai jun jul aug sep okt nov dez",
    "fr": "janv févr mars avr mai juin juil août sept oct nov déc",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "sv": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "nb": "jan feb mars april mai juni juli aug sep okt nov des",
    "fi": "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "hu": "jan febr márc ápr máj jún júl aug szept okt nov dec",
    "tr": "oca şub mar nis may haz tem ağu eyl eki kas ara",
    "ru": "янв фев мар апр мая июн июл авг сен окт ноя дек",
}
"""By language. Two languages may share a name, but no name means two months."""
_OTHERS = {
    "jän": 1, "fév": 2, "fevr": 2, "fev": 2, "mrz": 3, "märz": 3, "avril": 4, "june": 6, "july": 7,
    "aou": 8, "aoû": 8, "aout": 8, "sept": 9, "oktober": 10, "dec": 12, "май": 5, "июня": 6, "июля": 7,
    "сент": 9, "нояб": 11,
}  # fmt: skip
_ENCODINGS = ("iso-8859-1", "iso-8859-2", "cp1250", "iso-8859-9", "koi8-r", "cp1251", "iso-8859-5", "cp866")


def _table() -> dict[str, int]:
    named = [(name, at + 1) for names in _NAMES.values() for at, name in enumerate(names.split())]
    table = dict([*named, *_OTHERS.items()])
    for name, month in list(table.items()):
        # Octets that are no UTF-8 reach us as surrogates; no case can be folded in them, so both are in the table
        for form in () if name.isascii() else (name, name.capitalize()):
            for encoding in _ENCODINGS:
                octets = form.encode(encoding, "ignore")
                if octets.decode(encoding) == form:
                    table.setdefault(octets.decode("utf-8", "surrogateescape").lower(), month)
    return table


MONTHS_BY_NAME = _table()
"""Lower-case names, without a full stop, to 1 to 12."""
