package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile writes content to path, whole or not at all, readable by everybody in
// the pod and changeable by nobody. Init containers lay down with it what clients
// want as a file and what is in the pod's immutable environment: Google's credential
// configuration in direct mode, and a kubeconfig.
func WriteFile(path, content string) error {
	if content == "" {
		return errors.New("write-file: the variable PODPASS_FILE, with the content, is empty")
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".podpass-*")
	if err != nil {
		return fmt.Errorf("write-file: %w", err)
	}
	_, err = tmp.WriteString(content)
	err = errors.Join(err, tmp.Chmod(0o444), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write-file: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}
