package app

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
)

// serveEnv names the data folder that TestServeForAnother serves.
const serveEnv = "KOIPOND_TEST_SERVE"

// TestServeForAnother is no test of its own: it is the server that others
// start as a process, to kill it.
func TestServeForAnother(t *testing.T) {
	dir := os.Getenv(serveEnv)
	if dir == "" {
		t.Skip("runs as the server of another test")
	}
	cfg := DefaultConfig()
	cfg.Data, cfg.Listen, cfg.StreamMaxBytes, cfg.AnalyticsMemory = dir, "127.0.0.1:0", 256<<20, 128
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	err := Run(ctx, cfg, Build{Version: "test"}, log, func(r Running) { fmt.Printf("serving %s\n", r.URL) })
	require.NoError(t, err)
}

// serverProcess is a real server on a folder of its own.
type serverProcess struct {
	t          *testing.T
	dir, url   string
	cmd        *exec.Cmd
	logs       bytes.Buffer
	token, key string
}

func newServerProcess(t *testing.T) *serverProcess {
	s := &serverProcess{t: t, dir: filepath.Join(t.TempDir(), "data")}
	cfg := DefaultConfig()
	cfg.Data = s.dir
	ctx := auth.With(t.Context(), auth.CLI("test"))
	r, err := OpenRecords(ctx, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, s.token, err = r.Team.CreateToken(ctx, "test", "admin", time.Time{})
	require.NoError(t, err)
	_, s.key, err = r.Team.CreateWriteKey(ctx, "web", "web")
	require.NoError(t, err)
	require.NoError(t, r.Close())
	t.Cleanup(func() {
		if s.cmd != nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	return s
}

func (s *serverProcess) start() {
	s.t.Helper()
	s.cmd = exec.Command(os.Args[0], "-test.run=^TestServeForAnother$")
	s.cmd.Env = append(os.Environ(), serveEnv+"="+s.dir)
	s.cmd.Stderr = &s.logs
	out, err := s.cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			s.url = url
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	_ = s.cmd.Wait()
	s.t.Fatalf("the server did not start: %s", s.logs.String())
}

func (s *serverProcess) end(sig syscall.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(sig))
	err := s.cmd.Wait()
	s.cmd = nil
	if sig == syscall.SIGTERM {
		require.NoError(s.t, err, s.logs.String())
	}
}

// call sends a request and decodes the answer; the status is the caller's to judge.
func (s *serverProcess) call(method, path string, body any, out any, headers ...string) int {
	s.t.Helper()
	var r io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r, kind = bytes.NewReader(b), "application/octet-stream"
	default:
		raw, err := json.Marshal(b)
		require.NoError(s.t, err)
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, s.url+path, r)
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", kind)
	if strings.HasPrefix(path, "/v1/") {
		req.SetBasicAuth(s.key, "")
	} else {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	if out != nil {
		require.Less(s.t, res.StatusCode, 300, "%s %s: %s", method, path, raw)
		require.NoError(s.t, json.Unmarshal(raw, out), string(raw))
	}
	return res.StatusCode
}

// ok is call for requests that must succeed.
func (s *serverProcess) ok(method, path string, body any, out any) {
	s.t.Helper()
	var any json.RawMessage
	if out == nil {
		out = &any
	}
	s.call(method, path, body, out)
}

func (s *serverProcess) until(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
		require.True(s.t, time.Now().Before(deadline), "waited in vain: %s\n%s", what, s.logs.String())
	}
}

func (s *serverProcess) importFile(name string, body []byte, kind string, columns map[string]string) {
	s.t.Helper()
	var up struct {
		ID string `json:"id"`
	}
	s.ok("POST", "/api/imports/files?name="+name, body, &up)
	ask := map[string]any{"uploadId": up.ID, "kind": kind, "mapping": map[string]any{"columns": columns}, "options": map[string]any{}}
	s.ok("POST", "/api/imports/preview", ask, nil)
	ask["saveMappingAs"] = name
	var imp struct {
		ID, State string
		Rejected  int64
	}
	s.ok("POST", "/api/imports", ask, &imp)
	s.until("import of "+name, func() bool {
		s.ok("GET", "/api/imports/"+imp.ID, nil, &imp)
		require.NotEqual(s.t, "failed", imp.State)
		return imp.State == "succeeded"
	})
	if imp.Rejected > 0 {
		require.Equal(s.t, 200, s.call("GET", "/api/imports/"+imp.ID+"/rejects", nil, nil))
	}
}

// What is planted: each place has a number of its own, so that a find tells
// through which door it came.
func phone(n int) string    { return fmt.Sprintf("1397186%04d", n) }
func mailbox(n int) string  { return fmt.Sprintf("plant%04d@mail-plant.cn", n) }
func idNumber(n int) string { return fmt.Sprintf("11010519491231%04d", n) }

const street = "藏粉巷"

// planted finds all of them, as they are and as people and programs write them.
var planted = regexp.MustCompile(`139[- ]?7186[- ]?\d{4}|plant\d{4}(@|%40|\\u0040)mail-plant|11010519491231\d{4}|` + street + `|\\u85cf\\u7c89\\u5df7|%E8%97%8F%E7%B2%89`)

// inBase64 are parts of the texts above as base64 writes them, by where they begin in it.
func inBase64() [][]byte {
	var out [][]byte
	for _, text := range []string{"1397186", "@mail-plant", "11010519491231", street} {
		for shift := range 3 {
			enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + text))
			cut := (shift*8 + 5) / 6
			out = append(out, []byte(enc[cut:len(enc)-len(enc)%4-4]))
		}
	}
	return out
}

