// Package probitytest runs Kubernetes manifests inside go test: their programs as processes of this
// machine, probed and restarted by the kubelet's rules, with traffic only to ready replicas. A test
// breaks a replica and asserts what its probes make of it.
//
// A package whose tests use it needs a TestMain, because the test binary is also the process that
// owns the programs, so that nothing of them is left whatever becomes of the test:
//
//	func TestMain(m *testing.M) { os.Exit(probitytest.Main(m)) }
//
//	func TestHangIsCured(t *testing.T) {
//		run := probitytest.Run(t, "app.yaml")
//		fault := run.Inject("web", probitytest.Hang())
//		if took := fault.Detected(); took > 15*time.Second {
//			t.Errorf("a hang is noticed after %v", took)
//		}
//		run.WaitReady()
//	}
//
// Every run has a state folder, addresses and ports of its own, so tests may run in parallel. It
// ends with its test. If the test has failed, what the programs printed, the state of the Pods and
// their Events are in its log.
//
// [Simulation] asks the same of a manifest in virtual time, without any program.
//
// Linux is the platform; elsewhere a program that leaves its process group may outlive the test.
package probitytest
