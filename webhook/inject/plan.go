package inject

import (
	"cmp"
	"errors"
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Plan gives the operations that turn p, a pod to be created, into one whose
// containers have the identities of a. Its error is podpass's own failure; what
// users have to mend is in the Result.
//
// It does not change its arguments and may be called concurrently.
func Plan(p *Pod, a serviceaccount.Answer, s Settings) (Result, error) {
	switch {
	case a.OptedOut:
		return Result{Reason: ReasonOptedOut, Warnings: a.Warnings}, nil
	case a.Empty() && len(a.Errors) == 0:
		return Result{Reason: ReasonNoIdentity, Warnings: a.Warnings}, nil
	}
	if _, ok := p.Metadata.Annotations["kubernetes.io/config.mirror"]; ok {
		// The API server's picture of a static pod: kubelet runs it from a file, and
		// refuses a picture that differs.
		return Result{Reason: ReasonMirrorPod}, nil
	}
	p, err := p.whole()
	if err != nil && !errors.Is(err, errTooLarge) {
		return Result{}, err
	}
	pl := &planner{
		pod: p, answer: a, settings: s,
		port:    cmp.Or(a.BrokerPort, s.BrokerPort, serviceaccount.DefaultBrokerPort),
		skipped: set(a.SkipContainers),
		used:    map[string]bool{}, guards: map[place][]envVar{},
		lacking: map[string]bool{}, given: map[string]allotment{},
		warnings: slices.Clone(a.Warnings), errors: slices.Clone(a.Errors),
	}
	if err != nil {
		pl.tooLarge("it has " + errTooLarge.Error())
	}
	if len(pl.errors) == 0 {
		if err := pl.plan(); err != nil {
			return Result{}, err
		}
	}
	return pl.result(), nil
}

type planner struct {
	pod      *Pod
	answer   serviceaccount.Answer
	settings Settings
	port     int

	skipped    map[string]bool // names of containers
	deliveries []*delivery
	volumes    []volume             // to be added
	own        own                  // what an earlier plan has left in the pod
	used       map[string]bool      // by cloud: some container has it
	lacking    map[string]bool      // by cloud: some container had no credentials
	place      int                  // of the broker, among the user's init containers
	early      map[string]bool      // names of the init containers before it
	guards     map[place][]envVar   // for containers that are left without a cloud
	runAs      *int64               // whom podpass's containers run as; nil: the platform's to choose
	proxied    bool                 // the pod or the installation is known to have a proxy
	given      map[string]allotment // of podpass's containers so far, by resource
	patch      patch

	warnings, errors []serviceaccount.Problem
	err              error // podpass's own
}

func (pl *planner) plan() error {
	pl.findOwn()
	pl.runAs, pl.proxied = pl.user(), pl.hasProxy()
	pl.deliveries = deliveries(pl)
	if pl.err != nil {
		return pl.err
	}
	pl.checkSkipList()
	pl.checkChosenRoles()
	if len(pl.errors) > 0 {
		return nil
	}
	pl.findEarly()
	// The containers first: inserting ours would shift the indices of the user's.
	for at, c := range pl.containers() {
		pl.inject(at, c)
		if !pl.fits() {
			return nil
		}
	}
	if !slices.ContainsFunc(pl.deliveries, func(d *delivery) bool { return pl.used[d.Cloud] }) {
		// What keeps SDKs from the node's identity is there all the same.
		pl.used, pl.patch = nil, patch{}
		for at, c := range pl.containers() {
			appendTo(&pl.patch, at.path()+"/env", c.Env != nil, pl.guards[at])
		}
		return nil
	}
	if pl.answer.StrictStart && !slices.ContainsFunc(pl.deliveries, func(d *delivery) bool { return d.Mode == serviceaccount.ModeBroker }) {
		pl.warn(serviceaccount.Problem{
			Code: codeIgnoredInDirect, Where: pl.where() + " " + serviceaccount.KeyStrictStart, Message: "has no effect in direct mode, where nothing stands between the pod's start and its SDKs",
			Fix: "use broker mode, or remove the annotation",
		})
	}
	if pl.serves() {
		pl.checkPorts()
		pl.checkSharedProcesses()
		pl.checkPlace()
	}
	setup, err := pl.ownContainers()
	if err != nil {
		return err
	}
	pl.putVolumes()
	if len(setup) == 0 && len(pl.answer.BrokerResources) > 0 {
		pl.warn(serviceaccount.Problem{
			Code: codeIgnoredInDirect, Where: pl.where() + " " + serviceaccount.KeyBrokerResources, Message: "has no effect in direct mode, where podpass adds no container to this pod",
			Fix: "use broker mode, or remove the annotation",
		})
	}
	if len(setup) > 0 {
		appendTo(&pl.patch, "/spec/imagePullSecrets", pl.pod.Spec.ImagePullSecrets != nil, pl.pullSecrets())
	}
	pl.putContainers(setup)
	if err := pl.mark(); err != nil {
		return err
	}
	pl.fits()
	return nil
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}
