//go:build tools

// Package language pins the Node.js language host, which runs the program for the engine.
package language

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