// plant puts personal values in through every door there is.
func (s *serverProcess) plant() {
	t := s.t
	day := time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)
	track := func(fields string) {
		t.Helper()
		require.Equal(t, 200, s.call("POST", "/v1/track", fmt.Sprintf(`{"timestamp":%q,%s}`, day, fields), nil))
	}
	require.Equal(t, 200, s.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"u-1","traits":{"name":"沈青","phone":%q,"email":%q,"idCard":%q,"address":"杭州%s8号","备用手机":%q,"wechatNote":"打 %s 找我","contacts":[{"tel":%q}],"shipTo":{"address":{"street":"%s9号"}}}}`,
		phone(1), mailbox(1), idNumber(1), street, phone(2), phone(3), phone(4), street), nil))
	track(fmt.Sprintf(`"userId":"u-1","event":"form.sent","properties":{"phone":%q,"n":%s,"to":[%q,{"deep":{"mail":%q}}],"text":"电话 %s 谢谢","id":%q,"receiver":{"mobile":"+86 %s","address":"%s"}}`,
		phone(10), phone(11), phone(12), mailbox(10), phone(13), idNumber(10), phone(14), street))
	require.Equal(t, 200, s.call("POST", "/v1/page", fmt.Sprintf(`{"anonymousId":"dev-1","properties":{"url":"https://shop.cn/a?phone=%s&m=plant0020%%40mail-plant.cn","path":"/a","search":"?phone=%s"},"context":{"page":{"url":"https://shop.cn/a?mail=%s","referrer":"https://r.cn/?p=%s"}}}`,
		phone(20), phone(21), mailbox(21), phone(22)), nil))
	track(fmt.Sprintf(`"userId":%q,"event":"a.b","properties":{}`, phone(30)))
	track(fmt.Sprintf(`"userId":%q,"event":"a.b","properties":{}`, mailbox(31)))
	track(fmt.Sprintf(`"anonymousId":%q,"event":"a.b","properties":{}`, phone(32)))
	track(fmt.Sprintf(`"userId":%q,"event":"a.b","context":{"traits":{"phone":%q},"externalIds":[{"type":"phone","id":%q},{"type":"id_number","id":%q},{"type":"wechat","id":%q}]}`, "u-2", phone(33), phone(34), idNumber(34), phone(35)))
	require.Equal(t, 200, s.call("POST", "/v1/alias", fmt.Sprintf(`{"previousId":%q,"userId":%q}`, phone(36), phone(37)), nil))
	require.Equal(t, 200, s.call("POST", "/v1/group", fmt.Sprintf(`{"userId":"u-2","groupId":%q,"traits":{"phone":%q}}`, phone(38), phone(39)), nil))
	track(fmt.Sprintf(`"userId":"u-2","event":"Order Completed","properties":{"order_id":"O-1","total":12.5,"currency":"CNY","receiver":"王藏","receiver_phone":%q,"receiver_address":"杭州%s1号","products":[{"sku":"s","price":12.5,"quantity":1}]}`, phone(40), street))
	// People who have the same number and may not be one: a conflict on record.
	require.Equal(t, 200, s.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"u-8","traits":{"phone":%q}}`, phone(1)), nil))
	// A visitor who signs in: a merge with images.
	track(`"anonymousId":"dev-9","event":"seen"`)
	require.Equal(t, 200, s.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"u-9","anonymousId":"dev-9","traits":{"phone":%q,"address":"%s3号"}}`, phone(41), street), nil))
	// Two people become one.
	require.Equal(t, 200, s.call("POST", "/v1/identify", fmt.Sprintf(`{"anonymousId":"dev-10","traits":{"email":%q,"phone2":%q}}`, mailbox(42), phone(42)), nil))
	require.Equal(t, 200, s.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"u-10","traits":{"email":%q,"phone2":%q}}`, mailbox(42), phone(43)), nil))
	// Bad requests, whose words may be logged, and facts of nobody, which are set aside.
	s.call("POST", "/v1/track", fmt.Sprintf(`{"userId":%q,"event":"x","timestamp":"%s","properties":{"phone":%q`, phone(50), phone(51), phone(52)), nil)
	s.call("POST", "/v1/track", fmt.Sprintf(`{"event":"x","userId":["%s"],"properties":%q}`, phone(53), phone(53)), nil)
	s.call("POST", "/v1/batch", fmt.Sprintf(`{"batch":[{"type":%q,"userId":"u"},{"type":"track","userId":"null","event":"e","properties":{"phone":%q}}]}`, phone(54), phone(55)), nil)
	track(fmt.Sprintf(`"userId":"0000","event":"of.nobody","properties":{"phone":%q,"note":"%s"}`, phone(56), street))
	track(fmt.Sprintf(`"userId":"anonymous","event":"of.nobody","context":{"externalIds":[{"type":"phone","id":"12%s"}]}`, phone(57)))
	// By hand.
	var who struct {
		ID string `json:"id"`
	}
	s.call("POST", "/api/contacts", map[string]any{"name": "沈手", "phone": phone(60), "email": mailbox(60), "attributes": map[string]any{"address": "杭州" + street, "id_number": idNumber(60), "second_phone": phone(61)}}, &who, "Idempotency-Key", "k-1")
	s.ok("PATCH", "/api/contacts/"+who.ID, map[string]any{"attributes": map[string]any{"身份证": idNumber(62), "家里电话": phone(62)}}, nil)
	s.ok("POST", "/api/contacts/"+who.ID+"/notes", map[string]any{"text": "他老婆电话 " + phone(63) + "，住" + street}, nil)
	s.ok("POST", "/api/contacts/"+who.ID+"/unmask", map[string]any{"field": "phone", "reason": "回电"}, nil)
	s.call("POST", "/api/contacts", map[string]any{"name": "重复", "phone": phone(60)}, nil)        // taken
	s.call("POST", "/api/contacts", map[string]any{"name": "坏的", "phone": phone(64) + "99"}, nil) // no number
	for _, q := range []string{phone(60), mailbox(60), phone(65), "139-7186-0066"} {
		s.ok("GET", "/api/contacts?q="+strings.ReplaceAll(q, "@", "%40"), nil, nil)
		s.ok("GET", "/api/search?q="+strings.ReplaceAll(q, "@", "%40"), nil, nil)
	}
	s.call("GET", "/api/contacts/"+phone(67), nil, nil)
	// Files.
	s.importFile("people.csv", []byte("姓名,手机号,邮箱,地址,备注手机\n张一,"+phone(70)+","+mailbox(70)+",杭州"+street+","+phone(71)+"\n张二,12345,"+mailbox(72)+","+street+","+phone(72)+"\n"),
		"contacts", map[string]string{"姓名": "name", "手机号": "phone", "邮箱": "email", "地址": "attr:address", "备注手机": "attr:备注手机"})
	s.importFile("again.csv", []byte("手机号,地址\n"+phone(70)+",上海"+street+"\n"+phone(1)+",上海"+street+"\n"), "contacts", map[string]string{"手机号": "phone", "地址": "attr:address"})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte("订单号,时间,金额,收货人手机,收货地址,收货人\nA1,2026-01-02 10:00,12," + phone(73) + ",杭州" + street + ",李一\nA2,不是时间,12," + phone(74) + ",杭州" + street + ",李二\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	s.importFile("orders.csv.gz", packed.Bytes(), "orders", map[string]string{"订单号": "order_number", "时间": "paid_at", "金额": "total", "收货人手机": "phone", "收货地址": "prop:receiver_address", "收货人": "name"})
	x := excelize.NewFile()
	for i, row := range [][]any{{"姓名", "手机号"}, {"赵一", phone(75)}, {"赵二", "1397186007"}} {
		require.NoError(t, x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	book, err := x.WriteToBuffer()
	require.NoError(t, err)
	s.importFile("book.xlsx", book.Bytes(), "contacts", map[string]string{"姓名": "name", "手机号": "phone"})
	s.importFile("events.csv", []byte("手机号,事件,时间,备注\n"+phone(76)+",visit,2026-01-02 10:00,找 "+phone(77)+"\n"), "events", map[string]string{"手机号": "phone", "事件": "event", "时间": "timestamp", "备注": "prop:备注"})
	s.plantWork()
}

// settled waits until all that was sent is stored.
func (s *serverProcess) settled() {
	s.until("the facts to be stored", func() bool {
		var sum struct {
			Events []struct {
				Name  string
				Count int64
			}
		}
		s.ok("GET", "/api/facts/summary", nil, &sum)
		for _, e := range sum.Events {
			if e.Name == "visit" {
				return true
			}
		}
		return false
	})
}

// finds are the planted values in the bytes of something, and in what is packed inside.
func finds(where string, data []byte) []string {
	var out []string
	report := func(where string, data []byte) {
		for _, at := range planted.FindAllIndex(data, 5) {
			out = append(out, fmt.Sprintf("%s at byte %d: …%q…", where, at[0], data[max(at[0]-60, 0):min(at[1]+40, len(data))]))
		}
	}
	report(where, data)
	for _, text := range inBase64() {
		if at := bytes.Index(data, text); at >= 0 {
			out = append(out, fmt.Sprintf("%s at byte %d, in base64: …%q…", where, at, data[max(at-60, 0):min(at+60, len(data))]))
		}
	}
	each := func(magic string, unpack func([]byte) io.Reader) {
		for from := 0; ; {
			i := bytes.Index(data[from:], []byte(magic))
			if i < 0 {
				return
			}
			from += i
			if r := unpack(data[from:]); r != nil {
				inside, _ := io.ReadAll(io.LimitReader(r, 64<<20)) // what can be unpacked of it; most finds of the magic are chance
				report(fmt.Sprintf("%s, packed at byte %d", where, from), inside)
			}
			from += len(magic)
		}
	}
	each("\x1f\x8b\x08", func(b []byte) io.Reader {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil
		}
		r.Multistream(false)
		return r
	})
	each("PK\x03\x04", func(b []byte) io.Reader {
		if len(b) < 30 || b[8] != 8 {
			return nil
		}
		head := 30 + int(b[26]) + int(b[27])<<8 + int(b[28]) + int(b[29])<<8
		return flate.NewReader(bytes.NewReader(b[min(head, len(b)):]))
	})
	return out
}

// search reads every byte of every file of the data folder, and the logs. The
// analytics file is also read as its engine does: it packs texts in ways of its own.
func (s *serverProcess) search() []string {
	out := finds("the log", s.logs.Bytes())
	require.NoError(s.t, filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		out = append(out, finds(strings.TrimPrefix(path, s.dir+"/"), raw)...)
		return err
	}))
	out = append(out, s.searchTables()...)
	file := filepath.Join(s.t.TempDir(), "facts.duckdb")
	for _, end := range []string{"", ".wal"} {
		raw, err := os.ReadFile(filepath.Join(s.dir, "analytics", "facts.duckdb"+end))
		if err == nil {
			require.NoError(s.t, os.WriteFile(file+end, raw, 0o600))
		}
	}
	store, err := duckdb.Open(s.t.Context(), duckdb.Config{Path: file})
	require.NoError(s.t, err)
	rows, err := store.After(s.t.Context(), event.Position{}, 10_000)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, rows)
	for _, r := range rows {
		raw, err := json.Marshal(r)
		require.NoError(s.t, err)
		out = append(out, finds("fact "+r.Name, raw)...)
	}
	require.NoError(s.t, store.Close())
	return out
}

