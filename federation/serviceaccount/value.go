package serviceaccount

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// value is an annotation as it was found, and where.
type value struct {
	key   string
	where string
	text  string
	set   bool
	// mapped: the installation's mapping gives it.
	mapped bool
}

// source is what a Grant says of the annotation that named an identity.
func (v value) source() string {
	if v.mapped {
		return sourceMapping
	}
	return v.key
}

// foreign reports whether the key is another webhook's. Their values were written for
// a webhook that brings a bad one into its bounds, or ignores it; a pod that ran there
// must not be denied here.
func (v value) foreign() bool { return v.key != "" && !strings.HasPrefix(v.key, podpassPrefix) }

// number is v's, from least to most. Of podpass's own key a bad one is an error, and 0;
// of another webhook's the nearest is taken, or 0 where it is no number at all.
func (r *resolver) number(v value, least, most int64) int64 {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err == nil && n >= least && n <= most {
		return n
	}
	wrong := "is not a whole number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10)
	const fix = "choose one in that range, or remove the annotation"
	switch {
	case !v.foreign():
		r.failOnce(CodeNumber, v, wrong, fix)
		return 0
	case err != nil && !errors.Is(err, strconv.ErrRange): // with which n is the nearest that there is
		r.warn(CodeNumber, v, wrong+"; it is ignored", fix)
		return 0
	}
	nearest := min(max(n, least), most)
	r.warn(CodeNumber, v, wrong+"; "+strconv.FormatInt(nearest, 10)+" is taken", fix)
	return nearest
}

func (r *resolver) boolean(v value) bool {
	b, err := strconv.ParseBool(v.text)
	switch {
	case !v.set || err == nil:
	case v.foreign():
		r.warn(CodeChoice, v, "is neither true nor false; it is ignored", "choose one of them, or remove the annotation")
	default:
		r.failOnce(CodeChoice, v, "is neither true nor false", "choose one of them, or remove the annotation")
	}
	return b
}

func (r *resolver) fail(code string, v value, message, fix string) {
	r.answer.Errors = AppendProblem(r.answer.Errors, Problem{Code: code, Where: v.where, Value: v.text, Message: message, Fix: fix})
}

// failOnce is fail for a value that several clouds read.
func (r *resolver) failOnce(code string, v value, message, fix string) {
	if !slices.ContainsFunc(r.answer.Errors, func(p Problem) bool { return p.Code == code && p.Where == v.where }) {
		r.fail(code, v, message, fix)
	}
}

func (r *resolver) warn(code string, v value, message, fix string) {
	r.answer.Warnings = AppendProblem(r.answer.Warnings, Problem{Code: code, Where: v.where, Value: v.text, Message: message, Fix: fix})
}

// document reports whether v is a JSON object.
func document(text string) bool {
	var doc map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &doc) == nil && doc != nil
}
