"""VQAv2's soft accuracy of an answer against the answers that people gave.

Follows PythonEvaluationTools/vqaEvaluation/vqaEval.py of GT-Vision-Lab/VQA, for annotations in which every person has an
answer_id of their own: each person in turn is left out, and the answer is worth a third for each of the others who gave
it, at most 1. Nothing is normalised where all people wrote the same, so case counts there. With fewer than four people
no answer reaches 1; with one it is always worth 0. VLMEvalKit, lmms-eval and EvalAI's scripts always normalise, EvalAI's
and lmms-eval's by further rules (normalise_evalai in vqa_text.py).
"""

from .vqa_text import leave_one_out, normalise_vqa, without_breaks

SOURCE = "GT-Vision-Lab/VQA@a013f0043c1e"


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """The mean over people left out."""
    text, people = without_breaks(answer), [without_breaks(one) for one in answers]
    if len(set(people)) > 1:
        text, people = normalise_vqa(text), [normalise_vqa(one) for one in people]
    return leave_one_out(text, people)
