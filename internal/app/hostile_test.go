package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// stranger is in the name of every customer whom the narrow user may not see.
const stranger = "外人"

// alarm keeps what the program logs as an error: a panic, a fault of ours.
type alarm struct {
	mu    sync.Mutex
	lines []string
}

func (a *alarm) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, string(bytes.TrimSpace(p)))
	return len(p), nil
}

func (a *alarm) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.lines
	a.lines = nil
	return out
}

// fuzzer asks every operation of the API document with values that a clumsy or
// hostile caller may send.
type fuzzer struct {
	t       *testing.T
	w       *world
	alarm   *alarm
	rnd     *rand.Rand
	doc     apiDoc
	ids     map[string][]string // what looks like an id in any answer, by its prefix
	asked   map[string]int      // requests per operation
	reached map[string]bool     // operations that answered 2xx once
	changed map[string]string   // operations other than GET that answered 2xx, with a body that did
	audited map[string]bool     // those of them after which the audit log had more to tell
	seen    map[string]bool     // faults told already

	last   map[string]string   // the last refusal of an operation
	listed map[string][]string // ids by the path of the list that shows them

	narrow, other string // user ids
	account       string // at WeCom
	token         string // of a preference page
}

type apiDoc struct {
	Paths      map[string]map[string]apiOp
	Components struct{ Schemas map[string]any }
}

type apiOp struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In string
		Schema   map[string]any
	}
	RequestBody struct {
		Content map[string]struct{ Schema map[string]any }
	} `json:"requestBody"`
}

var idLike = regexp.MustCompile(`\b([a-z]{2})_[0-9a-z]{26}\b`)

// surrogate stands for half a UTF-16 pair, which Go's encoder cannot write.
const surrogate = "HALF-A-PAIR"

var deep = func() any {
	var v any = "x"
	for range 2000 {
		v = []any{v}
	}
	return v
}()

func (f *fuzzer) hostile() any {
	texts := []string{"", " ", "\x00", "a\x00b", surrogate, "\u202e名字\u202c", "𠮷👨‍👩‍👧‍👦", strings.Repeat("长", 1000), strings.Repeat("x", 70_000),
		"%", "_", "'; drop table contacts; --", `"`, "\\", "../../etc/passwd", "=1+1", "null", "-1", "1e999", "NaN", "9223372036854775808",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-02-30T25:61:61Z", "+999999-01-01T00:00:00Z", "-0001-01-01", "0000-00-00",
		"<script>alert(1)</script>", "eyJ2IjoxLCJrIjpudWxsfQ", "eyJ2IjoxLCJrIjp7fX0", "eyJ2IjoxLCJrIjpbXX0", "\r\nX-Evil: 1", "ct_", f.narrow}
	others := []any{nil, true, -1, 0, 1.5, 1e308, -1e308, int64(9223372036854775807), int64(-9223372036854775808), json.Number("1e400"),
		[]any{}, []any{nil}, []any{""}, map[string]any{}, map[string]any{"a": nil}, deep}
	switch f.rnd.IntN(8) {
	case 0, 1, 2, 3:
		return texts[f.rnd.IntN(len(texts))]
	case 4, 5:
		return others[f.rnd.IntN(len(others))]
	case 6:
		many := make([]any, 3000)
		one := f.someID("")
		for i := range many {
			many[i] = one
		}
		return many
	}
	return f.someID("")
}

func (f *fuzzer) someID(prefix string) string {
	if prefix == "" {
		prefixes := make([]string, 0, len(f.ids))
		for p := range f.ids {
			prefixes = append(prefixes, p)
		}
		slices.Sort(prefixes)
		if len(prefixes) == 0 {
			return "ct_00000000000000000000000000"
		}
		prefix = prefixes[f.rnd.IntN(len(prefixes))]
	}
	if ids := f.ids[prefix]; len(ids) > 0 {
		return ids[f.rnd.IntN(len(ids))]
	}
	return prefix + "_00000000000000000000000000"
}

