package testbed

import (
	"context"
	"io"
)

// Helm is the path of the Helm that the testbed installs by, which is built where it is not
// there yet.
func Helm(ctx context.Context, log io.Writer) (string, error) {
	return installTool(ctx, log, helmModule)
}
