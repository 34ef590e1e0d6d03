"""The table of cases that the program and the other SDK are held to, too."""

from __future__ import annotations

import glob
import os
import re
import unittest
from typing import Any, Dict, List

from probity import InvalidError, RefusedError, Service

from . import program

CASES = os.path.join(os.path.dirname(program.PACKAGE), "service", "testdata", "cases", "*.yaml")


def told(document: Dict[str, Any]) -> List[str]:
    """Return what Python says of a document, with the words of the program where that has refused it."""
    try:
        service = Service.parse_obj(document)
        service.to_kubernetes()
        return [f.message for f in service.findings() if f.rule == "manifest-invalid"]  # which is judged, and printed all the same
    except (InvalidError, RefusedError) as e:
        return [f"{p.path}: {p.message}" for p in e.problems]


@program.needed
class CasesTest(unittest.TestCase):
    def setUp(self) -> None:
        try:
            import yaml  # type: ignore[import]
        except ImportError:
            self.skipTest("NOT TESTED: there is no python3-yaml")


        class Loader(yaml.SafeLoader):  # type: ignore[misc]
            """Takes YES and off for words, as YAML 1.2 does."""

        Loader.yaml_implicit_resolvers = {
            first: [(tag, test) for tag, test in found if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
            for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def load_all(text: Any) -> List[Any]:
            return list(yaml.load_all(text, Loader))

        self.load_all = load_all

    def test_cases(self) -> None:
        files = glob.glob(CASES)
        self.assertGreater(len(files), 1)
        seen = 0
        for file in files:
            with open(file) as f:
                (cases,) = self.load_all(f)
            for case in cases:
                with self.subTest(f'{os.path.basename(file)}: {case["name"]}'):
                    seen += self.judge(case)
        self.assertGreater(seen, 30)

    def judge(self, case: Dict[str, Any]) -> bool:
        """Hold one case, and return whether it is one of a single service."""
        try:
            documents = self.load_all(case["document"])
        except Exception:
            return False  # that it is no YAML is no matter of Python
        if case.get("run") or len(documents) != 1 or not isinstance(documents[0], dict) or documents[0].get("type") != "service":
            return False
        errors = {re.sub(r"^\d+:\d+: service(?: [^:]*)?: ", "", e) for e in case.get("errors", [])}
        if errors:
            words = told(documents[0])
            self.assertTrue(words)
            self.assertLessEqual(set(words), errors)
        else:
            self.assertEqual(self.load_all(Service.parse_obj(documents[0]).to_kubernetes()), self.ordered(case["objects"]))
        return True

    def ordered(self, objects: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
        """Return objects in the order in which they are deployed."""
        order = ["Secret", "ConfigMap", "PersistentVolumeClaim", "Service", "Deployment"]
        return sorted(objects, key=lambda o: order.index(o["kind"]))


if __name__ == "__main__":
    unittest.main()
