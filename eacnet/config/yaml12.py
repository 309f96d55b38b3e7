"""YAML as DVC reads and writes it: version 1.2, where PyYAML alone speaks 1.1.

In 1.2 `1e-3` is a number, `on` a word, `0o17` is 15 and `017` is 17; PyYAML reads text, true, text
and 15. What PyYAML can't do by itself either is to refuse a key that is there twice, and an alias,
behind which DVC's `-S` changes nothing or too much.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, ScalarNode

# YAML 1.2, section 10.3.2, the core schema, with the underscores and binary numbers that DVC takes.
_PLAIN = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+", "-+0123456789"),
    "float": (
        r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    "null": (r"~|null|Null|NULL|", "~nN\0"),
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(AliasEvent):
            what = "an alias: `-S` would write to it in vain, so write the values out"
            raise ComposerError(None, None, what, self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(key, ScalarNode):
                raise ConstructorError(None, None, "a key is no plain word", key.start_mark)
            if name in seen:
                raise ConstructorError(None, None, f"key {name!r} is there twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: ScalarNode) -> int:
        text = self.construct_scalar(node).replace("_", "")
        digits = text.lstrip("+-")
        base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 10)
        try:
            return (-1 if text[0] == "-" else 1) * int(digits if base == 10 else digits[2:], base)
        except ValueError:
            raise ConstructorError(
                None, None, f"{text[:40]!r} is no whole number", node.start_mark
            ) from None

    def construct_yaml_float(self, node: ScalarNode) -> float:
        try:
            return super().construct_yaml_float(node)
        except ValueError:
            text = self.construct_scalar(node)[:40]
            raise ConstructorError(None, None, f"{text!r} is no number", node.start_mark) from None


for _tag, (_pattern, _first) in _PLAIN.items():
    # A plain scalar is of the first kind that fits: an int before a float.
    _rule = re.compile(rf"^(?:{_pattern})$")
    for _character in _first if _tag != "null" else [*"~nN", ""]:
        _rules = _Loader.yaml_implicit_resolvers.setdefault(_character, [])
        _rules.append((f"tag:yaml.org,2002:{_tag}", _rule))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file as DVC does.

    Raises:
        OSError: the file can't be read.
        yaml.YAMLError: it is no YAML, or holds a key twice or an alias.
        UnicodeDecodeError: it is no UTF-8.
    """
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, _Loader)
