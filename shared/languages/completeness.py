"""What is wrong with a catalogue: keys, placeholders and plural forms, against the catalogue of the source. Pure."""

from collections.abc import Iterator

from babel import Locale

from shared.languages.catalogue import COUNT, NAME, PLACEHOLDER, Catalogue, Text


def faults_of(catalogue: Catalogue, source: Catalogue) -> list[str]:
    """Every fault, a line each: texts that lack or that nobody says, other placeholders than the source has, plural
    forms that the language does not have or that lack, and texts that are none."""
    own, wanted = catalogue.texts, source.texts
    return [
        *(f"{key}: lacks" for key in sorted({*wanted, NAME} - own.keys())),
        *(f"{key}: is not in {source.language}" for key in sorted(own.keys() - wanted.keys())),
        *(
            f"{key}: {fault}"
            for key, text in sorted(own.items())
            for fault in (*_other_placeholders(text, wanted.get(key, text)), *_faults_of(text, catalogue.locale))
        ),
    ]


def forms_of(locale: Locale) -> set[str]:
    """The plural categories of a language (CLDR)."""
    return {*locale.plural_form.tags, "other"}


def placeholders_of(text: Text) -> set[str]:
    """The names of the values that a text takes."""
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for name in PLACEHOLDER.findall(form)}


def _other_placeholders(text: Text, source: Text) -> Iterator[str]:
    told, wanted = placeholders_of(text), placeholders_of(source)
    yield from (f"lacks {{{name}}}" for name in sorted(wanted - told))
    yield from (f"has {{{name}}}, which nobody gives" for name in sorted(told - wanted))


def _faults_of(text: Text, locale: Locale) -> Iterator[str]:
    if not isinstance(text, str):
        forms, given = forms_of(locale), text.keys()
        yield from (f"lacks the plural form {form}" for form in sorted(forms - given))
        yield from (f"has the plural form {form}, which the language has not" for form in sorted(given - forms))
        names = placeholders_of(text)
        if COUNT not in names:
            yield f"has plural forms without {{{COUNT}}}"
        for form, sentence in sorted(text.items()):
            lost = names - placeholders_of(sentence) - {COUNT}
            yield from (f"its plural form {form} lacks {{{name}}}" for name in sorted(lost))
    for sentence in [text] if isinstance(text, str) else text.values():
        if not sentence.strip() or sentence != sentence.strip():
            yield "is empty, or begins or ends with a space"
        if set("{}") & set(PLACEHOLDER.sub("", sentence)):
            yield "has a brace that belongs to no placeholder"
