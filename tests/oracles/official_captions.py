"""Caption measures by pycocoevalcap's own classes: each is given the whole set and gives its number."""

from pathlib import Path
from typing import Any

from .answer_file import read_answers, read_json
from .captions import words_of
from .verdict import Verdict


def score_captions(annotations: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are image ids against a file in COCO's format."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    content: dict[str, Any] = read_json(annotations)
    references: dict[str, list[str]] = {}
    for row in content["annotations"]:
        references.setdefault(str(row["image_id"]), []).append(" ".join(words_of(row["caption"])))
    lines = read_answers(answers)
    truths = {line.question_id: references[line.question_id] for line in lines}
    candidates = {line.question_id: [" ".join(words_of(line.text))] for line in lines}
    cider, each = Cider().compute_score(truths, candidates)
    rouge, _ = Rouge().compute_score(truths, candidates)
    bleu, _ = Bleu(4).compute_score(truths, candidates, verbose=0)
    metrics = {"CIDEr[treebank]": 100.0 * float(cider), "ROUGE_L[treebank]": 100.0 * float(rouge)}
    metrics |= {f"BLEU-{order}[treebank]": 100.0 * float(value) for order, value in enumerate(bleu, start=1)}
    return Verdict([float(value) / 10.0 for value in each], metrics)
