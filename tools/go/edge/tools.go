//go:build tools

// Package edge pins Caddy, the edge of every Docker environment.
package edge

import _ "github.com/caddyserver/caddy/v2/cmd/caddy"
