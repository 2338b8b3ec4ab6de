package sim

import "reflect"

// MissingLimits names limits of WeCom that have no value.
func MissingLimits(l Limits) []string {
	var out []string
	v := reflect.ValueOf(l.WeCom)
	for i := range v.NumField() {
		if f := v.Field(i); f.IsZero() || f.Kind() == reflect.Map && f.Len() == 0 {
			out = append(out, v.Type().Field(i).Name)
		}
	}
	return out
}
