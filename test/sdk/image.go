package sdk

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
)

// ImageFiles lists what a pod image needs, as "SOURCE=/destination" where SOURCE
// may be a directory: /sdk-go, and for JavaScript /usr/local/bin/node with the
// shared libraries that it loads, and /app/main.js. Without a JavaScript client
// there is /sdk-go only.
func (c Clients) ImageFiles() []string {
	files := []string{c.Go + "=/sdk-go"}
	if c.Node == "" {
		return files
	}
	files = append(files,
		c.Node+"=/usr/local/bin/node",
		c.JSDir+"=/app",
		c.modules+"=/app/node_modules",
		// Says that main.js is a module.
		filepath.Join(filepath.Dir(c.JSDir), "package.json")+"=/app/package.json",
	)
	return append(files, c.libraries...)
}

// libraryPath finds the files in ldd's output: "libm.so.6 => /lib/…/libm.so.6 (0x…)",
// and the loader's line, which has no arrow.
var libraryPath = regexp.MustCompile(`(?m)^\s*(?:\S+ => )?(/\S+) \(0x`)

// sharedLibraries lists the libraries of a binary and its loader as "FILE=/destination":
// the destination is where the loader looks, often a symbolic link to the file.
func sharedLibraries(ctx context.Context, binary string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "ldd", binary).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w", binary, withStderr(err))
	}
	var files []string
	for _, m := range libraryPath.FindAllStringSubmatch(string(out), -1) {
		file, err := filepath.EvalSymlinks(m[1])
		if err != nil {
			return nil, fmt.Errorf("ldd %s: %w", binary, err)
		}
		files = append(files, file+"="+m[1])
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("ldd %s names no library:\n%s", binary, out)
	}
	return files, nil
}
