// Package policies holds the chart's ValidatingAdmissionPolicies against a real API server:
// what each allows and refuses, with which words, and what it costs. Which policies there
// are, and what they do not see, is in docs/policies.md.
package policies
