package rule

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The schema stands in the documentation as it is published.
// KOIPOND_UPDATE=1 go test ./internal/rule -run TestSchemaIsWritten writes it.
func TestSchemaIsWritten(t *testing.T) {
	const file = "../../docs/rule.schema.json"
	if os.Getenv("KOIPOND_UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, Schema(), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(kept), string(Schema()), "write it anew: KOIPOND_UPDATE=1")
}

// The schema and Check take the same, as far as a schema can tell.
func TestSchemaTakesWhatCheckTakes(t *testing.T) {
	var doc any
	require.NoError(t, json.Unmarshal(Schema(), &doc))
	v := validator{doc.(map[string]any)}
	took, refused := 0, 0
	for _, c := range schemaCases() {
		_, err := Parse(c, "rule")
		var value any
		require.NoError(t, json.Unmarshal([]byte(c), &value), c)
		if err != nil && unsayable.MatchString(err.Error()) {
			continue
		}
		fault := v.check(v.root, value, "")
		if !assert.Equal(t, err == nil, fault == "", "%s\nCheck: %v\nschema: %s", c, err, fault) {
			continue
		}
		if err == nil {
			took++
		} else {
			refused++
		}
	}
	require.Greater(t, took, 80)
	require.Greater(t, refused, 120)
}

// unsayable is what compares one part of a rule with another.
var unsayable = regexp.MustCompile(`wrong_order|too_deep|too_many|atLeast: rule.out_of_range`)

// schemaCases are rules, each whole and with one thing after the other in it
// left out, changed or added.
func schemaCases() []string {
	out := []string{`[]`, `1`, `{}`, `{"v":1}`, `{"v":2}`, `{"v":1,"all":[]}`, `{"v":1,"any":[]}`}
	for _, text := range seeds {
		out = append(out, text)
		var whole any
		if json.Unmarshal([]byte(text), &whole) != nil {
			continue
		}
		mutate(whole, func(changed any) { // changes it, calls, changes it back
			b, _ := json.Marshal(whole)
			out = append(out, string(b))
		})
	}
	return out
}

// mutate makes one small change after the other to a JSON value in place.
func mutate(v any, try func(any)) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			old := v[k]
			delete(v, k)
			try(v)
			for _, other := range []any{"", "x", -1.0, 1.5, 3.0, true, []any{}, []any{1.0, 2.0}, map[string]any{}} {
				if k == "v" || sayable(k, other) {
					v[k] = other
					try(v)
				}
			}
			v[k] = old
			mutate(old, try)
		}
		v["surprise"] = 1.0
		try(v)
		delete(v, "surprise")
	case []any:
		for i, x := range v {
			old := x
			v[i] = map[string]any{}
			try(v)
			v[i] = old
			mutate(x, try)
		}
	}
}

// sayable leaves out empty texts, which Parse reads as if they were not there.
func sayable(key string, v any) bool {
	return key == "value" || v != ""
}

var seeds = []string{
	`{"v":1,"field":"tag","op":"hasAnyOf","value":["a"],"children":true}`,
	`{"v":1,"any":[{"none":[{"field":"orders","op":"between","value":[1,2000]}]},{"field":"bucket","key":"spring","op":"between","value":[0,10]}]}`,
	`{"v":1,"event":{"name":"order.paid"}}`,
	`{"v":1,"event":{"name":"order.paid","measure":"count","op":"gte","value":3,"within":{"last":30,"unit":"day"}}}`,
	`{"v":1,"event":{"name":"order.paid","op":"between","value":[1,3],"within":{"from":"2026-01-01","to":"2026-02-01"}}}`,
	`{"v":1,"event":{"name":"order.paid","measure":"sum","property":"total","op":"gt","value":12.5,"within":{"last":2,"unit":"week"}}}`,
	`{"v":1,"event":{"name":"order.paid","measure":"distinct","property":"sku","op":"isNot","value":2}}`,
	`{"v":1,"event":{"name":"order.paid","measure":"last","property":"method","op":"in","value":["card","cash"]}}`,
	`{"v":1,"event":{"name":"order.paid","measure":"first","property":"method","op":"startsWith","value":"c"}}`,
	`{"v":1,"event":{"name":"order.paid","measure":"firstTime","within":{"last":1,"unit":"month"}}}`,
	`{"v":1,"event":{"name":"page.viewed","where":[{"property":"url","op":"contains","value":"tea"},{"property":"n","op":"between","value":[1,2]},{"property":"x","op":"notSet"},{"property":"b","op":"is","value":true}]}}`,
	`{"v":1,"all":[{"sequence":{"steps":[{"name":"a"},{"name":"b","where":[{"property":"n","op":"gte","value":1}]}],"gap":{"n":3,"unit":"day"},"within":{"last":24,"unit":"hour"}}}]}`,
	`{"v":1,"habit":{"kind":"regularly","name":"signed","unit":"week","periods":8,"atLeast":6}}`,
	`{"v":1,"habit":{"kind":"stopped","name":"signed","active":90,"quiet":30,"times":2}}`,
	`{"v":1,"habit":{"kind":"resumed","name":"signed","active":7,"quiet":60}}`,
}