// sound makes a value that a schema takes, every property with it; what it
// knows of names makes most bodies pass the first checks.
func (f *fuzzer) sound(name string, schema map[string]any, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		return f.sound(name, f.doc.Components.Schemas[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any), depth)
	}
	if e, ok := schema["enum"].([]any); ok && len(e) > 0 {
		return e[f.rnd.IntN(len(e))]
	}
	switch kind := fmt.Sprint(schema["type"]); {
	case strings.Contains(kind, "object"):
		out := map[string]any{}
		props, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, k := range sorted(props) {
			if needed := slices.Contains(required, any(k)); needed || depth < 4 && f.rnd.IntN(3) == 0 {
				out[k] = f.sound(k, props[k].(map[string]any), depth+1)
			}
		}
		return out
	case strings.Contains(kind, "array"):
		out := []any{}
		if items, ok := schema["items"].(map[string]any); ok && depth < 6 {
			for range f.rnd.IntN(3) {
				out = append(out, f.sound(name, items, depth+1))
			}
		}
		return out
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		low, most := 0, 30
		if v, ok := schema["minimum"].(float64); ok {
			low = int(v)
		}
		if v, ok := schema["maximum"].(float64); ok {
			most = min(int(v), low+30)
		}
		return low + f.rnd.IntN(max(most-low, 0)+1)
	case strings.Contains(kind, "boolean"):
		return f.rnd.IntN(2) == 0
	case strings.Contains(kind, "string"):
		if schema["format"] == "date-time" {
			return time.Now().Add(time.Duration(f.rnd.IntN(100)-50) * time.Hour).Format(time.RFC3339)
		}
		return f.word(name)
	}
	return f.word(name)
}

func (f *fuzzer) word(name string) string {
	switch n := strings.ToLower(name); {
	case n == "currency":
		return "CNY"
	case n == "permissions":
		return "contact.read"
	case n == "state":
		return []string{"granted", "withdrawn"}[f.rnd.IntN(2)]
	case n == "purpose":
		return "marketing"
	case n == "account":
		return f.account
	case n == "metric":
		return []string{"size", "buyers", "event:order.paid"}[f.rnd.IntN(3)]
	case n == "email":
		return fmt.Sprintf("p%d@pond.example", f.rnd.IntN(1000))
	case strings.Contains(n, "owner"), strings.Contains(n, "assignee"), n == "to":
		return []string{f.narrow, f.other}[f.rnd.IntN(2)]
	case strings.Contains(n, "id"), n == "contacts", n == "with", n == "into", n == "tag", n == "tags", n == "add", n == "remove", n == "other", n == "contact":
		return f.someID("")
	case n == "field":
		return []string{"name", "tag", "owner", "attr", "created", "source", "orders", "birthday", "identity", "import", "revenue", "lastSeen"}[f.rnd.IntN(12)]
	case n == "op":
		return []string{"is", "isNot", "in", "contains", "startsWith", "before", "after", "between", "set", "notSet", "gt", "within", "anniversary", "hasAnyOf"}[f.rnd.IntN(14)]
	}
	return []string{"a", "茶", "city", "phone", "2026-01-02", "5"}[f.rnd.IntN(6)]
}

func sorted(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// spoil puts hostile values into one to three places of a sound body.
func (f *fuzzer) spoil(v any) any {
	for range 1 + f.rnd.IntN(2) {
		v = f.spoilOne(v)
	}
	return v
}

func (f *fuzzer) spoilOne(v any) any {
	switch x := v.(type) {
	case map[string]any:
		keys := sorted(x)
		if len(keys) == 0 || f.rnd.IntN(12) == 0 {
			return f.hostile()
		}
		x = maps.Clone(x) // it may be one of the hostile values, which are shared
		k := keys[f.rnd.IntN(len(keys))]
		if f.rnd.IntN(10) == 0 {
			delete(x, k)
		} else {
			x[k] = f.spoilOne(x[k])
		}
		return x
	case []any:
		if len(x) == 0 || f.rnd.IntN(4) == 0 {
			return f.hostile()
		}
		x = slices.Clone(x) // as above: a list inside itself is no JSON
		i := f.rnd.IntN(len(x))
		x[i] = f.spoilOne(x[i])
		return x
	}
	return f.hostile()
}

func (f *fuzzer) text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil || len(b) > 500 {
		return "1e400"
	}
	return string(b)
}

// learn keeps the ids of the things that a list shows, by the list's path.
func (f *fuzzer) learn(path string, answer []byte) {
	var list struct{ Items, Groups []map[string]any }
	if json.Unmarshal(answer, &list) != nil {
		return
	}
	for _, item := range slices.Concat(list.Items, list.Groups) {
		for _, k := range []string{"id", "key", "name", "batch"} {
			if id, ok := item[k].(string); ok && id != "" {
				if !slices.Contains(f.listed[path], id) && len(f.listed[path]) < 60 {
					f.listed[path] = append(f.listed[path], id)
				}
				break
			}
		}
	}
}

