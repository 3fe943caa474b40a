"""A hook of mkdocs: the notebooks as pages, executed while the site is built, with what they print and draw.

plotly.js is served by the site itself. Notebooks are executed again only when they have changed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SCRIPT = "assets/plotly.min.js"
FIGURE = "application/vnd.plotly.v1+json"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook, and plotly.js."""
    from mkdocs.structure.files import File
    from plotly.offline import get_plotlyjs

    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        page = _page(path, path.stat().st_mtime_ns)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page))
    files.append(File.generated(config, SCRIPT, content=get_plotlyjs()))
    return files


@cache
def _page(path: Path, changed: int) -> str:
    """Execute a notebook and write it in Markdown; `changed` is when, for the cache."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=180, kernel_name="python3", record_timing=False).execute()
    parts = [f'<script src="../../{SCRIPT}"></script>']
    for cell in notebook.cells:
        parts.append(f"```python\n{cell.source}\n```" if cell.cell_type == "code" else cell.source)
        parts += [text for output in cell.get("outputs", []) if (text := _output(output))]
    parts.append(f"This page is `notebooks/{path.name}`, executed.")
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    """Write what a cell printed or drew; nothing of what it warned of."""
    data = output.get("data", {})
    if FIGURE in data:
        from plotly.graph_objects import Figure
        from plotly.io import to_html

        figure = Figure(json.loads(json.dumps(data[FIGURE]["data"])), data[FIGURE].get("layout"))
        return to_html(figure, full_html=False, include_plotlyjs=False, default_height="480px")
    text = output.get("text", "") if output.get("name") == "stdout" else data.get("text/plain", "")
    return f"```text\n{text.rstrip()}\n```" if text else ""
