"""Deploys the service to the Probity that runs on this machine; with --context, to a cluster."""

import argparse

from probity import Build, DockerFileBuild, HealthProbe, HttpProbe, Port, Resources, Service

service = Service(
    name="my-service",
    image=Build(build_spec=DockerFileBuild(command="python3 -m uvicorn main:app --host 0.0.0.0 --port $(PORT)")),
    ports=[Port(host="my-service.example.com", port=8000)],
    env={"PORT": "8000", "LOAD_SECONDS": "1"},
    resources=Resources(cpu_request=0.1, cpu_limit=0.5, memory_request=100, memory_limit=300),
    liveness_probe=HealthProbe(
        config=HttpProbe(path="/livez", port=8000),
        initial_delay_seconds=0,
        period_seconds=10,
        timeout_seconds=1,
        success_threshold=1,
        failure_threshold=3,
    ),
    readiness_probe=HealthProbe(
        config=HttpProbe(path="/readyz", port=8000),
        period_seconds=5,
    ),
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", default="local:default", help="cluster:workspace; the workspace is the namespace")
    parser.add_argument("--context", help="context of the kubeconfig, to deploy to a cluster")
    arguments = parser.parse_args()
    if arguments.context is None:
        service.deploy(workspace_fqn=arguments.workspace, wait=True)
    else:
        service.deploy(workspace_fqn=arguments.workspace, wait=True, target="kubernetes", context=arguments.context)
