package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

//go:embed messages.*.json
var files embed.FS

// Catalogue holds every message in both languages. It never changes after Load.
type Catalogue struct {
	messages map[Lang]map[string]string
	log      *slog.Logger
	missing  sync.Map // codes already complained about
}

// Load reads the embedded messages. Codes without a message are logged once each.
func Load(log *slog.Logger) (*Catalogue, error) {
	c := &Catalogue{messages: map[Lang]map[string]string{}, log: log}
	for _, l := range Langs() {
		raw, err := files.ReadFile("messages." + string(l) + ".json")
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("read messages in %s: %w", l, err)
		}
		c.messages[l] = m
	}
	return c, nil
}

// Has tells whether code has a message.
func (c *Catalogue) Has(code string) bool { _, ok := c.messages[ZH][code]; return ok }

// Translate says code in a language (an unknown language: Chinese). A code
// without a message comes out as itself, so that nobody stands before an empty screen.
func (c *Catalogue) Translate(lang Lang, code string, params map[string]any) string {
	if !lang.Valid() {
		lang = ZH
	}
	text, ok := c.messages[lang][code]
	if !ok {
		if _, told := c.missing.LoadOrStore(code, true); !told {
			c.log.Warn("code without a message", "code", code)
		}
		return code
	}
	return fill(text, params)
}

// fill replaces {name} by the parameter of that name; one that is not given stays as it is.
func fill(text string, params map[string]any) string {
	if len(params) == 0 || !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		v, given := params[name]
		if !closed || !given {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(format(v))
		text = after
	}
}

// format writes numbers with thousands separators, which Chinese and English
// readers both expect; a number that is not a quantity should be given as text.
func format(v any) string {
	switch n := v.(type) {
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return group(fmt.Sprint(n))
	case float32, float64:
		return group(strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", n), "0"), "."))
	case time.Duration:
		return n.Round(time.Second).String()
	case []string:
		return strings.Join(n, ", ")
	default:
		return fmt.Sprint(v)
	}
}

func group(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if frac != "" {
		frac = "." + frac
	}
	return sign + whole + frac
}
