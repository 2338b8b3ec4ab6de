// Package internal_test guards the shape of the program: which package may
// import which, and which package alone knows an engine's library.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/koipond/koipond/"

// platform lists what each platform package may import of this repository.
// None of them knows a domain.
var platform = map[string][]string{
	"platform/errs":            {},
	"platform/clock":           {},
	"platform/id":              {},
	"platform/db":              {},
	"platform/i18n":            {},
	"platform/numset":          {},
	"platform/rounds":          {},
	"platform/sheet":           {},
	"platform/qr":              {},
	"platform/outbound":        {"platform/errs"},
	"platform/auth":            {"platform/errs", "platform/id"},
	"platform/secret":          {"platform/errs"},
	"platform/blob":            {"platform/errs", "platform/secret"},
	"platform/bus":             {"platform/errs"},
	"platform/httpx":           {"platform/auth", "platform/clock", "platform/db", "platform/errs", "platform/i18n", "platform/id"},
	"platform/audit":           {"platform/auth", "platform/clock", "platform/db", "platform/errs", "platform/httpx"},
	"platform/jobs":            {"platform/audit", "platform/auth", "platform/blob", "platform/clock", "platform/db", "platform/errs", "platform/httpx", "platform/id"},
	"platform/vault":           {"platform/audit", "platform/auth", "platform/clock", "platform/db", "platform/errs", "platform/jobs", "platform/secret"},
	"platform/testkit":         {"platform/auth", "platform/clock", "platform/db", "platform/id", "platform/secret"},
	"platform/httpx/httpxtest": {"platform/auth", "platform/httpx"},
}

// domains lists what each domain package may import beside the platform, which
// is open to all of them. Arrows point down: a package stands below its importers.
var domains = map[string][]string{
	"event":          {},
	"event/jsonscan": {},
	"event/veil":     {"event/jsonscan"},
	"event/wire":     {"event"},
	"event/intake":   {"event", "event/jsonscan", "event/wire"},

	"analytics":               {"event", "rule"},
	"analytics/conformance":   {"analytics", "event", "rule"},
	"analytics/engine/duckdb": {"analytics", "event", "event/jsonscan", "rule"},
	"analytics/sealed":        {"analytics", "event", "event/jsonscan", "event/veil", "rule"},

	"event/pipeline":   {"analytics", "event", "event/jsonscan", "event/veil", "event/wire"},
	"event/dictionary": {"analytics", "event", "event/jsonscan", "event/veil"},
	"event/live":       {"analytics", "event", "event/pipeline", "event/veil"},

	"team":    {},
	"rule":    {"event/jsonscan"},
	"contact": {"analytics", "contact/attribute", "event", "event/veil", "rule"},
	"shop":    {"contact", "event"},

	"audience":            {"analytics", "audience/live", "audience/loops", "contact", "event", "event/veil", "rule"},
	"audience/webhook":    {"event", "event/veil"},
	"acquire":             {"contact", "event", "event/veil"},
	"acquire/link":        {"analytics", "contact", "event", "event/veil"},
	"acquire/page":        {"acquire/link", "analytics", "contact", "contact/attribute", "contact/consent", "event", "event/veil"},
	"acquire/quality":     {"analytics", "contact", "event", "event/veil"},
	"contact/attribute":   {},
	"contact/care":        {"contact", "event", "event/veil", "rule"},
	"contact/consent":     {"contact", "event", "event/veil", "rule"},
	"contact/match/score": {},
	"contact/match":       {"contact", "contact/match/score", "event"},

	"audience/live":    {"analytics", "audience/loops", "contact", "event", "rule"},
	"audience/loops":   {"rule"},
	"audience/machine": {"audience/live", "audience/loops", "contact", "event", "event/veil", "rule"},
	"audience/rfm":     {"analytics", "contact", "event", "rule"},

	"audience/autotag": {"analytics", "audience/live", "audience/loops", "contact", "event", "event/veil", "rule"},

	"connector/wecom":    {"connector", "connector/wxcall", "connector/wxcrypto", "event"},
	"connector/wechat":   {"connector", "connector/wxcall", "connector/wxcrypto", "event"},
	"connector/wxcall":   {},
	"connector/wxcrypto": {},
	"connector/sms":      {"connector", "event"},
	"connector/mail":     {"connector", "event"},
	"connector":          {"event/veil"},
	"connector/contract": {"connector"},
	"connector/sim":      {"connector/wxcrypto"},
	"acquire/livecode":   {"event", "event/veil"},
	"acquire/menu":       {"event", "event/veil"},
	"acquire/reply":      {"contact", "event", "event/veil"},
	"acquire/scene":      {"event", "event/veil"},

	"staff":          {"contact", "event"},
	"contact/mirror": {"contact", "event"},
	"community":      {"contact", "event"},

	"importer/table": {},
	"importer":       {"contact", "event", "importer/table", "shop"},
	"demo":           {},
}

// app builds everything and may import everything; the command may import app,
// the platform, and the types of these domains that its flags speak of.
var commandDomains = []string{"team"}

// forTests may be imported by test files and by each other only.
var forTests = []string{"platform/testkit", "platform/httpx/httpxtest", "analytics/conformance", "connector/contract"}

// engines are libraries that one package alone may know, so that the engine can
// be replaced there.
var engines = map[string][]string{
	"github.com/duckdb/":            {"analytics/engine/duckdb"},
	"github.com/mattn/go-sqlite3":   {"platform/db"},
	"github.com/jackc/pgx/":         {"platform/db", "platform/testkit"},
	"github.com/nats-io/":           {"platform/bus"},
	"github.com/minio/":             {"platform/blob"},
	"golang.org/x/crypto/argon2":    {"platform/auth"},
	"github.com/danielgtaylor/huma": {"platform/httpx"},
	"github.com/xuri/excelize/":     {"importer/table", "importer", "platform/sheet"},
	"github.com/makiuchi-d/gozxing": {"platform/qr"},
}