// TestNoPersonalDataLiesInClear is the promise of the handbook's page on
// personal data: whoever gets the data folder without the keys, or the logs,
// gets no phone number, e-mail address, identity number or address.
func TestNoPersonalDataLiesInClear(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server several times")
	}
	// The search itself can find.
	for _, bad := range []string{phone(1), mailbox(2), "139-7186-0001", base64.StdEncoding.EncodeToString([]byte("call " + phone(3))), `{"a":"\u85cf\u7c89\u5df7"}`} {
		require.NotEmpty(t, finds("here", []byte("xx"+bad+"yy")), bad)
	}
	s := newServerProcess(t)
	s.start()
	s.plant()
	s.settled()
	var aside struct{ Items []json.RawMessage }
	s.ok("GET", "/api/facts/set-aside", nil, &aside)
	require.NotEmpty(t, aside.Items, "facts of nobody are set aside")
	s.end(syscall.SIGKILL)
	for _, f := range s.search() {
		t.Error("after kill -9: ", f)
	}
	s.start()
	// What was sealed is found and opened as before.
	for _, q := range []string{phone(1), mailbox(31), phone(30), phone(60), phone(70), phone(73), phone(75)} {
		var found struct{ Total int64 }
		s.ok("GET", "/api/contacts?q="+strings.ReplaceAll(q, "@", "%40"), nil, &found)
		require.EqualValues(t, 1, found.Total, q)
	}
	s.end(syscall.SIGTERM)
	for _, f := range s.search() {
		t.Error("after a stop: ", f)
	}
	raw, err := os.ReadFile(filepath.Join(s.dir, "koipond.key"))
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "#") {
			require.NotContains(t, s.logs.String(), strings.TrimSpace(line), "keys are not logged")
		}
	}
}

