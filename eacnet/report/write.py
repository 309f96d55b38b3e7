"""Everything that a report is made of, written into the folder of its experiment."""

from eacnet.files import replacing_folder, write_text
from eacnet.report.figures import FIGURES, write_figures
from eacnet.report.figures.drawing import Pictures
from eacnet.report.pages.checklist import checklist
from eacnet.report.pages.html import html
from eacnet.report.pages.readme import readme
from eacnet.report.results import Results
from eacnet.report.tables import TABLES, write_tables


def write_report(results: Results, pictures: Pictures) -> None:
    """Write figures, tables and pages.

    Args:
        results: what the result files hold.
        pictures: what the main network makes of chosen frames; empty, pages have none.
    """
    folder = results.folder
    # By name: a reader's own picture or table may lie there, too.
    holds = [f"{one.name}.*" for one in FIGURES]
    with replacing_folder(folder / "figures", holds) as figures:
        drawn = write_figures(results, pictures, figures)
    with replacing_folder(folder / "tables", [f"{one.name}.*" for one in TABLES]) as tables:
        write_tables(results, tables)
    files = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    write_text(folder / "index.html", html(results, pictures.examples, drawn, files))
    write_text(folder / "checklist.md", checklist(results))
    write_text(folder / "README.md", readme(results, drawn))
