#!/bin/sh
# Three replicas of the calculator under load. Meanwhile all are replaced, one hangs until liveness restarts it, and one is killed. At the end stands how
# many requests failed.
set -eu
cd "$(dirname "$0")/../.."
go build ./cmd/probity
go -C examples/calculator build
work=$(mktemp -d)
manifest=examples/calculator/under-load.yaml # beside the program that it names
go build -o "$work/load" ./test/load
cp examples/calculator/deployment.yaml $manifest

./probity run -o json --state-dir "$work/state" $manifest >"$work/changes" 2>"$work/errors" &
probity=$!
trap 'kill -INT $probity 2>/dev/null; wait $probity; rm -rf "$work" $manifest' EXIT
trap 'exit 1' INT TERM

# pid is the process of a replica that is not being deleted, the one that changed last.
pid() { grep -v '"deletionTimestamp"' "$work/changes" | grep -o '"probity.run/pid.calculator":"[0-9]*"' | tail -n 1 | grep -o '[0-9]*'; }

until "$work/load" -url http://127.0.0.1:8090/results -posts 0 -duration 1s >/dev/null 2>&1; do
  kill -0 $probity || { cat "$work/errors"; exit 1; }
done
echo "three replicas are ready behind http://127.0.0.1:8090; requests begin"
"$work/load" -url http://127.0.0.1:8090/results -posts 0 -duration 40s &
load=$!
sleep 2
echo "a new version: the replicas are replaced one by one"
sed 's/4MiB/5MiB/g' examples/calculator/deployment.yaml >$manifest
sleep 10
echo "a replica hangs: three liveness failures, its grace period, and a new process"
kill -STOP "$(pid)"
sleep 15
echo "a replica is killed"
kill -KILL "$(pid)"
wait $load && echo "no request failed"
