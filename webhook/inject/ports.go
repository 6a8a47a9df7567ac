package inject

import (
	"strconv"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// checkPorts holds the sidecar's ports against those of all containers, skipped ones
// too, since they share the pod's network; and against each other. What a container
// does not declare is not known.
func (pl *planner) checkPorts() {
	metrics := pl.settings.Broker.MetricsPort
	if metrics == pl.port {
		pl.fail(serviceaccount.Problem{
			Code: codePort, Where: pl.where(), Value: strconv.Itoa(pl.port),
			Message: "the broker's port is also the port of its metrics in this installation, so that it could not start",
			Fix:     "annotate the pod with podpass.io/broker-port and another port",
		})
		return
	}
	for _, c := range pl.containers() {
		for _, p := range c.Ports {
			if p.Protocol == "UDP" || p.Protocol == "SCTP" {
				continue
			}
			switch p.ContainerPort {
			case pl.port:
				pl.warn(serviceaccount.Problem{
					Code: codePort, Where: pl.whereContainer(c.Name), Value: strconv.Itoa(pl.port),
					Message: "the container declares the port on which the broker listens; whichever starts second fails",
					Fix:     "annotate the pod with podpass.io/broker-port and a free port",
				})
			case metrics: // no container declares port 0
				pl.warn(serviceaccount.Problem{
					Code: codePort, Where: pl.whereContainer(c.Name), Value: strconv.Itoa(metrics),
					Message: "the container declares the port of the broker's metrics; whichever starts second fails",
					Fix:     "change the container's port, or ask the administrator for another chart value broker.metricsPort",
				})
			}
		}
	}
}
