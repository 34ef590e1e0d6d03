package table

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// What a column describes with a text of the API's own documentation is looked up there, when the
// columns are asked for.

func nameColumn() metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]}
}

func ageColumn() metav1.TableColumnDefinition {
	return textColumn("Age", metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"])
}

// textColumn is a column of strings. kube-apiserver gives that type to some columns of numbers,
// too.
func textColumn(name, description string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "string", Description: description}
}

func numberColumn(name, description string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "integer", Description: description}
}

// wide makes a column one that only kubectl get -o wide shows.
func wide(c metav1.TableColumnDefinition) metav1.TableColumnDefinition {
	c.Priority = 1
	return c
}
