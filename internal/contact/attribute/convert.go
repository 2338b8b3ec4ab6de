package attribute

import "encoding/json"

// Convert reads a canonical value of one attribute as another: as it is, else as
// it is shown, so that labels and names of places become text, and text becomes
// options. A value that is of the new form already stays as it is.
func Convert(from, to *Attribute, v json.RawMessage) (json.RawMessage, *Fault) {
	if to.Type == Text && from.Type != Text {
		return to.ReadText(from.Show(v))
	}
	if from.Type == Money && to.Type == Number {
		var m amount
		if json.Unmarshal(v, &m) == nil && m.Currency != "" {
			return to.ReadText(decimal(m.Amount, exponent(m.Currency)))
		}
	}
	got, f := to.Read(v)
	if f != nil {
		if again, g := to.ReadText(from.Show(v)); g == nil && again != nil {
			return again, nil
		}
	}
	return got, f
}
