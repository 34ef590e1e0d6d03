"""What is written as YAML."""

from __future__ import annotations

import json
import unittest
from typing import Any, Dict

from probity import _yaml


class YAMLTest(unittest.TestCase):
    def test_documents(self) -> None:
        table: Dict[str, Any] = {
            "a: text\n": {"a": "text"},
            'a: "8080"\n': {"a": "8080"},
            'a: "yes"\nb: "Null"\nc: "~"\nd: ""\n': {"a": "yes", "b": "Null", "c": "~", "d": ""},
            'a: "x: y"\nb: "x #y"\nc: "- x"\nd: " x"\ne: "$(PORT)"\n': {"a": "x: y", "b": "x #y", "c": "- x", "d": " x", "e": "$(PORT)"},
            'a: "x\\ny"\n': {"a": "x\ny"},
            'a: "\\u0085\\u2028\\u007f"\n': {"a": "\x85\u2028\x7f"},
            'a: "ä\U0001f600"\n': {"a": "ä\U0001f600"},
            "a: 1\nb: 0.5\nc: true\nd: null\n": {"a": 1, "b": 0.5, "c": True, "d": None},
            "a: {}\nb: []\n": {"a": {}, "b": []},
            "a:\n  b:\n    - c: 1\n      d:\n        e: f\n    - - 1\n      - 2\n": {"a": {"b": [{"c": 1, "d": {"e": "f"}}, [1, 2]]}},
            '"a: b": 1\n"1": 2\n': {"a: b": 1, "1": 2},
        }
        for want, document in table.items():
            with self.subTest(want):
                self.assertEqual(_yaml.dump(document), want)

    def test_a_reader_gets_what_was_written(self) -> None:
        try:
            import yaml  # type: ignore[import]
        except ImportError:
            self.skipTest("NOT TESTED: there is no python3-yaml")
        texts = ["", " ", "a", "1", "1e3", "0x1", ".5", "-", "?", "a:", "#", "&a", "*a", "!a", "%", "@", "`", "'", '"', "\\", "\t", "a\n", "=", "<<", "No", "2026-01-01", "1_000", "a, b", "[a]", "{a}", "ä", "\ufeff"]
        document = {"list": texts, "map": {text: text for text in texts}, "deep": [[{"a": [{"b": texts}]}]]}
        self.assertEqual(yaml.safe_load(_yaml.dump(document)), json.loads(json.dumps(document)))


if __name__ == "__main__":
    unittest.main()
