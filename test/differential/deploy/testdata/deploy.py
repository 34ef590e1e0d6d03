"""Deploys the calculator, and tells how that went."""

import os
import sys
import traceback

from probity import HealthProbe, HttpProbe, Image, Port, ProbityError, Resources, Service

name, namespace, image = sys.argv[1:]
service = Service(
    name=name,
    image=Image(image_uri=image, command=["/calculator", "-weights-size", "4MiB"]),
    ports=[Port(port=8080)],
    replicas=1,
    env={"PORT": "8080"},
    startup_probe=HealthProbe(config=HttpProbe(path="/startupz", port=8080), period_seconds=1, failure_threshold=100),
    readiness_probe=HealthProbe(config=HttpProbe(path="/readyz", port=8080), period_seconds=2),
    liveness_probe=HealthProbe(config=HttpProbe(path="/livez", port=8080), timeout_seconds=5),
    resources=Resources(cpu_request=0.01, cpu_limit=1, memory_request=10),
)
try:
    done = service.deploy(workspace_fqn="cluster:" + namespace, target="kubernetes", timeout=300, progress=sys.stdout)
except ProbityError as e:
    print("error:", type(e).__name__)
    print(e)
    print("frames:", *(os.path.basename(frame.filename) for frame in traceback.extract_tb(e.__traceback__)))
else:
    print("deployed:", done.context, done.namespace, *sorted(done.applied))
