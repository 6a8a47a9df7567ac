package doctor

import (
	"context"
	"slices"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/webhook/inject"
)

// Survey is a fleet in numbers, by the same checks as a report of it.
type Survey struct {
	// Accounts are the ServiceAccounts with an identity, and Clouds how many have one in
	// each; Denied are those whose annotations deny their pods.
	Accounts int            `json:"serviceAccounts"`
	Clouds   map[string]int `json:"clouds"`
	Denied   int            `json:"deniedServiceAccounts"`
	// Pods of these ServiceAccounts, and how many were injected, by mode.
	Pods  int            `json:"pods"`
	Modes map[string]int `json:"modes"`
	// Uninjected lack an identity that they ask for, or have another or a part of it.
	Uninjected int `json:"uninjectedPods"`
	// OptedOut are without one by their own label.
	OptedOut int `json:"optedOutPods"`
	// OtherSidecars are not the installation's.
	OtherSidecars int `json:"otherSidecars"`
	// SidecarsDown do not run.
	SidecarsDown int `json:"sidecarsDown"`
	// StaticKeys are the pods with static keys in the way.
	StaticKeys int `json:"podsWithStaticKeys"`

	// Cluster is what was found of the cluster and the installation themselves.
	Cluster []report.Finding `json:"cluster,omitempty"`
}

// tallies are the codes that a pod is counted by, once each.
func (s *Survey) tallies() map[*int][]string {
	return map[*int][]string{
		&s.Uninjected:    {codeOlderThanHook, codeOlderThanNote, codeExcluded, codeMissed, codeDamaged, codeOtherIdentity},
		&s.OptedOut:      {codeOptedOut},
		&s.OtherSidecars: {codeOtherSidecar},
		&s.SidecarsDown:  {codeSidecarDown},
		&s.StaticKeys:    {codeKey, codeKeyFile},
	}
}

// Look counts a fleet. Its error is as that of Run.
func Look(ctx context.Context, client kubernetes.Interface, config *rest.Config, o Options) (*Survey, error) {
	o.Fleet, o.Exchange, o.Explain = true, false, false
	r := newRun(client, config, o)
	r.only = []string{checkCluster, checkInstallation, checkObjects, checkAccount, checkPod, checkKeys}
	s := &Survey{Clouds: map[string]int{}, Modes: map[string]int{}}
	r.counted = s.count
	if err := r.follow(ctx); err != nil {
		return nil, err
	}
	s.Pods = r.pods
	for _, a := range r.accounts {
		if len(a.answer.Errors) > 0 {
			s.Denied++
			continue
		}
		s.Accounts++
		for cloud := range grants(a.answer) {
			s.Clouds[cloud]++
		}
	}
	for _, f := range r.found {
		if f.Code >= codeUnreachable && f.Code < codeNoAccount {
			s.Cluster = append(s.Cluster, f)
		}
	}
	return s, nil
}

// count takes one pod, and what was found of it.
func (s *Survey) count(p *pod, found []report.Finding) {
	if p.holds {
		s.Modes[p.Labels[inject.InjectedLabel]]++
	}
	for n, codes := range s.tallies() {
		if slices.ContainsFunc(found, func(f report.Finding) bool { return slices.Contains(codes, f.Code) }) {
			*n++
		}
	}
}

// Sound reports whether nothing is to be mended.
func (s *Survey) Sound() bool {
	return s.Denied+s.Uninjected+s.OtherSidecars+s.SidecarsDown+s.StaticKeys+len(s.Cluster) == 0
}
