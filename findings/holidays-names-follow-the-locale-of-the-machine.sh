#!/usr/bin/env bash
# holidays 0.109: what a holiday is called depends on the locale of the machine, where no language is named.
#
# One would write from memory: without `language=` the names are in the entity's own language, which is what its
# `default_language` says (zh_CN for China, de for Germany), or in English; in either case the same wherever the code runs.
# Seen: they go through gettext with the locale of the process. With LANG=C.UTF-8, which most containers have, New Year's Day of
# China is called "New Year's Day" and Christmas in Germany "Christmas Day". With LANG=de_DE.UTF-8 (which need not be installed)
# they are "元旦" and "Erster Weihnachtstag": no translation of China's is German, so the source texts remain. `language` of the
# object is None in both. Two processes of one service in other containers so tell other names, and rules that look for a name
# (`get_named`, `get_closest_holiday(…)`) find a day on one and nothing on the other.
#
# So whoever stores, compares or shows names gives `language=`; `default_language` of the object is the entity's own.
#
# Source: holidays/holiday_base.py (`_init_translation`). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check holidays==0.109

cat >"$place/look.py" <<'PY'
from datetime import date

from holidays import country_holidays

china, germany = country_holidays("CN"), country_holidays("DE")
said = country_holidays("CN", language=china.default_language)
found = "Weihnacht"
print(
    china.language,
    china.default_language,
    china[date(2026, 1, 1)],
    germany[date(2026, 12, 25)],
    said[date(2026, 1, 1)],
    len(country_holidays("DE", years=2026).get_named(found)),
    sep="; ",
)
PY

look() {
    env -u LANGUAGE -u LC_ALL -u LC_MESSAGES LANG="$1" PYTHONUTF8=1 "$place/venv/bin/python" "$place/look.py"
}

plain="$(look C.UTF-8)"
german="$(look de_DE.UTF-8)"
printf 'LANG=C.UTF-8      %s\nLANG=de_DE.UTF-8  %s\n' "$plain" "$german"
[ "$plain" = "None; zh_CN; New Year's Day; Christmas Day; 元旦; 0" ] || { echo "it changed: look whether the finding still holds" >&2; exit 1; }
[ "$german" = "None; zh_CN; 元旦; Erster Weihnachtstag; 元旦; 2" ] || { echo "it changed: look whether the finding still holds" >&2; exit 1; }
echo "As described."
