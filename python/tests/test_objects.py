"""What is told of objects that are wrong."""

from __future__ import annotations

import inspect
import unittest
from typing import Any, Callable, Dict, List, Tuple

import probity
from probity import (
    AppProtocol, ArtifactsCacheVolume, ArtifactsDownload, Build, DockerFileBuild, HealthProbe, HttpProbe, Image, InvalidError, NotRunHereError, NvidiaGPU,
    Port, Resources, Rolling, Service, ServiceAutoscaling,
)

from probity._suggest import guess


def service(**fields: Any) -> Service:
    """Return a service that is as it should be, but for these fields."""
    given: Dict[str, Any] = {"name": "web", "image": Image(image_uri="web:1"), "ports": [Port(port=8000)]}
    given.update(fields)
    return Service(**given)


def problems(make: Callable[[], object]) -> List[Tuple[str, str]]:
    """Return what is told of an object: paths and messages."""
    try:
        make()
    except InvalidError as e:
        return [(p.path, p.message) for p in e.problems]
    return []


class ObjectsTest(unittest.TestCase):
    def test_wrong_fields(self) -> None:
        table: Dict[str, Tuple[Dict[str, Any], str, str]] = {
            "a word for a number": ({"ports": [Port(port="http")]}, "ports[0].port", 'cannot use string "http" as a number'),  # type: ignore[arg-type]
            "a fraction": ({"replicas": 1.5}, "replicas", "cannot use number 1.5: it is a whole number"),
            "a boolean for a number": ({"replicas": True}, "replicas", "cannot use boolean true as a number"),
            "no list": ({"ports": Port(port=8000)}, "ports", "cannot use Port as a list: write [Port(…)]"),
            "another object for a list": ({"ports": Image(image_uri="a")}, "ports", "cannot use Image as a list: write [Port(…)]"),
            "a handler for a probe": (
                {"liveness_probe": HttpProbe(path="/a", port=8000)}, "liveness_probe",
                "cannot use HttpProbe as a HealthProbe: write HealthProbe(config=HttpProbe(…))",
            ),
            "how it is built for a build": (
                {"image": DockerFileBuild()}, "image", "cannot use DockerFileBuild as an Image: write Build(build_spec=DockerFileBuild(…))",
            ),
            "a device for resources": (
                {"resources": NvidiaGPU(count=1)}, "resources", "cannot use NvidiaGPU as a Resources: write Resources(devices=[NvidiaGPU(…)])",
            ),
            "an object for another": ({"image": Port(port=1)}, "image", "cannot use Port as an Image: write Image(…) or Build(…)"),
            "an object for a number": (
                {"replicas": Port(port=1)}, "replicas", "cannot use Port as a ServiceAutoscaling: write ServiceAutoscaling(…)",
            ),
            "an object for a strategy": (
                {"rollout_strategy": Port(port=1)}, "rollout_strategy",
                "cannot use Port as a Rolling: write Rolling(…) or Canary(…) or BlueGreen(…)",
            ),
            "an object for a text": ({"name": Port(port=1)}, "name", "cannot use Port as a string"),
            "null in a list of objects": ({"ports": [None]}, "ports[0]", "cannot use null as an object: write it as {port: …, protocol: …}"),
            "null in a command": (
                {"image": Image(image_uri="a", command=["sh", None])},  # type: ignore[list-item]
                "image.command[1]", "cannot use null as a string",
            ),
            "gigabytes with a unit": (
                {"artifacts_download": ArtifactsDownload(artifacts=[], cache_volume=ArtifactsCacheVolume(cache_size="10Gi"))},  # type: ignore[arg-type]
                "artifacts_download.cache_volume.cache_size", 'cannot use string "10Gi" as a number: it is in GB, so write 10',
            ),
            "more than a number has room for": ({"replicas": 99999999999}, "replicas", "cannot use integer 99999999999: it is at most 2147483647"),
            "numbers as ports": ({"ports": [8000]}, "ports[0]", "cannot use integer 8000 as an object: write {port: 8000}"),
            "null": ({"image": None}, "image", "missing: write it as {type: service, name: …, image: …, ports: …}"),
            "a list of variables": ({"env": [{"name": "A"}]}, "env", "cannot use a list: write NAME: value, each on a line"),
            "a list in env": ({"env": {"A": []}}, "env.A", "cannot use a list as a string"),
            "a misspelt field": ({"livenes_probe": None}, "livenes_probe", "unknown field, did you mean liveness_probe?"),
            "camel case": ({"livenessProbe": None}, "livenessProbe", "unknown field, did you mean liveness_probe?"),
            "nothing like it": ({"zzz": 1}, "zzz", "unknown field"),
            "memory with a unit": (
                {"resources": Resources(memory_limit="512Mi")},  # type: ignore[arg-type]
                "resources.memory_limit", 'cannot use string "512Mi" as a number: it is in MB, so write 512',
            ),
            "cores in thousandths": (
                {"resources": Resources(cpu_limit="2000m")},  # type: ignore[arg-type]
                "resources.cpu_limit", 'cannot use string "2000m" as a number: it is in cores, so write 2',
            ),
            "a missing field": (
                {"readiness_probe": HealthProbe(config=HttpProbe(path="/"))},  # type: ignore[call-arg]
                "readiness_probe.config.port", "missing: write it as {type: http, path: …, port: …}",
            ),
            "of no type": ({"image": {"x": 1}}, "image.type", "missing: it is one of image, build"),
            "of another type": ({"image": {"type": "pod"}}, "image.type", "there is no type pod here, it is one of image, build"),
            "a word of another case": (
                {"ports": [Port(port=1, app_protocol="HTTP")]},  # type: ignore[arg-type]
                "ports[0].app_protocol", 'cannot use string "HTTP": it is one of http, grpc, tcp: write http',
            ),
            "positional": ({"image": Image("web:1")}, "image", "Image takes its fields by name: Image(image_uri=…)"),
            "a known slip": ({"port": 8000}, "port", "unknown field: write ports: [{port: 8000}]"),
        }
        for name, (fields, path, message) in table.items():
            with self.subTest(name):
                self.assertEqual(problems(lambda: service(**fields)), [(path, message)])

    def test_everything_at_once_with_the_lines(self) -> None:
        with self.assertRaises(InvalidError) as raised:
            line = inspect.currentframe().f_lineno  # type: ignore[union-attr]
            Service(  # type: ignore[call-arg]
                name="web",
                image=Build(build_spec=DockerFileBuild(build_context="x")),  # type: ignore[call-arg]
                livenes_probe=1,
                readiness_probe=HealthProbe(
                    config=HttpProbe(path="/readyz", prt=8000),  # type: ignore[call-arg]
                ),
            )
        told = [(p.path, p.place.line - line if p.place else None) for p in raised.exception.problems]
        self.assertEqual(
            told,
            [
                ("ports", 1), ("livenes_probe", 1), ("image.build_spec.build_context", 3), ("readiness_probe.config.port", 6),
                ("readiness_probe.config.prt", 6),
            ],
        )
        self.assertIn("test_objects.py:", str(raised.exception))
        self.assertTrue(str(raised.exception).startswith('Service "web" is not valid\n  '))

    def test_values_of_no_document(self) -> None:
        for value in (object(), float("nan")):
            with self.subTest(str(value)), self.assertRaisesRegex(InvalidError, "has a value that no document can have"):
                service(artifacts_download={"artifacts": [value]}).to_yaml()

        circle: List[Any] = []
        circle.append(circle)
        with self.assertRaisesRegex(InvalidError, "contains itself"):
            service(artifacts_download={"artifacts": circle})

    def test_what_is_accepted(self) -> None:
        table: Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]] = {
            "replicas as scripts write them": ({"replicas": 2.0}, {"replicas": 2}),
            "ports as mappings": ({"ports": [{"port": 8000}]}, {"ports": [{"port": 8000}]}),
            "a worker": ({"ports": []}, {"ports": []}),
            "variables that are not set": ({"env": {"A": None, "B": 1}}, {"env": {"A": None, "B": 1}}),
            "None for a field": ({"liveness_probe": None}, {}),
            "a member of an enumeration": ({"ports": [Port(port=1, app_protocol=AppProtocol.grpc)]}, {"ports": [{"port": 1, "app_protocol": "grpc"}]}),
            "its value": ({"ports": [Port(port=1, app_protocol="grpc")]}, {"ports": [{"port": 1, "app_protocol": "grpc"}]}),  # type: ignore[arg-type]
            "autoscaling": (
                {"replicas": ServiceAutoscaling(min_replicas=2, max_replicas=4)}, {"replicas": {"min_replicas": 2, "max_replicas": 4}},
            ),
            "a strategy": ({"rollout_strategy": Rolling(max_surge_percentage=50)}, {"rollout_strategy": {"type": "rolling_update", "max_surge_percentage": 50}}),
        }
        plain = {"type": "service", "name": "web", "image": {"type": "image", "image_uri": "web:1"}, "ports": [{"port": 8000}]}
        for name, (fields, want) in table.items():
            with self.subTest(name):
                got = service(**fields)
                self.assertEqual(got.to_dict(), {**plain, **want})
                self.assertEqual(Service.parse_obj(got.to_dict()), got)

    def test_fields_are_checked_when_they_are_set(self) -> None:
        web = service()
        web.replicas = 3
        self.assertEqual(web.to_dict()["replicas"], 3)
        with self.assertRaisesRegex(AttributeError, "did you mean liveness_probe"):
            setattr(web, "livenes_probe", None)
        web.replicas = "three"  # type: ignore[assignment]
        with self.assertRaisesRegex(InvalidError, "replicas: cannot use string"):
            web.to_yaml()
        web.replicas = 3
        web.check()

    def test_an_object_shows_what_is_wrong_with_it(self) -> None:
        self.assertEqual(
            repr(HttpProbe(path="/", prt=1)).split(" <")[0], "HttpProbe(path='/')")  # type: ignore[call-arg]
        with self.assertRaisesRegex(InvalidError, "prt: unknown field, did you mean port"):
            HttpProbe(path="/", port=1, prt=1).check()  # type: ignore[call-arg]

    def test_defaults_can_be_read_and_are_not_written(self) -> None:
        self.assertTrue(service().ports[0].expose)
        self.assertNotIn("expose", service().to_yaml())

    def test_what_is_not_run_here(self) -> None:
        for use in (lambda: probity.Job(name="x"), lambda: probity.Param(), lambda: probity.Helm.parse_obj({}), lambda: probity.get_application("a:b:c")):
            with self.assertRaisesRegex(NotRunHereError, "here"):
                use()


