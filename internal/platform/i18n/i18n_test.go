package i18n_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/i18n"
)

func TestNegotiate(t *testing.T) {
	for header, want := range map[string]i18n.Lang{
		"": i18n.ZH, "zh": i18n.ZH, "zh-CN": i18n.ZH, "zh-Hans": i18n.ZH, "zh-SG": i18n.ZH, "zh-TW": i18n.ZH, "zh-Hant-HK": i18n.ZH,
		"en": i18n.EN, "en-GB,en;q=0.8": i18n.EN, "EN-us": i18n.EN,
		"zh-CN,zh;q=0.9,en;q=0.8": i18n.ZH, "fr,en;q=0.5": i18n.EN, "en;q=0.2,zh;q=0.9": i18n.ZH, "fr": i18n.ZH,
		"en;q=0,zh": i18n.ZH, "*": i18n.ZH, ";;;": i18n.ZH,
	} {
		require.Equal(t, want, i18n.Negotiate(header), header)
	}
}

func TestTranslate(t *testing.T) {
	var log bytes.Buffer
	c, err := i18n.Load(slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	say := func(l i18n.Lang, code string, kv ...any) string {
		p := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			p[kv[i].(string)] = kv[i+1]
		}
		return c.Translate(l, code, p)
	}
	require.Equal(t, "The body is larger than 1,048,576 bytes.", say(i18n.EN, "request.too_large", "limit", int64(1<<20)))
	require.Equal(t, "请求内容超过 500 字节。", say(i18n.ZH, "request.too_large", "limit", 500))
	require.Equal(t, "This must be at least -1,234.5.", say(i18n.EN, "request.too_small", "limit", -1234.5))
	require.Equal(t, "This must be at least 100.", say(i18n.EN, "request.too_small", "limit", 100.0))
	require.Equal(t, "This must be at least 2026.", say(i18n.EN, "request.too_small", "limit", "2026"))
	require.Equal(t, "This must be one of: a, b", say(i18n.EN, "request.not_one_of", "allowed", []string{"a", "b"}))
	require.Equal(t, "This value is not right: {x}", say(i18n.EN, "request.field_invalid", "reason", "{x}"), "a value is not a pattern")
	require.Equal(t, "This must be at least {limit}.", say(i18n.EN, "request.too_small"))
	require.Equal(t, "这个地址下没有内容。", say("fr", "not_found"))
	require.True(t, c.Has("not_found"))

	require.Equal(t, "no.such_code", say(i18n.EN, "no.such_code"))
	say(i18n.ZH, "no.such_code")
	require.Equal(t, 1, strings.Count(log.String(), "no.such_code"), "told once")
}

var param = regexp.MustCompile(`\{(\w+)\}`)

func TestBothLanguagesSayTheSame(t *testing.T) {
	zh, en := messages(t, "zh-CN"), messages(t, "en")
	require.Equal(t, keys(zh), keys(en))
	for code := range zh {
		require.NotEmpty(t, strings.TrimSpace(zh[code]), code)
		require.NotEmpty(t, strings.TrimSpace(en[code]), code)
		require.Equal(t, params(zh[code]), params(en[code]), code)
		for _, r := range en[code] {
			require.False(t, r >= 0x4e00 && r <= 0x9fff, "%s: Chinese in the English text", code)
		}
	}
}

// built are prefixes of codes that the source puts together at run time; say where.
var built = []string{
	"role.",                                                             // team/http.go: the built-in roles by id
	"rule.op.", "contact.field.", "contact.channel.", "contact.gender.", // contact/rule_say.go: what a rule is made of
	"rule.did.", "rule.times.", "rule.measure.", "rule.where.", "rule.when.", "rule.span.", "rule.has.", // contact/rule_say_did.go: conditions on behaviour
	"rfm.group.", "rfm.note.", "rfm.tier.", // audience/rfm: groups and tiers by id
	"consent.filter.", "care.filter.", // contact/consent/field.go, contact/care/field.go: the values of conditions
	"connector.quota.", // connector/quotas.json: what a quota is for
}

func TestEveryCodeHasAMessageAndEveryMessageACode(t *testing.T) {
	zh := messages(t, "zh-CN")
	coded, literals := scan(t, "../../..")
	require.Contains(t, coded, "session.required", "the scan finds codes")
	for code, at := range coded {
		if _, ok := zh[code]; !ok {
			t.Errorf("%s: code %q has no message", at, code)
		}
	}
message:
	for _, code := range keys(zh) {
		for _, p := range built {
			if strings.HasPrefix(code, p) {
				continue message
			}
		}
		if !literals[code] {
			t.Errorf("message %q is not used by any code", code)
		}
	}
}

// scan reads the Go source below root, tests aside: the codes given to errs.New
// and errs.At with their places, and every string there is.
func scan(t *testing.T, root string) (coded map[string]string, literals map[string]bool) {
	t.Helper()
	coded, literals = map[string]string{}, map[string]bool{}
	set := token.NewFileSet()
	for _, dir := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if s, ok := text(n); ok {
						literals[s] = true
					}
				case *ast.CallExpr:
					if code, ok := codeOf(n); ok {
						coded[code] = set.Position(n.Pos()).String()
					}
				}
				return true
			})
			return nil
		})
		require.NoError(t, err)
	}
	return coded, literals
}

func codeOf(call *ast.CallExpr) (string, bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) < 2 || (sel.Sel.Name != "New" && sel.Sel.Name != "At") {
		return "", false
	}
	if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "errs" {
		return "", false
	}
	return text(call.Args[1])
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func messages(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("messages." + lang + ".json")
	require.NoError(t, err)
	m := map[string]string{}
	require.NoError(t, json.Unmarshal(raw, &m))
	return m
}

func keys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func params(text string) []string {
	out := []string{}
	for _, m := range param.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	sort.Strings(out)
	return out
}