// prefixes of ids that stand in paths whose list shows none.
var idsOf = map[string]string{"/api/import-files/": "up", "/api/merges/": "mg", "/api/reassignments/": "ra", "/api/tag-groups/": "gr", "/api/follow-ups/": "fu"}

func (f *fuzzer) request(path, method string, op apiOp, spoil bool) (target, body, kind string) {
	target = wildcards.ReplaceAllStringFunc(path, func(name string) string {
		if spoil && f.rnd.IntN(6) == 0 {
			return url.PathEscape(f.text(f.hostile())) + "x"
		}
		stem := path[:strings.Index(path, name)]
		if p := idsOf[stem]; p != "" {
			return f.someID(p)
		}
		if strings.HasPrefix(path, "/p/") {
			return f.token
		}
		if name == "{note}" {
			return f.someID("no")
		}
		if name == "{account}" {
			return f.account
		}
		if stem == "/api/groups/{account}/" {
			return plantedGroup
		}
		if ids := f.listed[strings.TrimSuffix(stem, "/")]; len(ids) > 0 {
			return url.PathEscape(ids[f.rnd.IntN(len(ids))])
		}
		return f.someID("")
	})
	q := url.Values{}
	for _, p := range op.Parameters {
		if p.In != "query" || f.rnd.IntN(2) == 0 {
			continue
		}
		v := f.sound(p.Name, p.Schema, 3)
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		if spoil && f.rnd.IntN(2) == 0 {
			v = f.hostile()
		}
		if s := f.text(v); len(s) < 8000 {
			q.Set(p.Name, s)
		}
	}
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	for kind, c := range op.RequestBody.Content {
		v := f.sound("", c.Schema, 0)
		if spoil {
			v = f.spoil(v)
		}
		raw, err := json.Marshal(v)
		require.NoError(f.t, err)
		body = strings.ReplaceAll(string(raw), surrogate, `\ud800`)
		if spoil {
			switch f.rnd.IntN(25) {
			case 0:
				body = body[:len(body)/2]
			case 1:
				body = body[:len(body)-1] + `,"id":1,"id":2,"name":"a","name":{}}`
			case 2:
				body = strings.Repeat("[", 20_000)
			case 3:
				body = "\xff\xfe" + body
			}
		}
		return target, body, kind
	}
	switch {
	case strings.HasPrefix(path, "/v1/"):
		v := any(map[string]any{"userId": "user-1", "anonymousId": "dev-1", "previousId": "user-9", "groupId": "g", "event": "seen", "type": "track", "messageId": "m", "name": "n",
			"timestamp": "2026-01-02T03:04:05Z", "traits": map[string]any{"city": "杭州", "age": 5}, "properties": map[string]any{"a": 1, "total": 100, "currency": "CNY", "lines": []any{map[string]any{"name": "茶", "quantity": 1}}},
			"context": map[string]any{"channel": "web", "externalIds": []any{map[string]any{"type": "phone", "id": "13800000000"}}}})
		if path == "/v1/batch" || path == "/v1/import" {
			v = map[string]any{"batch": []any{v}}
		}
		if spoil {
			v = f.spoil(v)
		}
		raw, err := json.Marshal(v)
		require.NoError(f.t, err)
		return target, strings.ReplaceAll(string(raw), surrogate, `\ud800`), "application/json"
	case path == "/api/imports/files":
		return target + "?name=a.csv", "姓名,手机号,=1\n甲,13800000000,\"\n", "application/octet-stream"
	case strings.HasPrefix(path, "/p/") && method == "post":
		return target, "state.marketing.sms=granted&all=" + url.QueryEscape(f.text(f.hostile())), "application/x-www-form-urlencoded"
	case method != "get":
		return target, "{}", "application/json"
	}
	return target, "", ""
}

