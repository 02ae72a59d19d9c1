"""`flashback weights`: the base weights of `lite`, converted once, with its progress shown."""

from pathlib import Path

from rich.console import Console

from model.errors import ModelUnavailable
from model.zoo.lite_base import base_folder, convert
from web.errors import Failed

_screen = Console(stderr=True, highlight=False)


def run_weights(cache: Path) -> None:
    """Convert the weights into `cache`, unless they are there.

    Raises:
        Failed: If the packages that carry them are not installed, or the cache cannot be written.
    """
    with _screen.status("Looking at the base weights…") as status:
        try:
            folder = convert(base_folder(cache), status.update)
        except ModelUnavailable as error:
            raise Failed(str(error)) from None
        except OSError as error:
            raise Failed(
                f"{error.filename} cannot be used ({error.strerror}): set FLASHBACK_CACHE to a folder "
                "that can be written to"
            ) from None
    _screen.print(f"The base weights are in {folder}.")
