package rule

import "slices"

// Each calls fn with every condition of a tree; fn may change them.
func (n *Node) Each(fn func(*Node)) {
	_, parts := n.Parts()
	for i := range parts { // the parts themselves, not copies
		parts[i].Each(fn)
	}
	if n.Field != "" || !n.Behaviour.Empty() {
		fn(n)
	}
}

// Texts are the texts that a condition on a field compares with.
func (n *Node) Texts() []string {
	switch v := n.Value.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var out []string
		for _, x := range v {
			if t, ok := x.(string); ok {
				out = append(out, t)
			}
		}
		return out
	}
	return nil
}

// Replace puts other texts in the place of those that a condition compares with, each once.
func (n *Node) Replace(by map[string]string) {
	put := func(t string) string {
		if now, ok := by[t]; ok {
			return now
		}
		return t
	}
	if t, ok := n.Value.(string); ok {
		n.Value = put(t)
		return
	}
	if list := n.Texts(); list != nil {
		var out []string
		for _, t := range list {
			if t = put(t); !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		n.Value = out
	}
}
