package kubetoken

import (
	"context"
	"errors"
	"os"
	"time"
)

// lock takes a lock among processes, which its owner's death frees. It waits for patience.
// The file stays: it is no lock any more once there may be two of a name.
func lock(ctx context.Context, root *os.Root, name string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f, err := root.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		switch taken, err := tryLock(f); {
		case err != nil:
			return nil, errors.Join(err, f.Close())
		case taken:
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-tick.C:
		}
	}
}
