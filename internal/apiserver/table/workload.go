package table

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func deploymentColumns() []metav1.TableColumnDefinition {
	status := appsv1.DeploymentStatus{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		readyColumn(),
		textColumn("Up-to-date", status["updatedReplicas"]),
		textColumn("Available", status["availableReplicas"]),
		ageColumn(),
		containersColumn(),
		imagesColumn(),
		wide(textColumn("Selector", appsv1.DeploymentSpec{}.SwaggerDoc()["selector"])),
	}
}

func deploymentCells(d *appsv1.Deployment, now time.Time) []any {
	names, images := containers(&d.Spec.Template)
	selector := "<invalid>"
	if s, err := metav1.LabelSelectorAsSelector(d.Spec.Selector); err == nil {
		selector = s.String()
	}
	return []any{
		d.Name, fraction(int(d.Status.ReadyReplicas), desired(d.Spec.Replicas)), int64(d.Status.UpdatedReplicas), int64(d.Status.AvailableReplicas),
		age(d.CreationTimestamp.Time, now), names, images, selector,
	}
}

func replicaSetColumns() []metav1.TableColumnDefinition {
	spec, status := appsv1.ReplicaSetSpec{}.SwaggerDoc(), appsv1.ReplicaSetStatus{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		numberColumn("Desired", spec["replicas"]),
		numberColumn("Current", status["replicas"]),
		numberColumn("Ready", status["readyReplicas"]),
		ageColumn(),
		containersColumn(),
		imagesColumn(),
		wide(textColumn("Selector", spec["selector"])),
	}
}

func replicaSetCells(rs *appsv1.ReplicaSet, now time.Time) []any {
	names, images := containers(&rs.Spec.Template)
	return []any{
		rs.Name, int64(desired(rs.Spec.Replicas)), int64(rs.Status.Replicas), int64(rs.Status.ReadyReplicas),
		age(rs.CreationTimestamp.Time, now), names, images, metav1.FormatLabelSelector(rs.Spec.Selector),
	}
}

func statefulSetColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{nameColumn(), readyColumn(), ageColumn(), containersColumn(), imagesColumn()}
}

func statefulSetCells(s *appsv1.StatefulSet, now time.Time) []any {
	names, images := containers(&s.Spec.Template)
	return []any{s.Name, fraction(int(s.Status.ReadyReplicas), desired(s.Spec.Replicas)), age(s.CreationTimestamp.Time, now), names, images}
}

func controllerRevisionColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Controller", "Controller of the object"),
		textColumn("Revision", appsv1.ControllerRevision{}.SwaggerDoc()["revision"]),
		ageColumn(),
	}
}

func controllerRevisionCells(r *appsv1.ControllerRevision, now time.Time) []any {
	return []any{r.Name, controllerOf(r), r.Revision, age(r.CreationTimestamp.Time, now)}
}

// controllerOf names the controller of an object: statefulset.apps/web.
func controllerOf(o metav1.Object) string {
	owner := metav1.GetControllerOfNoCopy(o)
	if owner == nil {
		return none
	}
	kind := schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind).GroupKind()
	if kind.Empty() {
		return owner.Name
	}
	return strings.ToLower(kind.String()) + "/" + owner.Name
}

func scaleColumns() []metav1.TableColumnDefinition {
	name := nameColumn()
	name.Format = "" // kube-apiserver does not mark it as the name
	return []metav1.TableColumnDefinition{
		name,
		numberColumn("Desired", autoscalingv1.ScaleSpec{}.SwaggerDoc()["replicas"]),
		numberColumn("Available", autoscalingv1.ScaleStatus{}.SwaggerDoc()["replicas"]),
		ageColumn(),
	}
}

func scaleCells(s *autoscalingv1.Scale, now time.Time) []any {
	return []any{s.Name, int64(s.Spec.Replicas), int64(s.Status.Replicas), age(s.CreationTimestamp.Time, now)}
}

func readyColumn() metav1.TableColumnDefinition {
	return textColumn("Ready", "Number of the pod with ready state")
}

func containersColumn() metav1.TableColumnDefinition {
	return wide(textColumn("Containers", "Names of each container in the template."))
}

func imagesColumn() metav1.TableColumnDefinition {
	return wide(textColumn("Images", "Images referenced by each container in the template."))
}

// desired is how many replicas there are to be: 1 unless something else is said.
func desired(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

// containers are the names and the images of the containers of a Pod template.
func containers(template *corev1.PodTemplateSpec) (names, images string) {
	var n, i []string
	for _, c := range template.Spec.Containers {
		n, i = append(n, c.Name), append(i, c.Image)
	}
	return strings.Join(n, ","), strings.Join(i, ",")
}
