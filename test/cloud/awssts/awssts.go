// Package awssts is a strict stand-in for AWS STS: AssumeRoleWithWebIdentity,
// AssumeRole and GetCallerIdentity in the query protocol, with STS's own errors.
package awssts

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	Trust    trust.AWS
	Verifier *trust.Verifier
	// Uses counts the requests that access keys of users have signed.
	Uses trust.Uses

	mu       sync.Mutex
	sessions map[string]session // by access key ID
}

// session is a set of credentials that was handed out; or a user's own, which has no token
// and does not expire.
type session struct {
	secret, token string
	arn, role     string            // of the assumed-role user, and of its role; of a user, the user's
	transitive    map[string]string // session tags that the sessions from here on have too
	expires       time.Time
}

// failure is an error of STS.
type failure struct {
	status  int
	code    string
	message string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, err := s.call(r)
	w.Header().Set("Content-Type", "text/xml")
	requestID := rand.Text()
	w.Header().Set("X-Amzn-Requestid", requestID)
	if f, ok := errors.AsType[*failure](err); ok {
		kind := "Sender"
		if f.status >= 500 {
			kind = "Receiver"
		}
		w.WriteHeader(f.status)
		_ = xml.NewEncoder(w).Encode(errorResponse{
			NS: namespace, Error: errorBody{kind, f.code, f.message}, RequestID: requestID,
		})
		return
	}
	_ = xml.NewEncoder(w).Encode(result)
}

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

type errorResponse struct {
	XMLName   xml.Name  `xml:"ErrorResponse"`
	NS        string    `xml:"xmlns,attr"`
	Error     errorBody `xml:"Error"`
	RequestID string    `xml:"RequestId"`
}

type errorBody struct {
	Type    string `xml:"Type"`
	Code    string `xml:"Code"`
	Message string `xml:"Message"`
}

func (s *Server) call(r *http.Request) (any, error) {
	if r.Method != http.MethodPost {
		return nil, &failure{http.StatusBadRequest, "InvalidAction", "only POST is answered here"}
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	form, err := parseForm(body)
	if err != nil {
		return nil, &failure{http.StatusBadRequest, "MalformedQueryString", "the body is not a form"}
	}
	if v := form.Get("Version"); v != "2011-06-15" {
		return nil, &failure{http.StatusBadRequest, "InvalidAction", "no version " + v}
	}
	switch action := form.Get("Action"); action {
	case "AssumeRoleWithWebIdentity":
		return s.webIdentity(r, form)
	case "AssumeRole":
		return s.assumeRole(r, form, body)
	case "GetCallerIdentity":
		return s.callerIdentity(r, body)
	default:
		return nil, &failure{http.StatusBadRequest, "InvalidAction", "Could not find operation " + action + " for version 2011-06-15"}
	}
}

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	// Of 2 to 1224; a repetition in the pattern may not be that long.
	externalID = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
)