// edge is one import; from and to are folders below internal (cmd/… for the
// command), to is the whole path for libraries.
type edge struct {
	from, to string
	test     bool // in a test file
}

func TestImportsPointDown(t *testing.T) {
	edges := read(t)
	require.Contains(t, edges, edge{from: "team", to: "platform/db"}, "the reader finds imports")
	for _, f := range faults(edges) {
		t.Error(f)
	}
}

// The rules themselves can fail.
func TestRulesRefuse(t *testing.T) {
	for e, want := range map[edge]string{
		{from: "platform/db", to: "team"}:                               "platform knows no domain",
		{from: "platform/db", to: "team", test: true}:                   "platform knows no domain",
		{from: "platform/errs", to: "platform/db"}:                      "not among the allowed imports",
		{from: "contact", to: "shop"}:                                   "not among the allowed imports",
		{from: "team", to: "app"}:                                       "nothing but the command imports app",
		{from: "contact", to: "app", test: true}:                        "nothing but the command imports app",
		{from: "cmd/koipond", to: "contact"}:                            "the command reaches domains through app",
		{from: "team", to: "platform/testkit"}:                          "only for tests",
		{from: "app", to: "platform/testkit"}:                           "only for tests",
		{from: "journey", to: "event"}:                                  "is not listed",
		{from: "journey", to: "platform/db"}:                            "is not listed",
		{from: "contact", to: "github.com/duckdb/duckdb-go/v2"}:         "only analytics/engine/duckdb may know",
		{from: "app", to: "github.com/jackc/pgx/v5/stdlib"}:             "only platform/db, platform/testkit may know",
		{from: "shop", to: "github.com/danielgtaylor/huma/v2"}:          "only platform/httpx may know",
		{from: "analytics/engine/duckdb", to: "analytics/engine/other"}: "not among the allowed imports",
	} {
		got := faults([]edge{e})
		require.Len(t, got, 1, "%+v", e)
		require.Contains(t, got[0], want)
	}
	for _, e := range []edge{
		{from: "team", to: "platform/db"}, {from: "importer", to: "shop"}, {from: "app", to: "shop"}, {from: "cmd/koipond", to: "app"},
		{from: "shop", to: "platform/testkit", test: true}, {from: "event/pipeline", to: "analytics/engine/duckdb", test: true},
		{from: "platform/bus", to: "github.com/nats-io/nats.go"}, {from: "contact", to: "golang.org/x/text/width"},
	} {
		require.Empty(t, faults([]edge{e}), "%+v", e)
	}
	for name, below := range domains {
		for _, b := range below {
			require.Contains(t, domains, b, "%s lists an unknown package", name)
			require.NotContains(t, domains[b], name, "%s and %s list each other", name, b)
		}
	}
}

func faults(edges []edge) []string {
	var out []string
	for _, e := range edges {
		if why := fault(e); why != "" {
			where := e.from
			if e.test {
				where += " (tests)"
			}
			out = append(out, where+" imports "+e.to+": "+why)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func fault(e edge) string {
	if host, _, _ := strings.Cut(e.to, "/"); strings.Contains(host, ".") {
		return library(e)
	}
	isPlatform := func(p string) bool { return strings.HasPrefix(p, "platform/") }
	isCommand := strings.HasPrefix(e.from, "cmd/")
	switch {
	case e.from == e.to:
		return ""
	case e.to == "app" && !isCommand:
		return "nothing but the command imports app"
	case isPlatform(e.from) && !isPlatform(e.to):
		return "the platform knows no domain"
	case e.test: // tests may stand on any package that is not above theirs
		return ""
	case slices.Contains(forTests, e.to) && !slices.Contains(forTests, e.from):
		return "it is only for tests"
	case isCommand && (e.to == "app" || isPlatform(e.to) || slices.Contains(commandDomains, e.to)), e.from == "app":
		return ""
	case isCommand:
		return "the command reaches domains through app"
	}
	allowed, listed := domains[e.from]
	if listed && isPlatform(e.to) {
		return ""
	}
	if !listed {
		allowed, listed = platform[e.from]
	}
	switch {
	case !listed:
		return e.from + " is not listed in internal/deps_test.go: decide where it stands"
	case !slices.Contains(allowed, e.to):
		return "not among the allowed imports " + strings.Join(allowed, ", ")
	}
	return ""
}

func library(e edge) string {
	if e.test {
		return ""
	}
	for _, prefix := range slices.Sorted(maps.Keys(engines)) {
		if strings.HasPrefix(e.to, prefix) && !slices.Contains(engines[prefix], e.from) {
			return "only " + strings.Join(engines[prefix], ", ") + " may know this library"
		}
	}
	return ""
}

// read parses the imports of every Go file below internal and cmd, whatever its build tags.
func read(t *testing.T) []edge {
	t.Helper()
	seen := map[edge]bool{}
	set := token.NewFileSet()
	for _, root := range []string{".", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || filepath.Dir(path) == "." {
				return nil
			}
			f, err := parser.ParseFile(set, path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			from := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
			for _, im := range f.Imports {
				to, err := strconv.Unquote(im.Path.Value)
				if err != nil {
					return err
				}
				rest, ours := strings.CutPrefix(to, module)
				if host, _, _ := strings.Cut(to, "/"); !ours && !strings.Contains(host, ".") {
					continue // Go's own library
				}
				seen[edge{from, strings.TrimPrefix(rest, "internal/"), strings.HasSuffix(path, "_test.go")}] = true
			}
			return nil
		})
		require.NoError(t, err)
	}
	return slices.Collect(maps.Keys(seen))
}
