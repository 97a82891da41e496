"""A new model: an adapter that answers at once, and a test."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.authoring.new.draft import Draft, rendered, words_of
from mipha_eval.authoring.new.names import Names, checked_names


def model_draft(name: str) -> Draft:
    """The files of a new model. Raises UserError for a name that cannot be used."""
    names = checked_names(name, "model")
    owner = model_class(names)
    file, test = f"{names.module}.py", f"test_{names.module}.py"
    plugin = ("--plugin", Path(file))
    return Draft(
        {file: model_code(names, owner), test: model_test(names.module, owner)},
        {
            "look": ("mipha-eval", "show", "model", name, *plugin),
            "check": ("mipha-eval", "check", "model", name, *plugin),
            "test": ("python", "-m", "pytest", Path(test)),
            "run": ("mipha-eval", "run", "--tasks", "gqa", "--data", "demo", "--model", name, *plugin),
        },
    )


def model_class(names: Names) -> str:
    return names.class_name("Model", words_of("model.py.j2") | words_of("test_model.py.j2"))


def model_code(names: Names, owner: str) -> str:
    """The adapter's own file."""
    return rendered("model.py.j2", names=names, owner=owner)


def model_test(module: str, owner: str) -> str:
    """A test of the adapter that `module` has."""
    return rendered("test_model.py.j2", module=module, owner=owner)
