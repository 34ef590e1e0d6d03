package workload

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// RollingUpdateLimits turns maxSurge and maxUnavailable into numbers of Pods (R206): a percentage
// of the replicas is rounded up for surge and down for unavailable; if both come out 0, unavailable
// becomes 1; unavailable is capped at the replicas. Nil means the default of 25 % (R205). The error
// is about a value that is neither a number nor a percentage.
func RollingUpdateLimits(maxSurge, maxUnavailable *intstr.IntOrString, replicas int) (surge, unavailable int, err error) {
	if surge, err = scaled(maxSurge, replicas, true); err != nil {
		return 0, 0, fmt.Errorf("cannot read maxSurge: %w", err)
	}
	if unavailable, err = scaled(maxUnavailable, replicas, false); err != nil {
		return 0, 0, fmt.Errorf("cannot read maxUnavailable: %w", err)
	}
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(unavailable, replicas), nil
}

func scaled(value *intstr.IntOrString, replicas int, up bool) (int, error) {
	if value == nil {
		value = new(intstr.FromString("25%"))
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(value, replicas, up)
	return max(n, 0), err
}