class NamesTest(unittest.TestCase):
    def told(self, statement: str) -> str:
        with self.assertRaises(ImportError) as raised:
            exec(statement, {})
        return str(raised.exception)

    def test_names_that_are_not_there(self) -> None:
        self.assertEqual(
            self.told("from probity import Build, HealthProve, Service, Portt, Quux"),
            "cannot import from probity: there is no HealthProve, did you mean HealthProbe?; there is no Portt, did you mean Port?; there is no Quux",
        )
        self.assertFalse(hasattr(probity, "Servce"))
        with self.assertRaisesRegex(AttributeError, "did you mean Service"):
            getattr(probity, "Servce")

    def test_what_is_near(self) -> None:
        known = ["liveness_probe", "port", "name", "shared_memory_size"]
        table = {
            "livenessProbe": "liveness_probe", "PORT": "port", "prot": "port", "ports": "port", "prts": None, "naem": "name", "liveness_porbe": "liveness_probe",
            "sharedMemorySize": "shared_memory_size", "zzz": None, "x" * 65: None,
        }
        for name, want in table.items():
            with self.subTest(name):
                self.assertEqual(guess(name, known), want)
        self.assertEqual(guess("APP_PROTOCOL", ["app_protocol"]), "app_protocol")

    def test_all_names_are_there(self) -> None:
        self.assertEqual([name for name in probity.__all__ if not hasattr(probity, name)], [])
        self.assertEqual(probity.__all__, sorted(probity.__all__))
        exec("from probity import errors, testing", {})


if __name__ == "__main__":
    unittest.main()
