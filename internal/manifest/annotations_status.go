package manifest

// AnnotationPrivatePorts, followed by a container's name, is written by the node on its Pods: declared and private ports, as in "8080:41013,9090:41014".
const AnnotationPrivatePorts = annotationPrefix + "private-ports."
