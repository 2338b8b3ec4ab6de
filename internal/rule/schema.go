package rule

import (
	"bytes"
	"encoding/json"
)

// SchemaID names the JSON Schema of the language. It says which version of the
// language it describes, and is no address.
const SchemaID = "urn:koipond:rule:1"

// object is a part of the schema.
type object = map[string]any

// Schema is the language as a JSON Schema (2020-12). What it takes is what Check
// takes, but for what a schema cannot say: that groups nest at most MaxDepth deep,
// that there are at most MaxConditions, the order of two values, and which fields
// there are.
func Schema() []byte {
	text := func(limit int) object { return object{"type": "string", "minLength": 1, "maxLength": limit} }
	whole := func(least, most int) object {
		return object{"type": "integer", "minimum": least, "maximum": most}
	}
	ref := func(name string) object { return object{"$ref": "#/$defs/" + name} }
	list := func(of object, least, most int) object {
		return object{"type": "array", "items": of, "minItems": least, "maxItems": most}
	}
	shape := func(required []string, properties object) object {
		return object{"type": "object", "required": required, "properties": properties, "additionalProperties": false}
	}
	either := func(of ...object) object { return object{"oneOf": of} }
	only := func(v ...string) object { return object{"enum": v} }
	is := func(v any) object { return object{"const": v} }
	number := object{"type": "number", "minimum": -maxNumber, "maximum": maxNumber}
	scalar := object{"anyOf": []object{number, text(MaxText), {"type": "boolean"}}}
	// compare is a condition with op and value, by the sorts of operators that it takes.
	compare := func(ops ...object) []object { return ops }
	opValue := func(op object, value object) object {
		return object{"required": []string{"op", "value"}, "properties": object{"op": op, "value": value}}
	}
	numbers := func(n object) []object {
		return compare(opValue(only("gte", "gt", "lte", "lt", "is", "isNot"), n), opValue(is("between"), list(n, 2, 2)))
	}
	texts := []object{
		opValue(only("is", "isNot"), scalar), opValue(only("in", "notIn"), list(object{"anyOf": []object{number, text(MaxText)}}, 1, MaxValues)),
		opValue(only("contains", "notContains", "startsWith"), text(MaxText)),
	}
	ordered := []object{opValue(only("gte", "gt", "lte", "lt"), number), opValue(is("between"), list(number, 2, 2))}

	facts := func(more object) object {
		out := object{"name": ref("name"), "where": list(ref("where"), 0, MaxWheres)}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	event := shape([]string{"name"}, facts(object{"within": ref("window"), "measure": only(measures...), "property": ref("name"), "op": object{"type": "string"}, "value": true}))
	count := whole(0, MaxTimes)
	event["oneOf"] = []object{
		{"title": "how often; without op at least once", "properties": object{"measure": is("count"), "property": false}, "anyOf": append(numbers(count),
			object{"properties": object{"op": false, "value": false}}, object{"required": []string{"value"}, "properties": object{"op": false, "value": count}})},
		{"title": "how many different values", "required": []string{"measure", "property"}, "properties": object{"measure": is("distinct")}, "anyOf": numbers(count)},
		{"title": "what the numbers come to", "required": []string{"measure", "property"}, "properties": object{"measure": only("sum", "avg", "min", "max")}, "anyOf": append(numbers(number), opValue(only("is", "isNot"), scalar))},
		{"title": "the first or last value", "required": []string{"measure", "property"}, "properties": object{"measure": only("first", "last")}, "anyOf": append(append([]object{}, texts...), ordered...)},
		{"title": "done for the first time", "required": []string{"measure", "within"}, "properties": object{"measure": is("firstTime"), "property": false, "op": false, "value": false}},
	}
	where := shape([]string{"property", "op"}, object{"property": ref("name"), "op": only(whereOps...), "value": true})
	where["anyOf"] = append(append([]object{{"properties": object{"op": only("set", "notSet"), "value": false}}}, texts...), ordered...)

	days := func(unit string) object {
		return shape([]string{"last", "unit"}, object{"last": whole(1, int(MaxDays/daysOf(unit))), "unit": is(unit)})
	}
	span := func(unit string) object {
		return shape([]string{"n", "unit"}, object{"n": whole(1, int(MaxDays/daysOf(unit))), "unit": is(unit)})
	}
	date := object{"type": "string", "format": "date", "pattern": `^\d{4}-\d{2}-\d{2}$`}
	fixed := shape([]string{}, object{"from": date, "to": date})
	fixed["minProperties"] = 1
	habit := func(kind string, required []string, more object) object {
		more["kind"] = is(kind)
		return shape(append([]string{"kind", "name"}, required...), facts(more))
	}
	value := object{"anyOf": []object{{"type": []string{"null", "boolean", "number"}}, {"type": "string", "maxLength": MaxText},
		{"type": "array", "maxItems": MaxValues, "items": object{"anyOf": []object{{"type": []string{"null", "boolean", "number"}}, {"type": "string", "maxLength": MaxText}}}}}}

	// The root is a node with a version: every sort of node is written out with it once.
	nodes := map[string]object{
		"all": {"all": list(ref("node"), 1, MaxConditions)}, "any": {"any": list(ref("node"), 1, MaxConditions)}, "none": {"none": list(ref("node"), 1, MaxConditions)},
		"field": {"field": text(MaxText), "op": text(MaxText), "key": object{"type": "string", "maxLength": MaxText}, "value": value, "children": object{"type": "boolean"}},
		"event": {"event": ref("event")}, "sequence": {"sequence": ref("sequence")}, "habit": {"habit": ref("habit")},
	}
	var inner, outer []object
	for _, name := range []string{"all", "any", "none", "field", "event", "sequence", "habit"} {
		need := []string{name}
		if name == "field" {
			need = append(need, "op")
		}
		inner = append(inner, shape(need, nodes[name]))
		top := object{"v": is(1)}
		for k, v := range nodes[name] {
			top[k] = v
		}
		if name == "all" {
			top["all"] = list(ref("node"), 0, MaxConditions)
		}
		outer = append(outer, shape(append([]string{"v"}, need...), top))
	}
	outer = append(outer, shape([]string{"v"}, object{"v": is(1)}))

	doc := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SchemaID, "title": "Koipond rule",
		"description": "Whom is meant: a tree of conditions on what is true of contacts (field) and on what they did (event, sequence, habit). {\"v\":1} is everybody. Fields and their operators: GET /api/contacts/fields.",
		"oneOf":       outer,
		"$defs": object{
			"node": either(inner...), "name": text(MaxText), "event": event, "where": where,
			"window": either(days("minute"), days("hour"), days("day"), days("week"), days("month"), fixed),
			"sequence": shape([]string{"steps"}, object{"within": ref("window"), "gap": either(span("minute"), span("hour"), span("day"), span("week")),
				"steps": list(shape([]string{"name"}, facts(nil)), MinSteps, MaxSteps)}),
			"habit": either(
				habit("regularly", []string{"unit", "periods", "atLeast"}, object{"unit": only("day", "week", "month"), "periods": whole(1, MaxPeriods), "atLeast": whole(1, MaxPeriods)}),
				habit("stopped", []string{"active", "quiet"}, object{"active": whole(1, MaxDays), "quiet": whole(1, MaxDays), "times": whole(1, MaxTimes)}),
				habit("resumed", []string{"active", "quiet"}, object{"active": whole(1, MaxDays), "quiet": whole(1, MaxDays)})),
		},
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil { // maps, lists, texts and numbers: always JSON
		panic(err)
	}
	return b.Bytes()
}
