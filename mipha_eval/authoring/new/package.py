"""A new package: a benchmark and a model that `pip install` brings to `mipha-eval list`, with tests and a workflow."""

from __future__ import annotations

from pathlib import Path

import mipha_eval
from mipha_eval.authoring.new.draft import Draft, rendered
from mipha_eval.authoring.new.model import model_class, model_code, model_test
from mipha_eval.authoring.new.names import checked_names, named
from mipha_eval.authoring.new.task import DEFAULT_KIND, example_files, rule_of, task_class, task_code, task_test

MODEL = "-model"  # what the model's name has behind the package's
DATA = "data"  # the folder with the questions, inside the package

#: template -> place in the package's folder
PLACES = {
    "pyproject.toml.j2": "pyproject.toml",
    "README.md.j2": "README.md",
    "LICENSE.j2": "LICENSE",
    "gitignore.j2": ".gitignore",
    "tests.yml.j2": ".github/workflows/tests.yml",
    "package.py.j2": "src/{module}/__init__.py",
}


def package_draft(name: str, kind: str = DEFAULT_KIND) -> Draft:
    """The files of a new package.

    Args:
        kind: of its benchmark's questions, or the name of a stock scorer.

    Raises:
        UserError: the name cannot be used, or there is no such kind.
    """
    names, rule = checked_names(name, "package"), rule_of(kind)
    model = named(name + MODEL)
    task_owner, model_owner = task_class(names), model_class(model)
    values = {"names": names, "model": model.plain, "task_owner": task_owner, "model_owner": model_owner}
    inside = f"src/{names.module}"
    files = {
        place.format(module=names.module): rendered(template, **values, version=mipha_eval.__version__)
        for template, place in PLACES.items()
    }
    files |= {
        f"{inside}/py.typed": "",
        f"{inside}/task.py": task_code(names, task_owner, rule, DATA),
        f"{inside}/model.py": model_code(model, model_owner),
        "tests/test_task.py": task_test(f"{names.module}.task", task_owner, rule),
        "tests/test_model.py": model_test(f"{names.module}.model", model_owner),
    }
    example = {f"{inside}/{place}": content for place, content in example_files(rule, DATA).items()}
    return Draft(
        {f"{name}/{place}": content for place, content in {**files, **example}.items()},
        {
            "install": ("python", "-m", "pip", "install", "-e", Path(name)),
            "look": ("mipha-eval", "list"),
            "check": ("mipha-eval", "check", "task", name),
            "test": ("python", "-m", "pytest", Path(name)),
            "run": ("mipha-eval", "run", "--tasks", name, "--model", model.plain),
        },
    )
