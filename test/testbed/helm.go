package testbed

import (
	"context"
	"io"
)

// Helm gives the path of Helm, which is built into the user's cache the first time.
func Helm(ctx context.Context, log io.Writer) (string, error) {
	return installTool(ctx, log, helmModule)
}
