"""`eacnet <command>`: what one does with a network outside the pipeline."""

import argparse
import pkgutil
from importlib import import_module
from importlib.metadata import version

from eacnet import commands
from eacnet.errors import exit_on_error


def main() -> None:
    """Run the command that the command line names; exit code 1 and one line on a wrong input."""
    exit_on_error(_run)


def _run() -> None:
    parser = argparse.ArgumentParser(prog="eacnet", description="Networks outside the pipeline.")
    parser.add_argument("--version", action="version", version=f"eacnet {version('eacnet')}")
    choices = parser.add_subparsers(dest="command", required=True, metavar="command")
    for module in pkgutil.iter_modules(commands.__path__):
        if module.name.startswith("_"):
            continue
        command = import_module(f"eacnet.commands.{module.name}")
        summary, _, details = (command.__doc__ or "").partition("\n")
        subparser = choices.add_parser(
            module.name.replace("_", "-"),
            help=summary,
            description=f"{summary}\n{details}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
