"""What can go wrong without being a bug."""


class UserError(Exception):
    """Bad input or a broken surrounding: the message names the thing and says how to mend it, in one line.

    Attributes:
        flag: what mends it on a command line, which the command line adds to the message.
    """

    def __init__(self, message: str, *, flag: str = "") -> None:
        super().__init__(message)
        self.flag = flag


class MissingDataError(UserError):
    """A benchmark's files are not where they are looked for."""


class ControlError(UserError):
    """A control that changes nothing of a task's questions, such as grey pictures where there are none."""


class RowError(UserError):
    """A row of a benchmark's file that is not as it should be; the message begins with its place."""


class PluginError(UserError, RuntimeError):
    """A plugin's code failed, ended the program, or handed over what it may not: its file and line are named."""


class UserInterruptError(KeyboardInterrupt):
    """Ctrl-C, as opposed to a KeyboardInterrupt that somebody's code raises."""


class GivenUpError(UserInterruptError):
    """Work that takes long beside the model was left undone, since Ctrl-C asked to stop; the next command does it."""


class RequestError(Exception):
    """One request cannot be answered (an image is broken, a text cannot be tokenized); the others can."""


class DeviceMemoryError(Exception):
    """The device's memory does not hold a batch; smaller ones may fit."""


class ContractError(RuntimeError):
    """An adapter returned something else than a response to each request: a bug of the adapter."""
