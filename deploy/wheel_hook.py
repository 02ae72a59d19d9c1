"""Puts our packages below one name in a wheel: `stream` becomes `flashback.stream`.

In the repository they lie flat, which would collide with other people's `web` or `model` in an
environment that is shared. So while a wheel is built every import of one of them is rewritten, by
the syntax tree, and nothing else is. `flashback_client` keeps its name: users import it.
See docs/decisions/0042-one-name-in-a-wheel.md.
"""

import ast
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OURS = frozenset({"stream", "model", "memory", "web", "training", "benchmarks"})
NAME = "flashback"
ABOUT = '"""Flashback: watch live video and answer questions about anything it has shown."""\n'


class NamespaceHook(BuildHookInterface):
    """Fills the wheel; an editable installation uses the repository as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Rewrite every module into a temporary folder, and name each file and its place."""
        if version == "editable":
            return
        root = Path(self.root)
        self._folder = tempfile.TemporaryDirectory(prefix="flashback-wheel-")
        made = Path(self._folder.name)
        (made / "__init__.py").write_text(ABOUT, encoding="utf-8")
        build_data["force_include"][str(made / "__init__.py")] = f"{NAME}/__init__.py"
        for path in files(root):
            place = path.relative_to(root)
            source = path
            if path.suffix == ".py":
                source = made / place
                source.parent.mkdir(parents=True, exist_ok=True)
                source.write_text(namespaced(path.read_text(encoding="utf-8")), encoding="utf-8")
            build_data["force_include"][str(source)] = f"{NAME}/{place}"
        for entries in (self.metadata.core.scripts, *self.metadata.core.entry_points.values()):
            entries.update({name: _below(reference) for name, reference in entries.items()})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        if version != "editable":
            self._folder.cleanup()


def files(root: Path) -> Iterator[Path]:
    """Yield what belongs into a wheel of our packages below `root`."""
    for package in sorted(OURS):
        for path in sorted((root / package).rglob("*")):
            hidden = any(p.startswith((".", "__pycache__")) for p in path.relative_to(root).parts)
            if path.is_file() and not hidden:
                yield path


def namespaced(source: str) -> str:
    """Return the module `source` with imports of our packages as imports from `flashback`.

    Raises:
        ValueError: If an import binds one of our names in a way that cannot be kept
            (`import web.cli`, which binds `web`).
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module or ""):
            _replace(lines, node, "from ", f"from {NAME}.")
        elif isinstance(node, ast.Import) and any(_is_ours(alias.name) for alias in node.names):
            if len(node.names) > 1 or "." in node.names[0].name:
                raise ValueError(f"line {node.lineno}: write `from … import …`, for the wheel")
            _replace(lines, node, "import ", f"from {NAME} import ")
    return "".join(lines)


def _replace(lines: list[str], node: ast.stmt, old: str, new: str) -> None:
    # Nothing but blanks, or a statement of ASCII, stands before an import: bytes are characters.
    line, begin = lines[node.lineno - 1], node.col_offset
    if not line.startswith(old, begin):
        raise ValueError(f"line {node.lineno}: not a plain import: {line.strip()}")
    lines[node.lineno - 1] = line[:begin] + new + line[begin + len(old) :]


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def _below(reference: str) -> str:
    return f"{NAME}.{reference}" if _is_ours(reference.partition(":")[0]) else reference
