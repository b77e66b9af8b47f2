//go:build tools

// Package registry pins the registry for local use.
package registry

import _ "github.com/distribution/distribution/v3/cmd/registry"