// validator is as much of JSON Schema as the schema uses.
type validator struct{ root map[string]any }

func (v validator) check(schema, value any, path string) string {
	switch s := schema.(type) {
	case bool:
		if !s {
			return path + " may not be there"
		}
		return ""
	case map[string]any:
		return v.object(s, value, path)
	}
	return path + ": no schema"
}

func (v validator) object(s map[string]any, value any, path string) string {
	for key, arg := range s {
		fault := ""
		switch key {
		case "$schema", "$id", "$defs", "title", "description", "format":
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/$defs/")
			fault = v.check(v.root["$defs"].(map[string]any)[name], value, path)
		case "const":
			if fmt.Sprint(arg) != fmt.Sprint(value) {
				fault = path + " is not " + fmt.Sprint(arg)
			}
		case "enum":
			if !slices.ContainsFunc(arg.([]any), func(a any) bool { return a == value }) {
				fault = path + " is none of the values"
			}
		case "type":
			types, ok := arg.([]any)
			if !ok {
				types = []any{arg}
			}
			if !slices.ContainsFunc(types, func(t any) bool { return typed(t.(string), value) }) {
				fault = path + " is no " + fmt.Sprint(arg)
			}
		case "oneOf", "anyOf":
			held := 0
			var why []string
			for _, one := range arg.([]any) {
				f := v.check(one, value, path)
				if f == "" {
					held++
				}
				why = append(why, f)
			}
			if held == 0 || key == "oneOf" && held > 1 {
				fault = fmt.Sprintf("%s: %s holds %d times %v", path, key, held, why)
			}
		default:
			fault = v.limits(s, key, arg, value, path)
		}
		if fault != "" {
			return fault
		}
	}
	return ""
}

func (v validator) limits(s map[string]any, key string, arg, value any, path string) string {
	limit, _ := arg.(float64)
	switch value := value.(type) {
	case map[string]any:
		switch key {
		case "required":
			for _, k := range arg.([]any) {
				if _, ok := value[k.(string)]; !ok {
					return path + "." + k.(string) + " is missing"
				}
			}
		case "properties":
			for k, sub := range arg.(map[string]any) {
				if x, ok := value[k]; ok {
					if f := v.check(sub, x, path+"."+k); f != "" {
						return f
					}
				}
			}
		case "additionalProperties":
			for k := range value {
				if _, ok := s["properties"].(map[string]any)[k]; !ok {
					return path + "." + k + " is not known"
				}
			}
		case "minProperties":
			if float64(len(value)) < limit {
				return path + " has too few"
			}
		}
	case []any:
		switch key {
		case "items":
			for i, x := range value {
				if f := v.check(arg, x, fmt.Sprintf("%s[%d]", path, i)); f != "" {
					return f
				}
			}
		case "minItems":
			if float64(len(value)) < limit {
				return path + " is too short"
			}
		case "maxItems":
			if float64(len(value)) > limit {
				return path + " is too long"
			}
		}
	case float64:
		if key == "minimum" && value < limit || key == "maximum" && value > limit {
			return path + " is beyond its limit"
		}
	case string:
		n := float64(utf8.RuneCountInString(value))
		if key == "minLength" && n < limit || key == "maxLength" && n > limit || key == "pattern" && !regexp.MustCompile(arg.(string)).MatchString(value) {
			return path + " is a text of another form"
		}
	}
	return ""
}

func typed(t string, value any) bool {
	switch v := value.(type) {
	case nil:
		return t == "null"
	case bool:
		return t == "boolean"
	case string:
		return t == "string"
	case float64:
		return t == "number" || t == "integer" && v == math.Trunc(v)
	case []any:
		return t == "array"
	}
	return t == "object"
}
