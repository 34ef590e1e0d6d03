// Package rules lists the rules of probity check. Each stands in a folder of its own, with its
// documentation as data and its fixtures.
package rules

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules/actuator"
	"github.com/probity-run/probity/internal/advisor/rules/budget"
	"github.com/probity-run/probity/internal/advisor/rules/cannotfail"
	"github.com/probity-run/probity/internal/advisor/rules/curlfail"
	"github.com/probity-run/probity/internal/advisor/rules/execcost"
	"github.com/probity-run/probity/internal/advisor/rules/execwords"
	"github.com/probity-run/probity/internal/advisor/rules/exitstatus"
	"github.com/probity-run/probity/internal/advisor/rules/formatwarning"
	"github.com/probity-run/probity/internal/advisor/rules/initialdelay"
	"github.com/probity-run/probity/internal/advisor/rules/innertimeout"
	"github.com/probity-run/probity/internal/advisor/rules/jobprobe"
	"github.com/probity-run/probity/internal/advisor/rules/livenessdependency"
	"github.com/probity-run/probity/internal/advisor/rules/livenessequalsreadiness"
	"github.com/probity-run/probity/internal/advisor/rules/livenesskill"
	"github.com/probity-run/probity/internal/advisor/rules/livenessstricter"
	"github.com/probity-run/probity/internal/advisor/rules/livenessthreshold"
	"github.com/probity-run/probity/internal/advisor/rules/manifestinvalid"
	"github.com/probity-run/probity/internal/advisor/rules/mesh"
	"github.com/probity-run/probity/internal/advisor/rules/metricspath"
	"github.com/probity-run/probity/internal/advisor/rules/nodrain"
	"github.com/probity-run/probity/internal/advisor/rules/orderedready"
	"github.com/probity-run/probity/internal/advisor/rules/othercontainer"
	"github.com/probity-run/probity/internal/advisor/rules/portnamemissing"
	"github.com/probity-run/probity/internal/advisor/rules/portudp"
	"github.com/probity-run/probity/internal/advisor/rules/portundeclared"
	"github.com/probity-run/probity/internal/advisor/rules/prestopgrace"
	"github.com/probity-run/probity/internal/advisor/rules/probeflooding"
	"github.com/probity-run/probity/internal/advisor/rules/probegrace"
	"github.com/probity-run/probity/internal/advisor/rules/probehost"
	"github.com/probity-run/probity/internal/advisor/rules/probeinvalid"
	"github.com/probity-run/probity/internal/advisor/rules/progressdeadline"
	"github.com/probity-run/probity/internal/advisor/rules/readinessdelay"
	"github.com/probity-run/probity/internal/advisor/rules/readinessdependency"
	"github.com/probity-run/probity/internal/advisor/rules/readinessmissing"
	"github.com/probity-run/probity/internal/advisor/rules/readinessmissingserving"
	"github.com/probity-run/probity/internal/advisor/rules/readinessport"
	"github.com/probity-run/probity/internal/advisor/rules/readinesssensitive"
	"github.com/probity-run/probity/internal/advisor/rules/rolloutall"
	"github.com/probity-run/probity/internal/advisor/rules/scheme"
	"github.com/probity-run/probity/internal/advisor/rules/seen"
	"github.com/probity-run/probity/internal/advisor/rules/shallowtcp"
	"github.com/probity-run/probity/internal/advisor/rules/shellwords"
	"github.com/probity-run/probity/internal/advisor/rules/startupbudget"
	"github.com/probity-run/probity/internal/advisor/rules/startuploop"
	"github.com/probity-run/probity/internal/advisor/rules/successthreshold"
	"github.com/probity-run/probity/internal/advisor/rules/targetport"
	"github.com/probity-run/probity/internal/advisor/rules/timeoutperiod"
	"github.com/probity-run/probity/internal/advisor/rules/timeoutshort"
	"github.com/probity-run/probity/internal/advisor/rules/unknownfield"
	"github.com/probity-run/probity/internal/advisor/rules/unusedsuppression"
	"github.com/probity-run/probity/internal/advisor/rules/variable"
)

// All returns the rules in the order in which the reference shows them.
func All() []advisor.Rule {
	return []advisor.Rule{
		readinessmissing.Rule(),
		readinessmissingserving.Rule(),
		livenessequalsreadiness.Rule(),
		livenessstricter.Rule(),
		livenessdependency.Rule(),
		readinessdependency.Rule(),
		timeoutperiod.Rule(),
		startuploop.Rule(),
		initialdelay.Rule(),
		probeflooding.Rule(),
		execcost.Rule(),
		timeoutshort.Rule(),
		prestopgrace.Rule(),
		nodrain.Rule(),
		successthreshold.Rule(),
		portnamemissing.Rule(),
		portundeclared.Rule(),
		livenessthreshold.Rule(),
		startupbudget.Rule(),
		probehost.Rule(),
		scheme.Rule(),
		innertimeout.Rule(),
		progressdeadline.Rule(),
		readinessport.Rule(),
		unknownfield.Rule(),
		livenesskill.Rule(),
		shallowtcp.Rule(),
		readinesssensitive.Rule(),
		manifestinvalid.Rule(),
		probeinvalid.Rule(),
		execwords.Rule(),
		targetport.Rule(),
		othercontainer.Rule(),
		jobprobe.Rule(),
		cannotfail.Rule(),
		exitstatus.Rule(),
		shellwords.Rule(),
		variable.Rule(),
		curlfail.Rule(),
		budget.Rule(),
		readinessdelay.Rule(),
		rolloutall.Rule(),
		probegrace.Rule(),
		orderedready.Rule(),
		mesh.Rule(),
		portudp.Rule(),
		actuator.Rule(),
		metricspath.Rule(),
		formatwarning.Rule(),
		unusedsuppression.Rule(),
	}
}

// Documented are all rules, and what check finds in a cluster by what was seen alone.
func Documented() []advisor.Rule { return append(All(), seen.Rules()...) }

// Find returns the rule of that id, of those that are documented.
func Find(id string) (advisor.Rule, error) {
	var near []string
	for _, r := range Documented() {
		if r.ID == id {
			return r, nil
		}
		if strings.Contains(r.ID, id) {
			near = append(near, r.ID)
		}
	}
	if len(near) > 0 {
		return advisor.Rule{}, fmt.Errorf("there is no rule %q, did you mean %s?", id, strings.Join(near, " or "))
	}
	return advisor.Rule{}, fmt.Errorf("there is no rule %q: probity explain lists them", id)
}
