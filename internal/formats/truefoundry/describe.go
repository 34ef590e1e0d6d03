package truefoundry

// A FieldInfo is what a field of an object is, for who has types of the same vocabulary.
type FieldInfo struct {
	Name string
	// Of are the names of the objects that it may have; empty for a plain value.
	Of []string
	// Type is what its object says that it is: that of the field type. Empty if it says nothing.
	Type string
}

// Describe lists the fields of all objects of the format, by names of the objects.
func Describe() map[string][]FieldInfo {
	all := map[string][]FieldInfo{}
	for name, o := range objectTypes() {
		for _, f := range o.fields {
			info := FieldInfo{Name: f.name, Of: f.of}
			if f.name == "type" {
				info.Type = o.tag
			}
			all[name] = append(all[name], info)
		}
	}
	return all
}
