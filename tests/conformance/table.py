#!/usr/bin/env python3
"""The table of normative statements in README.md, out of statements.txt and the cases that name them.

    table.py --write | --check

statements.txt has a line a statement: specification, id, whom it binds, and, where no case shows it, a note:
`test PATH [NAME]` (NAME must stand in that file; several behind `; `, the last may be `but: WORDS`), `not: REASON` (it does not apply),
or `open: REASON` (nothing shows it yet). A statement that binds a server needs a case or a note."""
import json, pathlib, re, sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COUNTS = {"3.1.1": 141, "5.0": 251}  # of the OASIS texts


def read_statements(breaches):
    out = {}
    for number, line in enumerate((HERE / "statements.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, 3)
        if len(words) < 3 or words[0] not in COUNTS or words[2] not in ("Both", "Server", "Client"):
            breaches.append(f"statements.txt:{number}: {line}")
            continue
        key = (words[0], words[1])
        if key in out:
            breaches.append(f"statements.txt:{number}: {key} is there twice")
        out[key] = (words[2], words[3] if len(words) > 3 else "")
    for spec, count in COUNTS.items():
        have = sum(1 for key in out if key[0] == spec)
        if have != count:
            breaches.append(f"statements.txt: {have} statements of {spec}, there are {count}")
    return out


def read_cases(breaches):
    """(specification, id) -> names of cases"""
    shown = {}
    for file in sorted((HERE / "cases").glob("*.json")):
        for case in json.loads(file.read_text()):
            levels = case.get("levels", [4, 5])
            for spec, field, level in (("3.1.1", "shows4", 4), ("5.0", "shows5", 5)):
                for id in case.get("shows", []) + case.get(field, []):
                    if level in levels:
                        shown.setdefault((spec, "MQTT-" + id), []).append(case["name"])
                    elif id in case.get(field, []):
                        breaches.append(f"{file.name}: {case['name']} says it shows {spec} {id}, but is not played at that level")
    return shown


def tests_of(note, key, breaches):
    return "; ".join(each if each.startswith("but: ") else test_of(each, key, breaches) for each in note.split("; "))


def test_of(note, key, breaches):
    match = re.fullmatch(r"test (\S+)(?: (\S+))?", note)
    if not match:
        breaches.append(f"statements.txt: {key}: {note}")
        return note
    path, name = match[1], match[2]
    if not (ROOT / path).is_file():
        breaches.append(f"statements.txt: {key}: no file {path}")
    elif name and name not in (ROOT / path).read_text():
        breaches.append(f"statements.txt: {key}: {path} has no {name}")
    return path + (f" ({name})" if name else "")


def rows(breaches):
    statements, shown = read_statements(breaches), read_cases(breaches)
    for key in sorted(shown.keys() - statements.keys()):
        breaches.append(f"{shown[key][0]}: there is no statement {key}")
    out = []
    for key, (binds, note) in statements.items():
        cell = ", ".join(f"`{name}`" for name in shown.get(key, []))
        if note.startswith("not: "):
            if cell:
                breaches.append(f"{key}: a case shows it, and the note says why not")
            cell = "does not apply: " + note[5:]
        elif note.startswith("open: "):
            if cell:
                breaches.append(f"{key}: a case shows it, and the note says that it is open")
            cell = "**not shown yet**: " + note[6:]
        elif note:
            cell = (cell + "; " if cell else "") + tests_of(note, key, breaches)
        if not cell and binds == "Client":
            cell = "does not apply: binds the client"
        if not cell:
            breaches.append(f"{key[0]} {key[1]}: no case and no note")
        out.append(f"| {key[0]} | {key[1]} | {cell} |")
    return out


def main():
    breaches = []
    table = "\n".join(["| of | statement | shown by |", "|---|---|---|", *rows(breaches)])
    readme = HERE / "README.md"
    head, begin, _ = readme.read_text().partition("<!-- table.py -->\n")
    whole = head + begin + table + "\n"
    if sys.argv[1:] == ["--write"] and not breaches:
        readme.write_text(whole)
    elif not breaches and readme.read_text() != whole:
        breaches.append("README.md: the table is not what table.py --write makes")
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


sys.exit(main())
