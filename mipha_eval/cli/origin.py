"""Where the value of a flag comes from, if nobody typed it: a line of a file, or a variable of the environment."""

from __future__ import annotations

import os

from typer._click.core import Context
from typer._click.globals import get_current_context
from typer.core import TyperArgument, TyperOption

from mipha_eval.cli.flag_groups import variables
from mipha_eval.core.errors import UserError

#: says in a context where a file says what, by the names of parameters
PLACES = "mipha_eval.places"
#: the parameter with options of models and tasks, of which some have flags, too
OPTIONS = "options"


def placed(error: UserError) -> UserError:
    """With the place of the value that is wrong, in place of the flag that would mend it; while the verb runs."""
    context = get_current_context(silent=True)
    flag = error.flag.partition(" ")[0]
    if context is not None and flag:
        params = {name: each for each in context.command.get_params(context) for name in each.opts}
        param = params.get(flag)
        error.flag = (isinstance(param, TyperOption) and origin(param, context)) or error.flag
    return error


def origin(param: TyperOption | TyperArgument, context: Context) -> str:
    """A line of a file or a variable; "" for what is typed, or left out."""
    source = context.get_parameter_source(param.name)
    places = context.meta.get(PLACES, {})
    if source is None or source.name == "COMMANDLINE":
        return ""
    if source.name == "ENVIRONMENT" and isinstance(param, TyperOption):
        variable = next((each for each in variables(param, context.auto_envvar_prefix) if os.environ.get(each)), None)
        return f"environment variable {variable}" if variable else ""
    if source.name == "DEFAULT_MAP":
        return str(places.get(param.name, ""))
    options = context.get_parameter_source(OPTIONS)  # an option that also has a flag of its own
    return str(places.get(OPTIONS, "")) if options is not None and options.name == "DEFAULT_MAP" else ""