func (f *fuzzer) ask(p *auth.Principal, path, method string, op apiOp, spoil bool) {
	target, body, kind := f.request(path, method, op, spoil)
	ctx, cancel := context.WithTimeout(auth.With(context.Background(), p), 20*time.Second)
	if path == "/api/facts/live" { // goes on until the caller leaves
		ctx, cancel = context.WithTimeout(auth.With(context.Background(), p), 30*time.Millisecond)
	}
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, strings.ToUpper(method), "http://pond.example"+target, strings.NewReader(body))
	if err != nil {
		return // not even Go's client sends this
	}
	req.RequestURI = ""
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if strings.HasPrefix(path, "/v1/") {
		req.SetBasicAuth(f.w.key, "")
	}
	rec := httptest.NewRecorder()
	before := f.entries(method)
	f.w.h.ServeHTTP(rec, req)
	if method != "get" && rec.Code < 300 {
		f.changed[op.OperationID] = cut(body, 200) + " -> " + cut(rec.Body.String(), 200)
		f.audited[op.OperationID] = f.audited[op.OperationID] || f.entries(method) > before
	}
	f.asked[op.OperationID]++
	if rec.Code == 422 || rec.Code == 400 || rec.Code == 409 || rec.Code == 404 {
		f.last[op.OperationID] = cut(body, 200) + " -> " + cut(rec.Body.String(), 500)
	}
	answer := rec.Body.String()
	for _, m := range idLike.FindAllStringSubmatch(answer, -1) {
		if !slices.Contains(f.ids[m[1]], m[0]) && len(f.ids[m[1]]) < 60 {
			f.ids[m[1]] = append(f.ids[m[1]], m[0])
		}
	}
	if method == "get" && rec.Code == 200 {
		f.learn(path, rec.Body.Bytes())
	}
	if rec.Code < 300 {
		f.reached[op.OperationID] = true
	}
	said := func(what string) {
		key := op.OperationID + what
		if !f.seen[key] {
			f.seen[key] = true
			f.t.Errorf("%s\n  %s %s as %s\n  %s\n  %d %s", what, strings.ToUpper(method), target, p.ID, cut(body, 600), rec.Code, cut(answer, 400))
		}
	}
	for _, line := range f.alarm.take() {
		said("logged: " + cut(line, 700))
	}
	if rec.Code >= 500 {
		said("a fault of ours")
	}
	if p.ID == f.narrow {
		if got := planted.FindString(answer); got != "" {
			said("a phone number or address in clear: " + got)
		}
		if i := strings.Index(answer, stranger); i >= 0 && !strings.Contains(body+target, stranger) {
			said("another one's customer: " + cut(answer[max(0, i-200):], 400))
		}
	}
}

// entries counts what the audit log holds, before and after what may change something.
func (f *fuzzer) entries(method string) (n int64) {
	if method != "get" {
		require.NoError(f.t, f.w.app.DB.QueryRow(context.Background(), "select seq from audit_head where id = 1").Scan(&n))
	}
	return n
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// TestHostileValues asks every operation as an administrator and as somebody
// who sees a few customers and no personal data. A status of 500 and above, an
// error in the log, a planted number or a name of another one's customer fails.
// KOIPOND_HOSTILE_SEED and _ROUNDS ask for other values and for more of them.
func TestHostileValues(t *testing.T) {
	seed, rounds := uint64(7), 3
	if s := os.Getenv("KOIPOND_HOSTILE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		seed = n
	}
	if s := os.Getenv("KOIPOND_HOSTILE_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		rounds = n
	}
	engines(t, func(t *testing.T, cfg Config) {
		bell := &alarm{}
		w := startWorldLogging(t, cfg, slog.New(slog.NewTextHandler(bell, &slog.HandlerOptions{Level: slog.LevelError})))
		f := &fuzzer{t: t, w: w, alarm: bell, rnd: rand.New(rand.NewPCG(seed, 1)), ids: map[string][]string{}, asked: map[string]int{}, reached: map[string]bool{}, changed: map[string]string{}, audited: map[string]bool{}, seen: map[string]bool{}, listed: map[string][]string{}, last: map[string]string{}}
		raw, err := w.app.api.OpenAPI()
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &f.doc))
		f.plant()
		admin := testkit.Principal("admin")
		world := sim.New(sim.Options{Seed: 5, People: 5})
		w.app.sim = &demoSim{sim: world} // so that its operations have something to answer
		defer func() { w.app.sim = nil; world.Close() }()
		narrow := scoped(f.narrow)
		delete(narrow.Permissions, auth.ContactUnmask)
		ops := make([][2]string, 0, 200)
		for path, methods := range f.doc.Paths {
			for method := range methods {
				ops = append(ops, [2]string{path, method})
			}
		}
		slices.SortFunc(ops, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
		began := time.Now()
		for _, o := range ops { // what there is
			if o[1] == "get" && !strings.Contains(o[0], "{") && o[0] != "/api/system/backup" {
				f.ask(admin, o[0], o[1], apiOp{OperationID: f.doc.Paths[o[0]][o[1]].OperationID}, false)
			}
		}
		// The narrow user first: an administrator may give them anybody's customer.
		for _, who := range []*auth.Principal{narrow, admin} {
			for round := range rounds {
				for _, o := range ops {
					op := f.doc.Paths[o[0]][o[1]]
					if slices.Contains([]string{"resume-connector", "check-connector", "delete-connector"}, op.OperationID) { // the paused account stays so: it would call the platform
						continue
					}
					// The diary waits for news.
					if op.OperationID == "get-sim-diary" || op.OperationID == "create-setup" || op.OperationID == "revoke-write-key" || op.OperationID == "download-backup" && round > 0 {
						continue
					}
					f.ask(who, o[0], o[1], op, round > 0)
				}
			}
		}
		n := 0
		for _, c := range f.asked {
			n += c
		}
		t.Logf("%d requests to %d operations in %s; %d answered well at least once", n, len(f.asked), time.Since(began).Round(time.Millisecond), len(f.reached))
		if testing.Verbose() {
			for _, o := range ops {
				if id := f.doc.Paths[o[0]][o[1]].OperationID; !f.reached[id] {
					t.Log("never answered well: ", id, f.last[id])
				}
			}
		}
		if testing.Verbose() { // to be read: what only looked, or found things as they were to be, leaves nothing
			for id, how := range f.changed {
				if !f.audited[id] {
					t.Log("nothing in the audit log after ", id, how)
				}
			}
		}
		// No simulator runs here: its operations say so, whatever they are asked.
		able := slices.DeleteFunc(slices.Clone(ops), func(o [2]string) bool { return strings.HasPrefix(o[0], "/api/sim") })
		require.Greater(t, len(f.reached), len(able)/2, "most operations were reached")
	})
}

