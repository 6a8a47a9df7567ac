package trust

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

// maxInput bounds a file: an account's 5,000 roles with the longest policies fit.
const maxInput = 64 << 20

// piece is one document of a file, in JSON.
type piece struct {
	file string
	json []byte
}

// readPieces reads the files, "-" or none for standard input: JSON values one after
// another, or YAML documents.
func readPieces(stdin io.Reader, files []string) ([]piece, error) {
	if len(files) == 0 {
		files = []string{"-"}
	}
	var all []piece
	for _, name := range files {
		raw, err := manifest.ReadFile(stdin, name, maxInput)
		if err != nil {
			return nil, err
		}
		list, err := split(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, one := range list {
			all = append(all, piece{name, one})
		}
	}
	if len(all) == 0 {
		return nil, hint.New(errors.New("nothing to check: the input is empty"), "give what the cloud's command line prints, for example: aws iam get-role --role-name orders | podpass trust check")
	}
	return all, nil
}

func split(raw []byte) ([][]byte, error) {
	raw = bytes.TrimSpace(raw)
	var list [][]byte
	if bytes.HasPrefix(raw, []byte("%7B")) { // a policy as IAM's API has it
		return [][]byte{raw}, nil
	}
	if bytes.HasPrefix(raw, []byte("{")) || bytes.HasPrefix(raw, []byte("[")) {
		for d := json.NewDecoder(bytes.NewReader(raw)); ; {
			var one json.RawMessage
			err := d.Decode(&one)
			if errors.Is(err, io.EOF) {
				return list, nil
			}
			if err != nil {
				return nil, fmt.Errorf("document %d: %w", len(list)+1, err)
			}
			list = append(list, one)
		}
	}
	for docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw))); ; {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		one, err := yaml.YAMLToJSON(doc)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(list)+1, err)
		}
		if string(one) != "null" {
			list = append(list, one)
		}
	}
}

// sortPieces gives each cloud its own.
func sortPieces(pieces []piece) (map[string][][]byte, error) {
	byCloud := map[string][][]byte{}
next:
	for _, p := range pieces {
		for _, c := range clouds() {
			if c.recognises(p.json) {
				byCloud[c.name] = append(byCloud[c.name], p.json)
				continue next
			}
		}
		return nil, hint.New(fmt.Errorf("%s: not what a cloud's command line prints of trust", p.file),
			"for AWS: aws iam get-role, list-roles or get-open-id-connect-provider; for Google Cloud: gcloud iam workload-identity-pools providers describe and gcloud iam service-accounts get-iam-policy; for Azure: az identity federated-credential list or az ad app federated-credential list")
	}
	return byCloud, nil
}

// hasField reports whether a piece is an object with one of the fields, or a list of
// such.
func hasField(piece []byte, names ...string) bool {
	var list []json.RawMessage
	if json.Unmarshal(piece, &list) == nil && len(list) > 0 {
		piece = list[0]
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(piece, &object) != nil {
		return false
	}
	for _, name := range names {
		if _, ok := object[name]; ok {
			return true
		}
	}
	return false
}
