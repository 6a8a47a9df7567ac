package inject

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
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
	}
	pl.checkPlace()
	setup, err := pl.ownContainers()
	if err != nil {
		return err
	}
	pl.putVolumes()
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

// serves reports whether the pod has the broker: some container uses a cloud of its.
func (pl *planner) serves() bool {
	return slices.ContainsFunc(pl.deliveries, func(d *delivery) bool { return d.Mode == serviceaccount.ModeBroker && pl.used[d.Cloud] })
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

func (pl *planner) result() Result {
	r := Result{Warnings: pl.warnings, Errors: pl.errors}
	switch {
	case len(pl.errors) > 0:
		r.Reason = ReasonUserError
		if pl.settings.UserErrors == UserErrorsWarn {
			r.Warnings, r.Errors = tolerated(pl.errors, pl.warnings), nil
		}
		return r
	case len(pl.used) == 0:
		r.Reason, r.Patch = ReasonNoContainer, pl.patch.json
		return r
	case pl.patch.json == nil:
		r.Reason = ReasonComplete
	default:
		r.Reason, r.Patch = ReasonInjected, pl.patch.json
	}
	r.Injected = pl.injected()
	for _, i := range r.Injected {
		if pl.lacking[i.Cloud] {
			r.Missing = append(r.Missing, i)
		}
	}
	return r
}

// tolerated are errors that only warn as yet, before the warnings.
func tolerated(faults, warnings []serviceaccount.Problem) []serviceaccount.Problem {
	list := slices.Clone(faults)
	for i := range list {
		list[i].Message += "; the pod is admitted without an identity, and will be denied once the installation's userErrors is deny"
	}
	return append(list, warnings...)
}

// ownContainers gives the init containers that podpass adds, in the order in which
// they start, and plans the volumes that they and the injected containers need.
func (pl *planner) ownContainers() ([]container, error) {
	var list []container
	for _, d := range pl.deliveries {
		if !pl.used[d.Cloud] {
			continue
		}
		if d.Mode == serviceaccount.ModeBroker && len(list) == 0 {
			c, err := pl.sidecar()
			if err != nil {
				return nil, err
			}
			list = append(list, c)
			pl.addVolume(pl.brokerTokens())
		}
		for _, v := range d.volumes {
			pl.addVolume(v)
		}
		if d.home != nil && d.home.used {
			pl.addVolume(d.home.volume)
		}
	}
	for _, d := range pl.deliveries {
		if pl.used[d.Cloud] && d.setup != nil {
			list = append(list, *d.setup)
		}
	}
	return list, nil
}

// ours reports whether a container of that name is podpass's.
func (pl *planner) ours(name string) bool {
	return name == brokerContainer || name == gcpConfigContainer
}

// injected is what the pod has after the patch.
func (pl *planner) injected() []Injection {
	var list []Injection
	for _, d := range pl.deliveries {
		if pl.used[d.Cloud] {
			list = append(list, d.Injection)
		}
	}
	return list
}

// mark adds the label and the annotation. They are podpass's: what somebody else
// wrote there (a copy of an injected pod, a wish) is not true, and is written over.
func (pl *planner) mark() error {
	label := serviceaccount.ModeDirect
	why := map[string]Injection{}
	for _, i := range pl.injected() {
		why[i.Cloud] = i
		if i.Mode == serviceaccount.ModeBroker {
			label = serviceaccount.ModeBroker
		}
	}
	annotation, err := json.Marshal(why)
	if err != nil {
		return fmt.Errorf("encode annotation %s: %w", InjectionAnnotation, err)
	}
	m := pl.pod.Metadata
	pl.patch.set("/metadata/labels", m.Labels, InjectedLabel, string(label))
	pl.patch.set("/metadata/annotations", m.Annotations, InjectionAnnotation, string(annotation))
	return nil
}
