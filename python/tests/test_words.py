"""Python and the program say the same of the same document."""

from __future__ import annotations

import json
import re
import unittest
from typing import Any, Dict, Iterator, List, Tuple, Type

import probity
from probity import InvalidError, Service, _program
from probity._objects import Object, fields_of

from . import program

PLAIN: Dict[str, Any] = {"type": "service", "name": "web", "image": {"type": "image", "image_uri": "web:1"}, "ports": [{"port": 8000}]}
HTTP: Dict[str, Any] = {"type": "http", "path": "/", "port": 8000}

# Where an object of each class stands in a service, and a right one.
PLACES: Dict[Type[Object], Tuple[str, Dict[str, Any]]] = {
    probity.Service: ("", PLAIN),
    probity.Image: ("image", PLAIN["image"]),
    probity.Build: ("image", {"type": "build", "build_spec": {"type": "dockerfile"}}),
    probity.DockerFileBuild: ("image.build_spec", {"type": "dockerfile"}),
    probity.PythonBuild: ("image.build_spec", {"type": "tfy-python-buildpack", "command": "a"}),
    probity.LocalSource: ("image.build_source", {"type": "local"}),
    probity.GitSource: ("image.build_source", {"type": "git", "repo_url": "a", "ref": "b"}),
    probity.RemoteSource: ("image.build_source", {"type": "remote", "remote_uri": "a"}),
    probity.Port: ("ports[0]", {"port": 8000}),
    probity.BasicAuthCreds: ("ports[0].auth", {"type": "basic_auth", "username": "a", "password": "b"}),
    probity.JwtAuthConfig: ("ports[0].auth", {"type": "jwt_auth", "integration_fqn": "a"}),
    probity.HealthProbe: ("readiness_probe", {"config": HTTP}),
    probity.HttpProbe: ("readiness_probe.config", HTTP),
    probity.TcpProbe: ("readiness_probe.config", {"type": "tcp", "port": 8000}),
    probity.CommandProbe: ("readiness_probe.config", {"type": "command", "command": "a"}),
    probity.ExecProbe: ("readiness_probe.config", {"type": "exec", "command": ["a"]}),
    probity.GrpcProbe: ("readiness_probe.config", {"type": "grpc", "port": 8000}),
    probity.Resources: ("resources", {"cpu_limit": 1}),
    probity.NodeSelector: ("resources.node", {"type": "node_selector"}),
    probity.NodepoolSelector: ("resources.node", {"type": "nodepool_selector", "nodepools": ["a"]}),
    probity.ServiceAutoscaling: ("replicas", {"min_replicas": 1, "max_replicas": 2}),
    probity.CronMetric: ("replicas.metrics", {"type": "cron", "start": "a", "end": "b"}),
    probity.RPSMetric: ("replicas.metrics", {"type": "rps", "value": 1}),
    probity.CPUUtilizationMetric: ("replicas.metrics", {"type": "cpu_utilization", "value": 1}),
    probity.Rolling: ("rollout_strategy", {"type": "rolling_update"}),
    probity.Canary: ("rollout_strategy", {"type": "canary", "steps": [{"weight_percentage": 10}]}),
    probity.CanaryStep: ("rollout_strategy.steps[0]", {"weight_percentage": 10}),
    probity.BlueGreen: ("rollout_strategy", {"type": "blue_green"}),
    probity.SecretMount: ("mounts[0]", {"type": "secret", "mount_path": "/a", "secret_fqn": "tfy-secret://a:b:c"}),
    probity.StringDataMount: ("mounts[0]", {"type": "string", "mount_path": "/a", "data": "b"}),
    probity.VolumeMount: ("mounts[0]", {"type": "volume", "mount_path": "/a", "volume_fqn": "tfy-volume://a:b:c"}),
}
ABOVE: Dict[str, Any] = {
    "image.build_spec": {"type": "build"}, "image.build_source": {"type": "build", "build_spec": {"type": "dockerfile"}}, "ports[0].auth": {"port": 8000},
    "replicas.metrics": {"min_replicas": 1}, "rollout_strategy.steps[0]": {"type": "canary"},
}


def put(at: str, thing: Dict[str, Any]) -> Dict[str, Any]:
    """Return a service in which an object stands at a path."""
    if not at:
        return thing
    above, _, name = at.rpartition(".")
    value: Any = thing
    if name.endswith("[0]"):
        name, value = name[:-3], [thing]
    return put(above, {**(ABOVE.get(at, {}) if above else PLAIN), name: value}) if above else {**PLAIN, name: value}


def wrongs() -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield documents that are wrong in one place each, and what is wrong."""
    for cls, (at, right) in PLACES.items():
        title = cls.__name__
        yield f"{title}: misspelt", put(at, {**right, list(fields_of(cls))[0] + "x": 1})
        yield f"{title}: nothing like it", put(at, {**right, "quuxquux": 1})
        for slip in cls.slips:
            yield f"{title}: {slip}", put(at, {**right, slip: 1})
            lacking = {k: v for k, v in right.items() if k == "type" or not fields_of(cls)[k].required}
            yield f"{title}: {slip} alone", put(at, {**lacking, slip: 1})
        for name, field in fields_of(cls).items():
            if name in ("type", "python_dependencies"):  # the latter the program does not look into, as nothing is built
                continue
            if field.required:
                yield f"{title}: no {name}", put(at, {k: v for k, v in right.items() if k != name})
                yield f"{title}: {name} null", put(at, {**right, name: None})
            for value in ("512Mi", "300m", "5s", "http", 8000, -1, 1.5, True, [], [1], {}, {"a": 1}, {"type": "moon"}, {"type": "github"}, {"A": {"value_from": 1}}):
                yield f"{title}: {name} {value!r}", put(at, {**right, name: value})


def told_by_python(document: Dict[str, Any]) -> List[str]:
    try:
        Service.parse_obj(document)
        return []
    except InvalidError as e:
        return [f"{p.path}: {p.message}" for p in e.problems]


@program.needed
class WordsTest(unittest.TestCase):
    def test_what_python_says_the_program_says(self) -> None:
        documents = [(title, document) for title, document in wrongs() if document.get("name")]  # without one it is none of TrueFoundry's
        for i, (_, document) in enumerate(documents):
            document["name"] = f"web-{i}" if document["name"] == "web" else document["name"]
        of_python = [told_by_python(document) for _, document in documents]
        self.assertGreater(sum(map(len, of_python)), 1000)
        # All of them in one text, a document on every second line.
        ended = _program.run(["render", "-"], "".join(f"---\n{json.dumps(document)}\n" for _, document in documents))
        told: Dict[int, List[str]] = {}
        for line in ended.stderr.splitlines():
            found = re.match(r"(?:probity: )?<stdin>:(\d+):(?:\d+:)* service(?: [^:]*)?: (.*)", line)
            if found:
                told.setdefault(int(found.group(1)) // 2 - 1, []).append(found.group(2))
        for i, (title, _) in enumerate(documents):
            for words in of_python[i]:
                with self.subTest(title):
                    self.assertIn(words, told.get(i, []))


if __name__ == "__main__":
    unittest.main()
