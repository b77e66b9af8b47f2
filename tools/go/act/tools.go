//go:build tools

// Package act pins the program by which the tests run the rendered workflows on this machine.
package act

import _ "github.com/nektos/act"
