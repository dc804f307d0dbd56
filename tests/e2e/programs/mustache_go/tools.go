//go:build tools

// Names the program, so that go.mod pins it with all that it needs.
package tools

import _ "github.com/breml/logstash-config/cmd/mustache"
