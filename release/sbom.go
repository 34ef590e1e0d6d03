package main

import (
	"bytes"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// billOfMaterials lists the modules that a program consists of, with their versions and licenses,
// in CycloneDX' JSON. It has no serial number: that of two releases of one commit would differ.
func billOfMaterials(p program, modules []module) ([]byte, error) {
	main := component(ownModule, p.version, []string{"Apache-2.0"})
	main.Type = cyclonedx.ComponentTypeApplication
	main.Properties = &[]cyclonedx.Property{
		{Name: "vcs.revision", Value: p.commit},
		{Name: "GOOS", Value: p.os},
		{Name: "GOARCH", Value: p.arch},
	}
	var components []cyclonedx.Component
	var refs []string
	for _, m := range modules {
		c := component(m.path, m.version, m.spdx)
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	bill := cyclonedx.NewBOM()
	bill.Metadata = &cyclonedx.Metadata{Timestamp: p.time.Format(time.RFC3339), Component: &main}
	bill.Components = &components
	bill.Dependencies = &[]cyclonedx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bill)
	return out.Bytes(), err
}

const ownModule = "github.com/probity-run/probity"

func component(path, version string, spdx []string) cyclonedx.Component {
	licenses := cyclonedx.Licenses{}
	for _, id := range spdx {
		licenses = append(licenses, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
	}
	reference := "pkg:golang/" + path + "@" + version
	return cyclonedx.Component{
		BOMRef: reference, PackageURL: reference, Type: cyclonedx.ComponentTypeLibrary,
		Name: path, Version: version, Licenses: &licenses,
	}
}
