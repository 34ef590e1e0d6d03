package table

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func configMapColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{nameColumn(), textColumn("Data", corev1.ConfigMap{}.SwaggerDoc()["data"]), ageColumn()}
}

func configMapCells(c *corev1.ConfigMap, now time.Time) []any {
	return []any{c.Name, int64(len(c.Data) + len(c.BinaryData)), age(c.CreationTimestamp.Time, now)}
}

func secretColumns() []metav1.TableColumnDefinition {
	secret := corev1.Secret{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{nameColumn(), textColumn("Type", secret["type"]), textColumn("Data", secret["data"]), ageColumn()}
}

func secretCells(s *corev1.Secret, now time.Time) []any {
	return []any{s.Name, string(s.Type), int64(len(s.Data)), age(s.CreationTimestamp.Time, now)}
}
