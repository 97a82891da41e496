"""lmms-eval's EvalAIAnswerProcessor, without importing the rest of that package."""

import importlib.util
from collections.abc import Callable
from pathlib import Path


def answer_processor() -> Callable[[str], str]:
    """Raises ModuleNotFoundError where lmms-eval is not installed."""
    package = importlib.util.find_spec("lmms_eval")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("lmms-eval is not installed")
    file = Path(package.origin).parent / "tasks" / "_task_utils" / "vqa_eval_metric.py"
    spec = importlib.util.spec_from_file_location("lmms_eval_vqa", file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"lmms-eval has no {file.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    processor: Callable[[str], str] = module.EvalAIAnswerProcessor()
    return processor
