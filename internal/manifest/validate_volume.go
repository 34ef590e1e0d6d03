package manifest

import (
	"path"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateVolumes also returns the names that mounts may use: those of volumes without errors.
func validateVolumes(volumes []corev1.Volume, path *field.Path) (map[string]bool, field.ErrorList) {
	names := map[string]bool{}
	var all field.ErrorList
	for i := range volumes {
		v, at := &volumes[i], path.Index(i)
		errs := validateVolumeSource(&v.VolumeSource, at)
		errs = append(errs, validateLabelName(at.Child("name"), v.Name)...)
		if names[v.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), v.Name))
		}
		if len(errs) == 0 {
			names[v.Name] = true
		}
		all = append(all, errs...)
	}
	return names, all
}

// validateVolumeSource looks into the sources that become folders here; of all others there may be
// only one.
func validateVolumeSource(s *corev1.VolumeSource, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, name := range volumeSources(s) {
		if i > 0 {
			errs = append(errs, field.Forbidden(path.Child(name), "may not specify more than 1 volume type"))
		}
	}
	switch { // defaults have made a volume without a source an emptyDir
	case s.EmptyDir != nil:
		if limit := s.EmptyDir.SizeLimit; limit != nil && limit.Sign() < 0 {
			errs = append(errs, field.Forbidden(path.Child("emptyDir", "sizeLimit"), "SizeLimit field must be a valid resource quantity"))
		}
	case s.Secret != nil:
		at := path.Child("secret")
		errs = append(errs, validateFiles(s.Secret.SecretName, at.Child("secretName"), s.Secret.DefaultMode, s.Secret.Items, at)...)
	case s.ConfigMap != nil:
		at := path.Child("configMap")
		errs = append(errs, validateFiles(s.ConfigMap.Name, at.Child("name"), s.ConfigMap.DefaultMode, s.ConfigMap.Items, at)...)
	case s.PersistentVolumeClaim != nil && s.PersistentVolumeClaim.ClaimName == "":
		errs = append(errs, field.Required(path.Child("persistentVolumeClaim", "claimName"), ""))
	case s.HostPath != nil && s.HostPath.Path == "":
		errs = append(errs, field.Required(path.Child("hostPath", "path"), ""))
	}
	return errs
}

// volumeSources lists the sources that are set, emptyDir first as the API server counts them.
func volumeSources(s *corev1.VolumeSource) []string {
	var names []string
	v := reflect.ValueOf(s).Elem()
	for f, value := range v.Fields() {
		if !value.IsNil() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	if i := slices.Index(names, "emptyDir"); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "emptyDir")
	}
	return names
}

// validateFiles checks a volume made of a ConfigMap's or Secret's keys.
func validateFiles(name string, namePath *field.Path, mode *int32, items []corev1.KeyToPath, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if name == "" {
		errs = append(errs, field.Required(namePath, ""))
	}
	errs = append(errs, validateMode(mode, path.Child("defaultMode"))...)
	for i, item := range items {
		at := path.Child("items").Index(i)
		if item.Key == "" {
			errs = append(errs, field.Required(at.Child("key"), ""))
		}
		if item.Path == "" {
			errs = append(errs, field.Required(at.Child("path"), ""))
		}
		errs = append(errs, validateRelative(item.Path, at.Child("path"))...)
		if strings.HasPrefix(item.Path, "..") && !strings.HasPrefix(item.Path, "../") {
			errs = append(errs, field.Invalid(at.Child("path"), item.Path, "must not start with '..'"))
		}
		errs = append(errs, validateMode(item.Mode, at.Child("mode"))...)
	}
	return errs
}

func validateMode(mode *int32, path *field.Path) field.ErrorList {
	if mode == nil || *mode >= 0 && *mode <= 0o777 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *mode, "must be a number between 0 and 0777 (octal), both inclusive")}
}

// validateRelative keeps a path inside its volume.
func validateRelative(p string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if path.IsAbs(p) {
		errs = append(errs, field.Invalid(at, p, "must be a relative path"))
	}
	if slices.Contains(strings.Split(p, "/"), "..") {
		errs = append(errs, field.Invalid(at, p, "must not contain '..'"))
	}
	return errs
}

func (v *containerValidator) mounts(mounts []corev1.VolumeMount, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, m := range mounts {
		at := path.Index(i)
		if m.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		if !v.volumes[m.Name] {
			errs = append(errs, field.NotFound(at.Child("name"), m.Name))
		}
		if m.MountPath == "" {
			errs = append(errs, field.Required(at.Child("mountPath"), ""))
		}
		if seen[m.MountPath] {
			errs = append(errs, field.Invalid(at.Child("mountPath"), m.MountPath, "must be unique"))
		}
		seen[m.MountPath] = true
		if m.SubPath != "" && m.SubPathExpr != "" {
			errs = append(errs, field.Invalid(at.Child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive"))
		}
		// The paths without an index are the API server's.
		errs = append(errs, validateRelative(m.SubPath, path.Child("subPath"))...)
		errs = append(errs, validateRelative(m.SubPathExpr, path.Child("subPathExpr"))...)
	}
	return errs
}
