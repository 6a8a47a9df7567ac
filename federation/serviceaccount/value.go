package serviceaccount

import (
	"encoding/json"
	"slices"
	"strconv"
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

// number is 0 where there is none in that range, which is an error.
func (r *resolver) number(v value, least, most int64) int64 {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || n < least || n > most {
		r.failOnce(CodeNumber, v, "is not a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10), "choose one in that range, or remove the annotation")
		return 0
	}
	return n
}

func (r *resolver) boolean(v value) bool {
	b, err := strconv.ParseBool(v.text)
	if v.set && err != nil {
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
