"""A wheel works outside the repository, and brings no name that others' packages may have."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from deploy.wheel_hook import namespaced

ROOT = Path(__file__).parent.parent
FLAT = {"stream", "model", "memory", "web", "training", "benchmarks"}

IMPORT_ALL = """
import importlib, pkgutil, sys
import flashback, flashback_client
for package in (flashback, flashback_client):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as missing:
            if missing.name.partition(".")[0] != "lmms_eval":
                raise
flat = {name.partition(".")[0] for name in sys.modules} & {"stream", "model", "memory", "web"}
assert not flat, flat
from flashback.stream.pull import process
from flashback.web.cli import modules
print(flashback.__file__, process._WORKER, modules.missing_extra("ray"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(ROOT))
    [wheel] = folder.glob("flashback-*.whl")
    return wheel


@pytest.fixture(scope="module")
def bin_folder(wheel, tmp_path_factory) -> Path:
    """Return where the commands of a new environment are that has the wheel."""
    home = tmp_path_factory.mktemp("environment")
    python = home / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    site = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
    # What we depend on is taken from here; a folder named so brings no `.pth` files of its own, and
    # so not the repository.
    others = [path for path in sys.path if path.endswith("site-packages")]
    Path(site, "others.pth").write_text("\n".join(others))
    pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    return python.parent


def pip(*arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run([sys.executable, "-m", "pip", *quiet], check=True, cwd=ROOT)


def outside(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "OMP_NUM_THREADS")}
    kept |= {name: value for name, value in os.environ.items() if name == "FLASHBACK_CACHE"}
    return subprocess.run(
        command, cwd=folder, env=kept | variables, capture_output=True, text=True, timeout=150
    )


def test_imports_of_ours_are_renamed_and_nothing_else_is():
    theirs = (
        '"""from web import x"""\nimport webbrowser, redis\nfrom . import web\nweb = "web.cli"\n'
    )
    ours = "from web.cli import main\nif True:\n    import model\n    from stream import errors\n"
    renamed = (
        "from flashback.web.cli import main\nif True:\n"
        "    from flashback import model\n    from flashback.stream import errors\n"
    )
    assert namespaced(theirs + ours) == theirs + renamed


@pytest.mark.parametrize("line", ["import web.cli", "import model, stream"])
def test_an_import_that_cannot_be_renamed_ends_the_build(line):
    with pytest.raises(ValueError, match="line 1"):
        namespaced(line)


def test_a_wheel_has_two_names_of_its_own_and_all_that_the_packages_hold(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in inside} == {"flashback", "flashback_client"}
    ours = {
        str(path.relative_to(ROOT))
        for package in FLAT
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name.removeprefix("flashback/") for name in inside} >= ours
    assert "web/static/index.html" in ours


@pytest.mark.slow
def test_every_module_of_an_installed_wheel_is_found_outside_the_repository(bin_folder, tmp_path):
    done = outside([str(bin_folder / "python"), "-c", IMPORT_ALL], tmp_path)
    assert done.returncode == 0, done.stderr
    where, worker, advice = done.stdout.split(maxsplit=2)
    assert str(bin_folder.parent) in where
    assert worker == "flashback.stream.pull.worker"
    assert "pip install 'flashback[ray]'" in advice


@pytest.mark.slow
def test_the_commands_of_an_installed_wheel_work_outside_the_repository(bin_folder, tmp_path):
    flashback = str(bin_folder / "flashback")
    shown = outside([flashback, "--help"], tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "serve" in shown.stdout
    looked = outside([flashback, "doctor"], tmp_path, FLASHBACK_DATA=str(tmp_path / "data"))
    assert "Traceback" not in looked.stderr
    assert "lite" in looked.stdout, looked.stderr
