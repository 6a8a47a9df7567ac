package broker

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Err is why the pod lacks a credential of its own; nil: it has them all.
func (e *Explanation) Err() error {
	var errs []error
	for _, c := range e.Credentials {
		switch {
		case !c.Own || c.ValidUntil != nil:
		case c.LastError == nil:
			errs = append(errs, fmt.Errorf("%s: the cloud has not answered yet", c.Name))
		default:
			errs = append(errs, fmt.Errorf("%s: %s: %s", c.Name, c.LastError.Kind, c.LastError.text()))
		}
	}
	return errors.Join(errs...)
}

func (d *ErrorDetails) text() string {
	s := d.Message
	if d.Code != "" && !strings.Contains(s, d.Code) {
		s = d.Code + ": " + s
	}
	if d.Hint != "" && !strings.Contains(s, d.Hint) {
		s += "; hint: " + d.Hint
	}
	return s
}

// Print writes it for people.
func (e *Explanation) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "podpass-broker %s\n\nCLOUD\tTOKEN\tSUBJECT\tAUDIENCE\tEXPIRES\n", e.Version)
	for _, t := range e.Tokens {
		if t.Claims == nil {
			fmt.Fprintf(w, "%s\t%s\n", t.Cloud, t.Error)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.Cloud, t.Claims.Issuer, t.Claims.Subject, strings.Join(t.Claims.Audiences, ","), e.in(&t.Claims.Expiry))
	}
	fmt.Fprint(w, "\nCLOUD\tCREDENTIAL\tVALID FOR\tNEXT EXCHANGE\tPRINCIPAL\n")
	for _, c := range e.Credentials {
		name, kind := c.Cloud, "asked for"
		if c.Own {
			name, kind = c.Name, "own"
		}
		valid := "-"
		if c.ValidUntil != nil {
			valid = e.in(c.ValidUntil)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, kind, valid, e.in(c.NextExchange), c.Principal)
		if c.LastError != nil {
			fmt.Fprintf(w, "\t%s, %d tries: %s\n", c.LastError.Kind, c.Failures, c.LastError.text())
		}
	}
	return w.Flush()
}

// in is how long after the explanation a moment is.
func (e *Explanation) in(t *time.Time) string {
	if t == nil {
		return "-"
	}
	if d := t.Sub(e.Time).Round(time.Second); d > 0 {
		return d.String()
	}
	return "now"
}
