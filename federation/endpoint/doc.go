// Package endpoint is the HTTP side of an exchange, the same for every cloud.
//
// [NewClient] makes the client that talks to clouds. A [Call] is one exchange by it:
// its client sends tokens to https alone, follows no redirect and keeps the answer,
// since the libraries that make some of the requests reduce errors to text. What
// went wrong becomes a [*federation.Error] in one place, [Call.Error]: it decides
// what is common (no answer, a redirect, an answer that is not the cloud's own, 408,
// 429, 5xx), bounds what others wrote and takes the secrets of the request out of it;
// only then it asks the [Cloud] for its table and its hint.
package endpoint
