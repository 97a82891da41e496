"""MMBench's and ScienceQA's reading rules as they read, step by step."""

from __future__ import annotations

import re


def mmbench_letter(answer: str, options: dict[str, str]) -> str:
    """The letter, Z, or "" where a judge would be asked."""
    if "Failed to obtain answer via API" not in answer:
        refusals = ["Sorry, I can't help with images of people yet.", "I can't process this file."]
        refusals += ["I'm sorry, but without the image provided", "Cannot determine the answer"]
        if [refusal for refusal in refusals if refusal in answer]:
            return "Z"
        blanked = answer
        for mark in ".()[],:;!*#{}":
            blanked = blanked.replace(mark, " ")
        tokens = blanked.split()
        hits = [letter for letter in options if letter in tokens]
        if len(hits) == 1 and tokens.index(hits[0]) > len(tokens) - 5:
            return hits[0]
        if not hits and "Z" in tokens:
            return "Z"
        bold = re.search(r"(?i)(correct )?answer is \*\*([A-Z])\*\*", answer)
        if bold and bold.group(2).upper() in options:
            return bold.group(2).upper()
    lowered = answer.lower()
    if len(lowered) > 2 * sum(len(text) for text in options.values()):
        return ""
    found = [letter for letter in options if options[letter].lower() in lowered]
    return found[0] if len(found) == 1 else ""


def scienceqa_index(text: str, choices: int) -> int:
    """The index of the chosen option, or -1."""
    letters = ["A", "B", "C", "D", "E"]
    if text in letters:
        answer = text
    elif len(text) >= 3 and text[0] in letters and text[1:3] == ". ":
        answer = text[0]
    else:
        stated = re.compile(r"The answer is ([A-Z]).").findall(text)
        answer = stated[0] if len(stated) == 1 else "FAILED"
    return letters.index(answer) if answer in letters[:choices] else -1
