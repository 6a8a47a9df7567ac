package inject

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

func (pl *planner) checkClientID(d *delivery, c *podContainer) {
	want, ok := d.want("AZURE_CLIENT_ID")
	served := func(id string) bool {
		return slices.ContainsFunc(pl.answer.Azure.Others, func(a azure.Application) bool { return strings.EqualFold(a.ClientID, id) })
	}
	if have, set := c.env(want.Name); ok && set && have.ValueFrom == nil && have.Value != "" && !strings.EqualFold(have.Value, want.Value) && !served(have.Value) {
		pl.warn(serviceaccount.Problem{
			Code: codeClientID, Where: pl.whereContainer(c.Name) + " variable AZURE_CLIENT_ID", Value: have.Value,
			Message: "the broker serves the ServiceAccount's client ID " + want.Value + " alone, and refuses requests for this one",
			Fix:     "remove the variable, or add this client ID to the ServiceAccount's annotation podpass.io/azure-other-clients",
		})
	}
}

// checkSelection warns of a container that makes its SDK look at one source of
// credentials alone, and at another than it is given.
func (pl *planner) checkSelection(d *delivery, c *podContainer, overrides []envVar) {
	for _, v := range d.blinds {
		if have, _ := c.env(v.Name); strings.EqualFold(have.Value, v.Value) {
			pl.warn(serviceaccount.Problem{
				Code: codeSelection, Where: pl.whereContainer(c.Name) + " variable " + v.Name, Value: have.Value,
				Message: "by that some SDKs do not ask the broker for credentials, and have none",
				Fix:     "remove the variable",
			})
		}
	}
	for _, want := range d.selects {
		have, _ := c.env(want.Name)
		if have.Value == "" || selected(c, want) || slices.Contains(overrides, want) {
			continue
		}
		pl.warn(serviceaccount.Problem{
			Code: codeSelection, Where: pl.whereContainer(c.Name) + " variable " + want.Name, Value: have.Value,
			Message: "by that the SDK tries only credentials that the container does not have",
			Fix:     "remove the variable, or set it to " + want.Value,
		})
	}
}

// selected reports whether the container's own selection has want's in it: by name, or
// as one of those for production.
func selected(c *podContainer, want envVar) bool {
	have, _ := c.env(want.Name)
	return strings.EqualFold(have.Value, want.Value) || strings.EqualFold(have.Value, "prod")
}
