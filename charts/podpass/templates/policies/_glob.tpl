{{- /* A glob, as those of mappings (path.Match of Go), as a regular expression without
       its anchors, as Kubernetes' CEL and Helm's regexMatch both read it. Of "glob", and:
       "any": what * and ? do not match, besides a slash, such as the colon that ends an
       account; "cover": the text that is matched is a glob itself, and what it stands for
       must all be matched, so that * covers *, and nothing else does. "path" is the value
       that a malformed glob is reported by. */ -}}
{{- define "podpass.policies.glob" -}}
{{- $one := printf "[^/%s]" (.any | default "") }}
{{- $single := ternary "[^/*\\[\\\\]" $one (.cover | default false) }}
{{- $none := "[^\\x00-\\x{10FFFF}]" }}
{{- $out := "" }}
{{- /* Where in the glob: text, escape, and in a class: open, low, low-escape, after (a
       range's first character), high, high-escape. */ -}}
{{- $state := "text" }}
{{- $negated := false }}
{{- $class := "" }}
{{- $ranges := 0 }}
{{- $low := "" }}
{{- $bad := false }}
{{- range $c := splitList "" .glob }}
  {{- $char := "" }}
  {{- if eq $state "text" }}
    {{- if eq $c "*" }}{{ $out = print $out $one "*" }}
    {{- else if eq $c "?" }}{{ $out = print $out $single }}
    {{- else if eq $c "\\" }}{{ $state = "escape" }}
    {{- else if eq $c "[" }}{{ $state = "open" }}{{ $class = "" }}{{ $ranges = 0 }}{{ $negated = false }}
    {{- else }}{{ $out = print $out (regexQuoteMeta $c) }}
    {{- end }}
  {{- else if eq $state "escape" }}
    {{- $out = print $out (ternary $none (regexQuoteMeta $c) (and ($.cover | default false) (has $c (list "*" "?" "[" "\\")))) }}
    {{- $state = "text" }}
  {{- else if and (eq $state "open") (eq $c "^") }}
    {{- $negated = true }}
    {{- $state = "low" }}
  {{- else if or (eq $state "open") (eq $state "low") (eq $state "after") }}
    {{- if and (eq $state "after") (eq $c "-") }}
      {{- $state = "high" }}
    {{- else }}
      {{- if eq $state "after" }}
        {{- $class = print $class (include "podpass.policies.range" (list $low $low)) }}
      {{- end }}
      {{- if eq $c "]" }}
        {{- $bad = or $bad (eq $ranges 0) }}
        {{- if $.cover }}{{ $out = print $out $none }}
        {{- else if $class }}{{ $out = print $out (ternary "[^" "[" $negated) $class "]" }}
        {{- else }}{{ $out = print $out (ternary "[\\x00-\\x{10FFFF}]" $none $negated) }}
        {{- end }}
        {{- $state = "text" }}
      {{- else if eq $c "-" }}{{ $bad = true }}
      {{- else if eq $c "\\" }}{{ $state = "low-escape" }}
      {{- else }}{{ $low = $c }}{{ $ranges = add $ranges 1 }}{{ $state = "after" }}
      {{- end }}
    {{- end }}
  {{- else if eq $state "low-escape" }}
    {{- $low = $c }}{{ $ranges = add $ranges 1 }}{{ $state = "after" }}
  {{- else if and (eq $state "high") (eq $c "\\") }}
    {{- $state = "high-escape" }}
  {{- else }}
    {{- $bad = or $bad (and (eq $state "high") (has $c (list "-" "]"))) }}
    {{- $class = print $class (include "podpass.policies.range" (list $low $c)) }}
    {{- $state = "low" }}
  {{- end }}
{{- end }}
{{- if or $bad (ne $state "text") }}
  {{- fail (printf "%s: %q is not a glob: a [ needs its ], with characters or ranges between them, and a \\ the character that it stands before" .path .glob) }}
{{- end }}
{{- $out }}
{{- end -}}

{{- /* A range of a class; one that ends before it begins has nothing in it. */ -}}
{{- define "podpass.policies.range" -}}
{{- $low := index . 0 }}{{- $high := index . 1 }}
{{- if eq $low $high }}{{ include "podpass.policies.member" $low }}
{{- else if lt $low $high }}{{ include "podpass.policies.member" $low }}-{{ include "podpass.policies.member" $high }}
{{- end }}
{{- end -}}

{{- define "podpass.policies.member" -}}
{{- if regexMatch "^[!-/:-@\\[-`{-~]$" . }}\{{ end }}{{ . }}
{{- end -}}

{{- /* Several globs as one regular expression, between "before" and "after", as a literal
       of CEL, which reads JSON's. */ -}}
{{- define "podpass.policies.regex" -}}
{{- $any := .any }}{{- $cover := .cover }}{{- $path := .path }}
{{- $parts := list }}
{{- range $i, $glob := .globs }}
  {{- $parts = append $parts (include "podpass.policies.glob" (dict "glob" (toString $glob) "any" $any "cover" $cover "path" (printf "%s[%d]" $path $i))) }}
{{- end }}
{{- printf "^%s(?:%s)%s$" (.before | default "") (join "|" $parts) (.after | default "") }}
{{- end -}}
