//go:build tools

// Package checks holds what the checks of HTTP/2 need and Debian does not have. The import pins the
// version of h2spec and of what it is made of.
package checks

import _ "github.com/summerwind/h2spec/cmd/h2spec"