// bounds checks what both ways to assume a role have in common.
func bounds(form values, most int) (role string, duration int, err error) {
	invalid := func(field, why string) error {
		return &failure{http.StatusBadRequest, "ValidationError", "1 validation error detected: Value at '" + field + "' failed to satisfy constraint: " + why}
	}
	role = form.Get("RoleArn")
	if len(role) < 20 || len(role) > 2048 {
		return "", 0, invalid("roleArn", "Member must have length between 20 and 2048")
	}
	if _, err := aws.ParseRoleARN(role); err != nil {
		return "", 0, &failure{http.StatusBadRequest, "ValidationError", "Invalid ARN: " + err.Error()}
	}
	if !sessionName.MatchString(form.Get("RoleSessionName")) {
		return "", 0, invalid("roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	switch policy := form.Get("Policy"); {
	case utf8.RuneCountInString(policy) > 2048:
		return "", 0, invalid("policy", "Member must have length less than or equal to 2048")
	case policy != "" && !object(policy):
		return "", 0, &failure{http.StatusBadRequest, "MalformedPolicyDocument", "The policy is not in the valid JSON format."}
	}
	duration = min(3600, most)
	if d := form.Get("DurationSeconds"); d != "" {
		if duration, err = strconv.Atoi(d); err != nil || duration < 900 || duration > 43200 {
			return "", 0, invalid("durationSeconds", "Member must have value between 900 and 43200")
		}
	}
	return role, duration, nil
}

// object reports whether a policy is a JSON object.
func object(policy string) bool {
	var document map[string]json.RawMessage
	return json.Unmarshal([]byte(policy), &document) == nil && document != nil
}

func (s *Server) webIdentity(r *http.Request, form values) (any, error) {
	if r.Header.Get("Authorization") != "" {
		return nil, &failure{http.StatusBadRequest, "InvalidParameterValue", "AssumeRoleWithWebIdentity is not signed"}
	}
	arn, duration, err := bounds(form, 43200)
	if err != nil {
		return nil, err
	}
	claims, err := s.verify(r.Context(), form.Get("WebIdentityToken"), arn)
	if err != nil {
		return nil, err
	}
	role, found := s.role(arn)
	if !found || !lets(r, form, role, claims) {
		return nil, &failure{http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"}
	}
	if err := checkDuration(role, duration); err != nil {
		return nil, err
	}
	c, user := s.issue(role, form.Get("RoleSessionName"), duration, nil)
	return webIdentityResponse{NS: namespace, Result: webIdentityResult{
		Credentials: c, User: user, Subject: claims.Subject, Audience: claims.Audiences[0], Provider: claims.Issuer,
	}}, nil
}

func (s *Server) verify(ctx context.Context, token, arn string) (federation.Claims, error) {
	parsed, err := federation.ParseSubjectToken([]byte(token))
	if err != nil {
		return federation.Claims{}, &failure{http.StatusBadRequest, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"}
	}
	role, _ := aws.ParseRoleARN(arn) // bounds has checked it
	i := slices.IndexFunc(s.Trust.Providers, func(p trust.AWSProvider) bool {
		return p.Issuer == parsed.Issuer && p.Account == role.Account
	})
	if i < 0 {
		return federation.Claims{}, &failure{http.StatusBadRequest, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for " + parsed.Issuer}
	}
	claims, err := s.Verifier.Verify(ctx, token)
	switch {
	case errors.Is(err, trust.ErrUnreachable):
		return claims, &failure{http.StatusBadRequest, "IDPCommunicationError", "Unable to communicate with the identity provider"}
	case errors.Is(err, trust.ErrExpired):
		return claims, &failure{http.StatusBadRequest, "ExpiredTokenException", "Token expired: current date/time " + strconv.FormatInt(time.Now().Unix(), 10) + " must be before the expiration date/time " + strconv.FormatInt(claims.Expiry.Unix(), 10)}
	case err != nil:
		return claims, &failure{http.StatusBadRequest, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements"}
	case !intersects(s.Trust.Providers[i].Audiences, claims.Audiences):
		return claims, &failure{http.StatusBadRequest, "InvalidIdentityToken", "Incorrect token audience"}
	}
	return claims, nil
}

func (s *Server) assumeRole(r *http.Request, form values, body []byte) (any, error) {
	from, err := s.authenticate(r, body)
	if err != nil {
		return nil, err
	}
	arn, duration, err := bounds(form, 3600)
	if err != nil {
		return nil, err
	}
	if id := form.Get("ExternalId"); id != "" && (len(id) > 1224 || !externalID.MatchString(id)) {
		return nil, &failure{http.StatusBadRequest, "ValidationError", `1 validation error detected: Value at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@:\/-]*`}
	}
	tags, transitive, err := sessionTags(form, from.transitive)
	if err != nil {
		return nil, err
	}
	role, found := s.role(arn)
	action := "sts:AssumeRole"
	if found && role.Policy != nil {
		if refused := chains(r, form, role, from, tags); refused != "" {
			return nil, &failure{http.StatusForbidden, "AccessDenied", "User: " + from.arn + " is not authorized to perform: " + refused + " on resource: " + arn}
		}
		return s.assumed(role, from, form, duration, transitive)
	}
	if found && (len(tags)+len(from.transitive) > 0 && !role.TagSession || len(role.RequestTags) > 0 && !maps.Equal(tags, role.RequestTags)) {
		action = "sts:TagSession"
	}
	found = found && (len(role.PrincipalTags) == 0 || maps.Equal(from.transitive, role.PrincipalTags))
	if !found || !slices.Contains(role.AssumedBy, from.role) || role.ExternalID != form.Get("ExternalId") || action == "sts:TagSession" {
		return nil, &failure{http.StatusForbidden, "AccessDenied", "User: " + from.arn + " is not authorized to perform: " + action + " on resource: " + arn}
	}
	return s.assumed(role, from, form, duration, transitive)
}

// assumed is the session of a role that was assumed from another, or by a user.
func (s *Server) assumed(role trust.AWSRole, from session, form values, duration int, transitive map[string]string) (any, error) {
	if duration > 3600 && from.token != "" {
		return nil, &failure{http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"}
	}
	if err := checkDuration(role, duration); err != nil {
		return nil, err
	}
	c, user := s.issue(role, form.Get("RoleSessionName"), duration, transitive)
	return assumeRoleResponse{NS: namespace, Result: assumeRoleResult{Credentials: c, User: user}}, nil
}

// sessionTags are the tags of the request, within STS's bounds, and those that
// sessions from there on inherit, the inherited ones included.
func sessionTags(form values, inherited map[string]string) (tags, transitive map[string]string, err error) {
	tags, transitive = map[string]string{}, maps.Clone(inherited)
	for n := 1; ; n++ {
		prefix := "Tags.member." + strconv.Itoa(n) + "."
		key, value := form.Get(prefix+"Key"), form.Get(prefix+"Value")
		if key == "" && value == "" {
			break
		}
		_, twice := tags[key]
		if key == "" || len(key) > 128 || len(value) > 256 || n > 50 || twice {
			return nil, nil, &failure{http.StatusBadRequest, "ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint"}
		}
		if _, ok := inherited[key]; ok {
			return nil, nil, &failure{http.StatusBadRequest, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."}
		}
		tags[key] = value
	}
	for n := 1; ; n++ {
		key := form.Get("TransitiveTagKeys.member." + strconv.Itoa(n))
		if key == "" {
			return tags, transitive, nil
		}
		value, ok := tags[key]
		if !ok {
			return nil, nil, &failure{http.StatusBadRequest, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."}
		}
		if transitive == nil {
			transitive = map[string]string{}
		}
		transitive[key] = value
	}
}

func checkDuration(role trust.AWSRole, duration int) error {
	most := role.MaxSessionDuration
	if most == 0 {
		most = 3600
	}
	if duration > most {
		return &failure{http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}
	}
	return nil
}

func (s *Server) callerIdentity(r *http.Request, body []byte) (any, error) {
	from, err := s.authenticate(r, body)
	if err != nil {
		return nil, err
	}
	name := from.arn[strings.LastIndexByte(from.arn, '/')+1:]
	id := "AROATEST:" + name
	if from.token == "" {
		id = "AIDATEST" + strings.ToUpper(name)
	}
	return callerIdentityResponse{NS: namespace, Result: callerIdentityResult{from.arn, id, accountOf(from.arn)}}, nil
}

// accountOf is the account within the ARN of a principal.
func accountOf(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return ""
	}
	return fields[4]
}

func (s *Server) role(arn string) (trust.AWSRole, bool) {
	i := slices.IndexFunc(s.Trust.Roles, func(r trust.AWSRole) bool { return r.ARN == arn })
	if i < 0 {
		return trust.AWSRole{}, false
	}
	return s.Trust.Roles[i], true
}

// maxSessions bounds what is remembered; the oldest tests have ended by then.
const maxSessions = 100_000

func (s *Server) issue(role trust.AWSRole, name string, duration int, transitive map[string]string) (credentials, assumedRoleUser) {
	arn, _ := aws.ParseRoleARN(role.ARN) // bounds has checked it
	user := "arn:" + arn.Partition + ":sts::" + arn.Account + ":assumed-role/" + arn.Name + "/" + name
	end := time.Now().Add(s.Trust.Life.Of(time.Duration(duration) * time.Second))
	c := credentials{
		AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: rand.Text() + rand.Text()[:14], SessionToken: "FwoGZXIvYXdz" + rand.Text() + rand.Text(),
		Expiration: end.UTC().Format(time.RFC3339),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions == nil || len(s.sessions) >= maxSessions {
		s.sessions = map[string]session{}
	}
	s.sessions[c.AccessKeyID] = session{c.SecretAccessKey, c.SessionToken, user, role.ARN, transitive, end}
	return c, assumedRoleUser{"AROATEST:" + name, user}
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
