//go:build tools

// Package engine pins the Pulumi command line that a machine without the vendor's download builds for itself.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
