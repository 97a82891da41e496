"""A model as it is typed: its name, or the checkpoint that it is to run, from which the name follows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mipha_eval.core.errors import PluginError, UserError
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.plugin_code import plain_name
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model


def model_by_name(name: str, options: Mapping[str, str], registry: Registry, *, as_published: bool = False) -> Model:
    """A model by its name, or by a checkpoint's folder or name on the hub: the same as the model that runs it, with `path`.

    Raises:
        UserError: there is no such model; an option does not exist, does not fit or is missing; or nobody can tell by its
            settings which model runs a checkpoint.
    """
    if _is_path(name, registry):
        if "path" in options:
            raise UserError(f"model {name} is a checkpoint, and option path names another; leave out one of the two")
        name, options = _running(name, options), {"path": name, **options}
    else:
        _check_known(name, registry)
    return build_model(name, options, registry, as_published=as_published)


def usual_data(name: str, registry: Registry) -> str:
    """The data source that a model's preset is made for; "" for none. Raises UserError if there is no such model."""
    if _is_path(name, registry):
        return ""
    _check_known(name, registry)
    preset = registry.preset(name)
    return preset.data if preset else ""


def _is_path(name: str, registry: Registry) -> bool:
    """Whether a model is named by its checkpoint."""
    known = plain_name(name) in registry.names("model_adapters")
    return not known and ("/" in name or Path(name).expanduser().exists())


def _check_known(name: str, registry: Registry) -> None:
    """Raises UserError for a model that there is not, or whose file is broken."""
    try:
        registry.plugin("model_adapters", name)
    except PluginError:
        raise
    except UserError as error:
        error.flag = error.flag or "--model"
        raise


def _running(path: str, options: Mapping[str, str]) -> str:
    """The name of the model that runs a checkpoint."""
    if Path(path).expanduser().is_file():
        raise UserError(f"{path} is a file; a model is a name or a checkpoint's folder, and answers of one are scored")
    from mipha_eval.models.checkpoint_folder import is_hub_name, locate_checkpoint
    from mipha_eval.models.inspection.which_model import sure_model_for

    pickled = options.get("allow_bin") == "true"
    if not is_hub_name(path) and not Path(path).expanduser().is_dir():
        raise UserError(f"there is no model {path}, and no such checkpoint folder", flag="--model")
    return sure_model_for(locate_checkpoint(path, options.get("revision"), pickled=pickled))
