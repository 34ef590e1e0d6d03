"""A deploy.py as people write them: it is taken after its import line was changed."""

from __future__ import annotations

import os
import unittest
from typing import Any, Dict

from probity import NotRunHereError

from . import program


def names() -> Dict[str, Any]:
    with open(os.path.join(program.TESTDATA, "deploy.py.txt")) as f:
        text = f.read().replace("from truefoundry.deploy import", "from probity import")
    found: Dict[str, Any] = {}
    exec(compile(text, "deploy.py", "exec"), found)
    return found


@program.needed
class FilesTest(unittest.TestCase):
    def test_its_services(self) -> None:
        found = names()
        for name, wants in {
            "model": ["nvidia.com/gpu: \"1\"", "mountPath: /models", "replicas: 1", "team: shop", "secretKeyRef", "maxUnavailable: 0%", "path: /health"],
            "worker": ["- sh\n", "kind: Deployment"],
            "old": ["name: grpc-9000", "- ./old"],
        }.items():
            objects = found[name].to_kubernetes("acme:shop")
            for want in wants:
                with self.subTest(f"{name}: {want}"):
                    self.assertIn(want, objects)
            self.assertEqual(objects.count("namespace: shop"), objects.count("\nkind: "))
        self.assertNotIn("kind: Service", found["worker"].to_kubernetes())
        with self.assertRaisesRegex(NotRunHereError, "Job: "):
            found["Job"](name="train", params=[found["Param"]])


if __name__ == "__main__":
    unittest.main()
