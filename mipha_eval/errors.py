"""The one error that a user can mend."""


class UserError(Exception):
    """Bad input or a broken surrounding: the message names the thing and says how to mend it, in one line."""
