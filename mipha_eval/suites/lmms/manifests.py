"""What lmms-eval finds by its entry points ``lmms_eval.models``: our models, by the names that its ``--model`` takes."""

from __future__ import annotations

from typing import Any

#: name -> the classes of its two kinds of requests, which are imported when the model is chosen
MODELS = {
    "mipha": ("mipha_eval.suites.lmms.models.Mipha", "mipha_eval.suites.lmms.models.MiphaChat"),
    "mipha_eval": ("mipha_eval.suites.lmms.models.MiphaEval", "mipha_eval.suites.lmms.models.MiphaEvalChat"),
}


def manifests() -> list[Any]:
    """lmms-eval's own records of these models; it calls this while it is imported itself."""
    from lmms_eval.models.registry_v2 import ModelManifest

    return [
        ModelManifest(model_id=name, simple_class_path=simple, chat_class_path=chat)
        for name, (simple, chat) in MODELS.items()
    ]
