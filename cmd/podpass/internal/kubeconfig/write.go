package kubeconfig

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// encode is the kubeconfig as kubectl writes it.
func encode(c *clientcmdapi.Config) ([]byte, error) { return clientcmd.Write(*c) }

// file is the one to merge into.
func (o *options) file() (string, error) {
	file := o.output
	if file == "" {
		options := clientcmd.NewDefaultPathOptions()
		options.LoadingRules.ExplicitPath = o.cluster.GivenKubeconfig()
		file = options.GetDefaultFilename()
	}
	// The file itself is replaced, not a link to it.
	whole, err := filepath.EvalSymlinks(file)
	if errors.Is(err, fs.ErrNotExist) {
		return file, nil
	}
	return whole, err
}

// create writes a file that is not there.
func create(file string, c *clientcmdapi.Config) error {
	text, err := encode(c)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return hint.New(fmt.Errorf("--output: %s is there already", file), "add to it by --merge, or name another file")
	}
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("--output: %w", err), os.Remove(file))
	}
	return nil
}

// merge adds entries to a file, under kubectl's own lock, and tells the
// file's current context. The file is whole at each moment, and stays as it was where
// anything in it would be lost.
func merge(file string, add *clientcmdapi.Config) (current string, err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	// As clientcmd's lockFile: kubectl config waits for nobody either.
	held, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_EXCL, 0)
	if errors.Is(err, fs.ErrExist) {
		return "", hint.New(fmt.Errorf("%s is being written by another program", file), "try again; if none is running, remove "+file+".lock")
	}
	if err != nil {
		return "", err
	}
	defer os.Remove(file + ".lock")
	if err := held.Close(); err != nil {
		return "", err
	}
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	whole, err := union(before, add)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	if text, err := encode(whole); err != nil {
		return "", err
	} else if err := replace(file, text, mode); err != nil {
		return "", err
	}
	return whole.CurrentContext, nil
}

// union is what is in a file, and the entries that are added.
func union(before []byte, add *clientcmdapi.Config) (*clientcmdapi.Config, error) {
	if len(bytes.TrimSpace(before)) == 0 {
		return add, nil
	}
	// What this program's clientcmd does not know it would not write back.
	if err := yaml.UnmarshalStrict(before, new(clientcmdv1.Config)); err != nil {
		return nil, hint.New(fmt.Errorf("it has something that podpass does not know, and would be lost: %w", unquoted(err)), "write another file by --output, and name both in KUBECONFIG")
	}
	c, err := clientcmd.Load(before)
	if err != nil {
		return nil, err
	}
	var taken, remove []string
	for _, kind := range []struct {
		name string
		all  []string
	}{{"cluster", put(c.Clusters, add.Clusters)}, {"user", put(c.AuthInfos, add.AuthInfos)}, {"context", put(c.Contexts, add.Contexts)}} {
		for _, name := range kind.all {
			taken, remove = append(taken, "another "+kind.name+" of the name "+name), append(remove, "kubectl config delete-"+kind.name+" "+name)
		}
	}
	if len(taken) > 0 {
		return nil, hint.New(fmt.Errorf("it has %s", strings.Join(taken, ", ")), "choose another name, or: "+strings.Join(remove, "; "))
	}
	if c.CurrentContext == "" {
		c.CurrentContext = add.CurrentContext
	}
	return c, nil
}

// put adds entries to those of a kubeconfig, and gives the names that others have there.
func put[T any](to, add map[string]*T) (taken []string) {
	for _, name := range slices.Sorted(maps.Keys(add)) {
		if there := to[name]; there != nil && !same(there, add[name]) {
			taken = append(taken, name)
			continue
		}
		to[name] = add[name]
	}
	return taken
}

// same compares entries as they are written: what was read also knows its file, and has
// empty maps where what was made has none.
func same(a, b any) bool {
	text := func(v any) []byte {
		c := clientcmdapi.NewConfig()
		switch v := v.(type) {
		case *clientcmdapi.Cluster:
			c.Clusters["x"] = v
		case *clientcmdapi.AuthInfo:
			c.AuthInfos["x"] = v
		case *clientcmdapi.Context:
			c.Contexts["x"] = v
		}
		b, err := encode(c)
		if err != nil {
			return nil
		}
		return b
	}
	return reflect.DeepEqual(text(a), text(b))
}

// unquoted is a decoder's error as far as it names fields: kubeconfigs hold secrets.
func unquoted(err error) error {
	text := err.Error()
	if i := strings.Index(text, "unknown field "); i >= 0 {
		return errors.New(text[i:])
	}
	return errors.New("it is no kubeconfig of this version")
}

// replace changes the content of a file in one step.
func replace(file string, text []byte, mode fs.FileMode) error {
	temporary := file + ".podpass-" + rand.Text()
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err == nil {
		err = os.Rename(temporary, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}
