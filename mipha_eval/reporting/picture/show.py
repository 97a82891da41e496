"""Pictures on a console, each in the way that was chosen for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mipha_eval.core.printable import printable
from mipha_eval.core.types import Image
from mipha_eval.data.images import ImageError, open_image
from mipha_eval.reporting.picture.way import Way
from mipha_eval.reporting.terminal import print_lines, print_styled

if TYPE_CHECKING:
    from rich.console import Console

INDENT = "  "


def show_picture(console: Console, image: Image, way: Way) -> None:
    """Prints a picture below its name; one that cannot be read, why not."""
    if way in ("path", "none"):
        print_lines(console, [f"{INDENT}picture: {printable(image.location if way == 'path' else image.name)}"])
        return
    print_lines(console, [f"{INDENT}picture: {printable(image.name)}"])
    try:
        picture = open_image(image)
    except ImageError as error:
        print_lines(console, [f"{INDENT * 2}{printable(str(error))}"])
        return
    columns = max(1, console.width - len(INDENT) - 1)
    if way == "blocks":
        from rich.text import Text

        from mipha_eval.reporting.picture.blocks import half_blocks

        print_styled(console, (Text.assemble(INDENT, line) for line in half_blocks(picture, columns)))
    elif way == "kitty":
        from mipha_eval.reporting.picture.kitty import kitty_commands

        console.file.write(f"{INDENT}{kitty_commands(picture, columns)}\n")
    else:
        from mipha_eval.reporting.picture.sixel import sixels

        console.file.write(f"{INDENT}{sixels(picture, columns)}\n")
