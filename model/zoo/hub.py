"""Where a released checkpoint lies: a folder of the user's, or one fetched from the model hub.

Only what we read is fetched: settings, tokenizer and safetensors. Neither pickled weights nor
the code that the authors ship beside them ever reach this machine.

Source: https://huggingface.co/docs/huggingface_hub/guides/download.
"""

from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # of whichever HTTP library the hub's client uses
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from model.errors import ModelUnavailable
from model.zoo.released import RELEASED

_SMALL = ("*.json", "merges.txt", "vocab.txt")
"""What says which network it is, and how to speak to it."""
_WEIGHTS = ("*.safetensors",)


def locate(
    name: str,
    *,
    weights: bool = True,
    revision: str | None = None,
    offline: bool = False,
    endpoint: str | None = None,
    cache: Path | None = None,
) -> Path:
    """Return the folder of the checkpoint called `name`, fetching it if need be.

    Args:
        name: A folder, the name of a released model (`flash-2b`), or a hub id (`OWNER/NAME`).
        weights: Whether the weights are wanted, too, or only the small files beside them.
        revision: Which state of a hub id, such as the name of the folder that was returned before;
            None is the newest.
        offline: Use only what was fetched before.
        endpoint: Address of the hub; None is the public one, or what `HF_ENDPOINT` says.
        cache: Where to keep what is fetched; None is the cache that all hub tools share.

    Raises:
        ModelUnavailable: With a sentence that says why and what to do.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    known = name in RELEASED
    if known or (name.count("/") == 1 and not name.startswith((".", "/", "~"))):
        return _fetch(
            RELEASED[name].hub_id if known else name,
            [*_SMALL, *(_WEIGHTS if weights else ())],
            revision=revision,
            local_files_only=offline,
            endpoint=endpoint,
            cache_dir=cache,
        )
    raise ModelUnavailable(
        f"there is no folder {name!r}, and it is not a released model; "
        f"give a folder, a hub id (OWNER/NAME), or one of lite, {', '.join(RELEASED)}"
    )


def _fetch(hub_id: str, wanted: list[str], **options: Any) -> Path:  # noqa: ANN401 - as the hub's
    try:
        return Path(snapshot_download(hub_id, allow_patterns=wanted, **options))
    except GatedRepoError as error:
        reason = "needs you to accept its terms on the hub and to log in (hf auth login)"
        raise ModelUnavailable(f"{hub_id} {reason}") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        reason = "is not known to the model hub; check its spelling"
        raise ModelUnavailable(f"{hub_id} {reason}") from error
    except LocalEntryNotFoundError as error:
        offline = options["local_files_only"]
        reason = "offline mode is on" if offline else "the model hub cannot be reached"
        raise ModelUnavailable(
            f"{hub_id} is not on this machine and {reason}; fetch it where there is a network "
            f"(hf download {hub_id} --local-dir FOLDER) and give that folder instead"
        ) from error
    except HfHubHTTPError as error:
        raise ModelUnavailable(
            f"the model hub answered {error.response.status_code} for {hub_id}; try again later"
        ) from error
    except HTTPError as error:
        raise ModelUnavailable(
            f"the connection to the model hub broke while fetching {hub_id}; "
            "start again to go on from there"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelUnavailable(f"{hub_id} could not be kept on this machine: {reason}") from error
