package schema

import "github.com/podpass-io/podpass/federation/serviceaccount"

// The few words of JSON Schema, draft 7, that the parts consist of.

func enum[T ~string](values []T) object {
	var list []any
	for _, v := range values {
		list = append(list, string(v))
	}
	return object{"enum": list}
}

func number(least, most int) object {
	return object{"type": "integer", "minimum": least, "maximum": most}
}

func text(pattern string) object { return object{"type": "string", "pattern": pattern} }

// optional is a text that may be empty, which is not set.
func optional(pattern string) object { return text(`^$|` + pattern) }

func bounded(o object, most int) object {
	o["maxLength"] = most
	return o
}

func audience() object {
	return bounded(text(serviceaccount.AudiencePattern), serviceaccount.MaxAudience)
}

// unquoted is a text that no message may quote.
func unquoted(description string) object {
	return object{"type": "string", "description": description}
}

// unread is a text whose pattern tells people nothing.
func unread() object { return unquoted("checked by the templates, which say what to write") }

// members is an object with names of a pattern. Not by propertyNames, of which Helm's
// message names the wrong place.
func members(names string, each object) object {
	return object{"type": "object", "additionalProperties": false, "patternProperties": object{names: each}}
}

func url() object { return unquoted("a URL; checked by the templates") }

func array(items object) object { return object{"type": "array", "items": items} }

func ref(definition string) object { return object{"$ref": "#/definitions/" + definition} }

// record is an object with these members and no others.
func record(required []string, properties object) object {
	o := object{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		o["required"] = required
	}
	return o
}