// plant makes a small pond: customers of two owners with numbers, tags, notes,
// follow-ups, orders, consent.
func (f *fuzzer) plant() {
	t, w := f.t, f.w
	user := func(name string) string {
		var made struct{ User struct{ ID string } }
		require.Less(t, w.call("POST", "/api/users", fmt.Sprintf(`{"email":"%s@pond.example","name":%q,"role":"sales"}`, name, name), &made), 300)
		return made.User.ID
	}
	f.narrow, f.other = user("narrow"), user("other")
	for n, owner := range []string{f.narrow, f.narrow, f.other, f.other, f.other} {
		name := fmt.Sprintf("客户%d", n)
		if owner == f.other {
			name = fmt.Sprintf("%s%d", stranger, n)
		}
		user := fmt.Sprintf("user-%d", n)
		require.Equal(t, 200, w.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":%q,"traits":{"name":%q,"phone":%q,"email":%q,"id_number":%q,"second_phone":%q}}`,
			user, name, phone(n), mailbox(n), idNumber(n), phone(n+100)), nil))
		require.Equal(t, 200, w.call("POST", "/v1/track", fmt.Sprintf(`{"userId":%q,"event":"order.paid","properties":{"orderNumber":"%s-%d","total":%d,"currency":"CNY","receiver":{"name":%q,"phone":%q},"lines":[{"name":"茶","quantity":1,"total":100}]}}`,
			user, name, n, 100+n, name, phone(n+200)), nil))
	}
	w.settle()
	var people struct{ Items []contact.Row }
	require.Equal(t, 200, w.call("GET", "/api/contacts", "", &people))
	require.Len(t, people.Items, 5)
	var tag struct{ ID string }
	require.Equal(t, 200, w.call("POST", "/api/tags", `{"name":"老客","group":"关系"}`, &tag))
	for _, c := range people.Items {
		owner := f.narrow
		if strings.HasPrefix(c.Name, stranger) {
			owner = f.other
		}
		_, err := w.app.DB.Exec(t.Context(), "update contacts set owner_id = $1 where id = $2", owner, c.ID)
		require.NoError(t, err)
		require.Less(t, w.call("PUT", "/api/contacts/"+c.ID+"/tags", fmt.Sprintf(`{"add":[%q]}`, tag.ID), nil), 300)
		require.Less(t, w.call("POST", "/api/contacts/"+c.ID+"/notes", fmt.Sprintf(`{"text":"%s的笔记"}`, c.Name), nil), 300)
		require.Less(t, w.call("POST", "/api/contacts/"+c.ID+"/follow-ups", fmt.Sprintf(`{"text":"回访%s","assignee":%q,"due":%q}`, c.Name, owner, time.Now().Add(time.Hour).Format(time.RFC3339)), nil), 300)
	}
	f.outside(people.Items[0].ID)
	f.work(people.Items, tag.ID)
	f.alarm.take()
}

