#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every translation is complete and sound, and holds nothing that no source says any more."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
PO = TOP / "po"
sys.path[:0] = [str(TOP / "tests" / "e2e")]

import tap

# As Meson's preset for GLib has them.
KEYWORDS = ("_", "N_", "C_:1c,2", "NC_:1c,2", "g_dcgettext:2", "g_dngettext:2,3", "g_dpgettext2:2c,3")
# The rules for these come with polkit's headers, which nothing here needs.
TRANSLATED_IN_POLICIES = {"description", "message"}


def run(*arguments):
    """Standard output and error of a program, which must go well."""
    done = subprocess.run([str(argument) for argument in arguments], cwd=TOP, capture_output=True, text=True,
                          check=False, env={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"})
    tap.equal(done.returncode, 0, f"{arguments[0]}: {done.stderr}; its exit code")
    return done.stdout + done.stderr


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def template(folder):
    """All strings of the sources that POTFILES names."""
    names = (PO / "POTFILES").read_text().split()
    policies = [name for name in names if name.endswith(".policy.in")]
    pot = folder / "weir.pot"
    run("xgettext", "--from-code=UTF-8", "--add-comments", "--output", pot, *[f"--keyword={word}" for word in KEYWORDS],
        *[name for name in names if name not in policies])
    with pot.open("a") as file:
        for text in sorted({element.text for name in policies for element in ElementTree.parse(TOP / name).iter()
                            if element.tag in TRANSLATED_IN_POLICIES}):
            file.write(f'\nmsgid {quote(text)}\nmsgstr ""\n')
    return pot


def entries(folder, language, *attributes):
    """Originals of those entries of a translation that have one of these attributes."""
    merged = folder / f"{language}.po"
    run("msgmerge", "--quiet", "--no-fuzzy-matching", "--output", merged, PO / f"{language}.po", folder / "weir.pot")
    text = run("msgattrib", *attributes, "--no-wrap", "--no-location", merged)
    return [found for found in re.findall(r'^(?:#~ )?msgid (".+")$', text, re.MULTILINE) if found != '""']


@tap.case("every string of the sources has a translation, and every translation a source")
def complete():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        template(folder)
        for language in (PO / "LINGUAS").read_text().split():
            for attribute in ("--untranslated", "--only-fuzzy", "--only-obsolete"):
                tap.equal(entries(folder, language, attribute), [], f"{language}, {attribute}")


@tap.case("what stands for figures and names is the same in both languages")
def sound():
    for language in (PO / "LINGUAS").read_text().split():
        tap.equal(run("msgfmt", "--check", "--output-file=/dev/null", PO / f"{language}.po"), "", "msgfmt")


@tap.case("a key to press is one letter of its words, once in each string")
def mnemonics():
    for language in (PO / "LINGUAS").read_text().split():
        text = run("msgcat", "--no-wrap", PO / f"{language}.po")
        for original, found in re.findall(r'^msgid "(.*)"\nmsgstr "(.*)"$', text, re.MULTILINE):
            if re.fullmatch(r"[^_]*_[A-Z][^_]*", original) and "%" not in original and "XDG" not in original:
                tap.equal(len(re.findall(r"_\w", found)), 1, f"{language}: keys in {found!r}")


tap.run()
