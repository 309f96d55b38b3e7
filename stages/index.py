"""List what there is for every dataset: reports/README.md, from the folders beside it."""

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import write_text
from eacnet.layout import REPORTS


def main() -> None:
    """Read the results of all experiments, write the list; it is no output of any one of them."""
    load_params()
    from eacnet.report.pages.index import index

    write_text(REPORTS / "README.md", index(REPORTS))


if __name__ == "__main__":
    exit_on_error(main, takes_arguments=False)