// plantedGroup is a customer group of the account.
const plantedGroup = "wr1"

// outside plants an account at WeCom, paused so that nobody calls it, with a group.
func (f *fuzzer) outside(contact string) {
	t, w := f.t, f.w
	var made struct{ ID string }
	require.Less(t, w.call("POST", "/api/connectors", `{"kind":"wecom","name":"企业","settings":{"corpId":"ww1a2b3c4d5e6f7a8b","agentId":"1000002"},
		"secrets":{"secret":"a-secret-that-is-long-enough","token":"QDG6eK","aesKey":"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"}}`, &made), 300)
	f.account = made.ID
	require.Less(t, w.call("POST", "/api/connectors/"+made.ID+"/pause", `{}`, nil), 300)
	_, err := w.app.DB.Exec(t.Context(), `insert into community_groups (account, id, name, owner, state, owner_left, version, members, customers, created_at, ended_at, read_at, seen) values ($1, $2, '茶友', 'zhang', 'open', 0, '', 1, 1, 1, 0, 1, 0)`, made.ID, plantedGroup)
	require.NoError(t, err)
	_, err = w.app.DB.Exec(t.Context(), `insert into community_members (account, chat, member, kind, contact, name_enc, invitor, state, scene, quit, joined_at, left_at) select $1, $2, 'wm1', 'customer', num, '', '', '', 3, 0, 1, 0 from contacts where id = $3`, made.ID, plantedGroup, contact)
	require.NoError(t, err)
}

// work does with them what people do all day, so that there is something of everything.
func (f *fuzzer) work(people []contact.Row, tag string) {
	t, w := f.t, f.w
	do := func(method, path, body string) {
		t.Helper()
		require.Less(t, w.call(method, path, body, nil), 300, path)
	}
	all := `{"filter":{}}`
	do("POST", "/api/attributes", `{"key":"level","nameZh":"等级","type":"enum","options":[{"id":"a","label":"甲"},{"id":"b","label":"乙"}],"indexed":true}`)
	do("POST", "/api/attributes", `{"key":"second_phone","nameZh":"备用电话","type":"phone","personal":"personal"}`)
	do("POST", "/api/contact-views", `{"name":"v","shared":true,"definition":{"filter":{}}}`)
	do("POST", "/api/tags/bulk", `{"add":["`+tag+`"],"selection":`+all+`}`)
	do("POST", "/api/contacts/export", `{"format":"csv","clear":true,"reason":"r","selection":`+all+`}`)
	do("POST", "/api/contacts/reassign", `{"filter":{"q":"`+stranger+`"},"to":[{"user":"`+f.other+`"}]}`)
	do("POST", "/api/consent/suppressions", `{"kind":"phone","value":"`+phone(3)+`","reason":"r"}`)
	do("POST", "/api/roles", `{"name":"r","permissions":["contact.read"]}`)
	do("POST", "/api/departments", `{"name":"d"}`)
	// An account at a platform that is never reached: what hangs on accounts is asked for all the same.
	var account struct{ ID string }
	require.Less(t, w.call("POST", "/api/connectors", `{"kind":"wecom","name":"a","settings":{"corpId":"ww1a2b3c4d5e6f7a8b","agentId":"1000002","base":"https://platform.invalid"},
		"secrets":{"secret":"0123456789abcdefghij","token":"abcdef","aesKey":"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"}}`, &account), 300)
	do("POST", "/api/connectors/"+account.ID+"/pause", `{}`)
	var mine []string
	for _, c := range people {
		do("POST", "/api/contacts/"+c.ID+"/consents", `{"reason":"r","changes":[{"purpose":"marketing","channel":"sms","state":"granted"}]}`)
		if strings.HasPrefix(c.Name, stranger) {
			mine = append(mine, c.ID)
		}
	}
	do("POST", "/api/contacts/"+mine[0]+"/apart", `{"other":"`+mine[1]+`"}`)
	var link struct{ URL string }
	require.Equal(t, 200, w.call("POST", "/api/contacts/"+people[0].ID+"/preference-link", `{}`, &link))
	f.token = link.URL[strings.LastIndex(link.URL, "/")+1:]
	w.settle()
}
