//go:build tools

// Package watchtower pins the peer that bench/ measures against.
package watchtower

import _ "github.com/containrrr/watchtower"
