package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Result is one line that a client program prints.
type Result struct {
	// Cloud is the check: "aws", "gcp", "gcp-idtoken", "azure" or "s3".
	Cloud string `json:"cloud"`
	// SDK is its name and version.
	SDK string `json:"sdk"`
	OK  bool   `json:"ok"`
	// Identity is who the cloud says that the credential's bearer is.
	Identity string `json:"identity"`
	// Source is the endpoint or token file that the environment names.
	Source string `json:"source"`
	// Expires is when the SDK thinks that the credential ends; zero if it does not say.
	Expires       time.Time `json:"expires"`
	ElapsedMillis int64     `json:"elapsedMillis"`
	// Error is the SDK's own text.
	Error string `json:"error"`
}

// ParseResults reads the lines of a client program.
func ParseResults(r io.Reader) ([]Result, error) {
	var results []Result
	for lines := json.NewDecoder(r); ; {
		var one Result
		if err := lines.Decode(&one); errors.Is(err, io.EOF) {
			return results, nil
		} else if err != nil {
			return results, fmt.Errorf("result %d of an SDK client: %w", len(results)+1, err)
		}
		results = append(results, one)
	}
}
