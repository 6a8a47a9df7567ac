package report

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/podpass-io/podpass/federation/finding"
)

// The few members of SARIF 2.1.0 (OASIS standard, 27 March 2020) that a finding needs.
type sarif struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID string `json:"id"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
	// Fingerprints tell a finding that is still there from a new one.
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	// Physical is what forges show a result at.
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

// levels of SARIF, section 3.27.10.
var levels = map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning", finding.Info: "note"}

func sarifOf(r *Report) sarif {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: r.Tool, Version: r.Version, Rules: []sarifRule{}}}, Results: []sarifResult{}}
	for _, f := range r.Findings {
		rules := &run.Tool.Driver.Rules
		at := slices.Index(*rules, sarifRule{f.Code})
		if at < 0 {
			at = len(*rules)
			*rules = append(*rules, sarifRule{f.Code})
		}
		sum := sha256.Sum256([]byte(f.Code + "\x00" + f.Where + "\x00" + f.Message))
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Code, RuleIndex: at, Level: levels[f.Severity], Message: sarifText{f.String()},
			Locations:    []sarifLocation{{physical(f.File), []sarifLogical{{f.Where, "resource"}}}},
			Fingerprints: map[string]string{"podpass/v1": hex.EncodeToString(sum[:8])},
		})
	}
	return sarif{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// physical is a file's place, relative where the file was named so; nil: it is in none.
func physical(file string) *sarifPhysical {
	if file == "" {
		return nil
	}
	return &sarifPhysical{sarifArtifact{(&url.URL{Path: filepath.ToSlash(file)}).String()}}
}
