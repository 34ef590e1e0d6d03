// Package apiserver serves the Kubernetes API of a run, so that kubectl, client-go, controllers and
// whatever else speaks it work with the run as they do with a cluster. It is HTTP over the API
// machinery's own codecs, patches and field managers; k8s.io/apiserver would be three times the
// program.
//
// A request's way:
//
//	guard -> ServeHTTP -> discovery, OpenAPI, version
//	                   -> call: target of the path, resource of the table, format of the answer
//	                        get, list, watch  <- store
//	                        create, update, patch, delete -> registry -> store
//
// What is served is one table, in package resources: routes, both forms of discovery and the
// OpenAPI documents are made of it, so that nothing is advertised that is not there.
//
// A write goes through the registry as everything does that is desired: strict decoding, defaults,
// admission, validation of the new object and of the change, managed fields, and then the store,
// if the object is still the one that all of it was checked against. A dry run stops before the
// store. Errors are the API's Status in its own words.
//
// A watch reads the store's history at its client's pace; a client that takes nothing is cut. A
// version that this store has not had, such as one of the last run, is answered by 410 Expired, and
// clients list anew.
package apiserver
