package inject

import (
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

func readContainer(r *rawjson.Reader, left *int, c *podContainer) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			readName(r, &c.Name)
		case "env":
			c.Env = list(r, left, readEnv)
		case "envFrom":
			c.EnvFrom = list(r, left, readEnvFrom)
		case "volumeMounts":
			c.VolumeMounts = list(r, left, readMount)
		case "ports":
			c.Ports = list(r, left, readPort)
		case "resources":
			readResources(r, &c.Resources)
		case "restartPolicy":
			readName(r, &c.RestartPolicy)
		case "securityContext":
			readSecurity(r, &c.SecurityContext)
		}
	}
}

func readSecurity(r *rawjson.Reader, s *containerSecurity) {
	for name := range r.Members {
		switch string(name) {
		case "runAsUser":
			r.Value(&s.RunAsUser)
		case "privileged":
			r.Bool(&s.Privileged)
		case "capabilities":
			r.Value(&s.Capabilities)
		case "windowsOptions":
			r.Value(&s.WindowsOptions)
		}
	}
}

func readEnv(r *rawjson.Reader, _ *int, e *podEnv) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			r.Text(&e.Name)
		case "value":
			r.Text(&e.Value)
		case "valueFrom":
			r.Value(&e.ValueFrom)
		}
	}
}

func readEnvFrom(r *rawjson.Reader, _ *int, e *podEnvFrom) {
	r.Value(e)
	for _, ref := range []*reference{e.SecretRef, e.ConfigMapRef} {
		if ref != nil {
			ref.Name = serviceaccount.ClipName(ref.Name)
		}
	}
}

func readMount(r *rawjson.Reader, _ *int, m *podMount) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			readName(r, &m.Name)
		case "mountPath":
			r.Text(&m.MountPath)
		}
	}
}

func readPort(r *rawjson.Reader, _ *int, p *podPort) {
	for name := range r.Members {
		switch string(name) {
		case "containerPort":
			r.Int(&p.ContainerPort)
		case "protocol":
			readName(r, &p.Protocol)
		}
	}
}

func readResources(r *rawjson.Reader, into *podResources) {
	for name := range r.Members {
		switch string(name) {
		case "requests":
			readQuantities(r, &into.Requests)
		case "limits":
			readQuantities(r, &into.Limits)
		}
	}
}

func readQuantities(r *rawjson.Reader, into *map[string]quantity) {
	*into = map[string]quantity{}
	for name := range r.Members {
		key, text := string(name), ""
		if raw := r.Raw(); len(raw) > 0 && raw[0] == '"' {
			rawjson.NewReader(raw).Text(&text)
		} else {
			text = string(raw)
		}
		(*into)[key] = quantity(text)
	}
}
