package openapi

// Version2JSON returns the answer to /openapi/v2, the older form: a document that describes
// nothing.
//
// kubectl asks for it before it sends a List, or a kind that cannot be patched, such as a
// SelfSubjectAccessReview. It validates by what it finds there, sends without validation what it
// does not find, and refuses to send anything if there is no document. Whether fields exist is for
// the server to say, which it does.
func Version2JSON() []byte {
	return []byte(`{"swagger":"2.0","info":{"title":"Kubernetes","version":"unversioned"},"paths":{}}`)
}

// Version2Protobuf returns the document of [Version2JSON] as a Document of the package openapi.v2.
// kubectl asks for the type application/com.github.proto-openapi.spec.v2@v1.0+protobuf. The answer
// must have a dot where that has the @, or the client cannot read its own type.
func Version2Protobuf() []byte {
	info := field(1, "Kubernetes") + field(2, "unversioned")
	return []byte(field(1, "2.0") + field(2, info) + field(8, "")) // swagger, info, paths
}

// field is a field of a protobuf message: a text or a message, of less than 128 bytes.
func field(number byte, content string) string {
	const delimited = 2
	return string([]byte{number<<3 | delimited, byte(len(content))}) + content
}
