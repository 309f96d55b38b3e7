"""What `eacnet <command>` does: one module a command.

A module has a docstring whose first line is the command's help, `add_arguments(parser)` and
`run(arguments)`. Importing it must be cheap: PyTorch is imported within `run`.
"""