// records opens the records beside the running server, as the command line does.
func (s *serverProcess) records(fn func(ctx context.Context, r *Records)) {
	s.t.Helper()
	cfg := DefaultConfig()
	cfg.Data = s.dir
	ctx := auth.With(s.t.Context(), auth.CLI("test"))
	r, err := OpenRecords(ctx, cfg, slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, r.Close()) }()
	fn(ctx, r)
}

// TestRotation turns the keys of a serving program, kills it while it seals
// anew, and takes an old key out: everything stays readable, and nothing is left under it.
func TestRotation(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server several times")
	}
	s := newServerProcess(t)
	s.start()
	s.plant()
	s.settled()
	rotate := func() (id string) {
		s.records(func(ctx context.Context, r *Records) {
			var active bool
			var err error
			id, active, err = r.RotateKeys(ctx)
			require.NoError(t, err)
			require.True(t, active, "the running server has it within seconds")
		})
		return id
	}
	resealed := func(id string) {
		s.until("everything to lie under "+id, func() (done bool) {
			s.records(func(ctx context.Context, r *Records) {
				st, err := r.Vault().Fresh(ctx)
				require.NoError(t, err)
				require.Equal(t, id, st.Keys[len(st.Keys)-1].ID)
				require.Equal(t, "active", st.Keys[len(st.Keys)-1].State)
				done = st.Resealed && st.Remaining() == 0
			})
			return done
		})
	}
	second := rotate()
	resealed(second)
	third := rotate()
	s.records(func(ctx context.Context, r *Records) {
		require.Error(t, r.RetireKey(ctx, second), "it sealed until a moment ago")
		require.Error(t, r.RetireKey(ctx, third), "it seals")
	})
	s.until("the sealing anew to begin", func() bool {
		var n int
		s.records(func(ctx context.Context, r *Records) {
			require.NoError(t, r.DB.QueryRow(ctx, "select count(*) from jobs where kind = 'keys_reseal' and params like $1", "%"+third+"%").Scan(&n))
		})
		return n > 0
	})
	s.end(syscall.SIGKILL)
	s.start()
	s.plantMore()
	resealed(third)
	s.records(func(ctx context.Context, r *Records) {
		// What the clock would bring: half a minute since the new key seals.
		_, err := r.DB.Exec(ctx, "update vault_keys set active_at = active_at - 60000")
		require.NoError(t, err)
		first := r.ring.KeyIDs()[0]
		require.Error(t, r.RetireKey(ctx, first), "it keys the look-up")
		require.NoError(t, r.RetireKey(ctx, second))
	})
	check := func() {
		for _, q := range []string{phone(1), mailbox(31), phone(30), phone(60), phone(70), phone(73), phone(75)} {
			var found struct {
				Items []struct{ ID, Phone string }
				Total int64
			}
			s.ok("GET", "/api/contacts?q="+strings.ReplaceAll(q, "@", "%40"), nil, &found)
			require.EqualValues(t, 1, found.Total, q)
			s.ok("GET", "/api/contacts/"+found.Items[0].ID, nil, nil)
			s.ok("GET", "/api/contacts/"+found.Items[0].ID+"/timeline", nil, nil)
			s.ok("GET", "/api/contacts/"+found.Items[0].ID+"/notes", nil, nil)
		}
		var aside struct {
			Items []struct {
				Fact struct{ Properties map[string]any }
			}
		}
		s.ok("GET", "/api/facts/set-aside", nil, &aside)
		require.NotEmpty(t, aside.Items)
		for _, path := range []string{"/api/follow-ups?bucket=done&assignee=team", "/api/contact-views", "/api/tag-runs", "/api/consent/changes", "/api/consent/ledger", "/api/jobs", "/api/identity/blocked"} {
			var list struct{ Items []json.RawMessage }
			s.ok("GET", path, nil, &list)
			require.NotEmpty(t, list.Items, path)
			require.NotContains(t, fmt.Sprintf("%s", list.Items), "s1.", "opened: "+path)
		}
	}
	check()
	s.end(syscall.SIGTERM)
	s.start() // without the key
	check()
	raw, err := os.ReadFile(filepath.Join(s.dir, "koipond.key"))
	require.NoError(t, err)
	keys := 0
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "#") {
			keys++
		}
	}
	require.Equal(t, 2, keys, "the first and the newest")
	s.end(syscall.SIGTERM)
	for _, f := range s.search() {
		t.Error(f)
	}
}

// plantMore sends a little while the sealing anew goes on.
func (s *serverProcess) plantMore() {
	for n := range 20 {
		require.Equal(s.t, 200, s.call("POST", "/v1/track", fmt.Sprintf(`{"userId":%q,"event":"late","properties":{"phone":%q}}`, phone(900+n), phone(950+n)), nil))
	}
}
