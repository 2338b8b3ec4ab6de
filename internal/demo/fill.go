package demo

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Target is the server to fill, and the credentials to do it with.
type Target struct {
	URL      string // http://127.0.0.1:8787
	Token    string // API token of an administrator
	WriteKey string
	// Email and Password are those of the brand's first user, who has work of
	// their own; when they do not let in any more, the token does it.
	Email, Password string
}

// Stages of filling, in order. A stage that is done is not done again: what
// was begun before a crash is sent anew, and counts once.
const (
	StageTeam       = "team"
	StageTags       = "tags"
	StageContacts   = "contacts"
	StageTraits     = "attributes"
	StageOrders     = "orders"
	StageWork       = "work"
	StageFacts      = "facts"
	StageConsents   = "consents"
	StageIdentities = "identities"
	StageNotes      = "notes"
	StagePlan       = "plan"
	StageTwins      = "twins"
	StageTagging    = "tagging"
	StageViews      = "views"
	StageAutotags   = "autotags"
	StageBelongings = "belongings"
	StageSegments   = "segments"
	StageAcquire    = "acquire"
)

// Progress remembers how far filling got, and shows it.
type Progress interface {
	Done(ctx context.Context, stage string) (bool, error)
	Mark(ctx context.Context, stage string) error
	Show(done, total int64)
}

// visitorShare is how many unknown devices there are per contact.
const visitorShare = .3

type filler struct {
	o        Options
	to       Target
	progress Progress
	http     *http.Client
	sent     int64
	total    int64
	// passwords of the staff, by e-mail name, as far as this run made them: each
	// one made costs as long as a person signing in.
	passwords map[string]string
}

// Fill makes the pond and sends it in. It can be called again after an error or a crash.
func Fill(ctx context.Context, o Options, to Target, p Progress) error {
	f := &filler{o: o, to: to, progress: p, http: &http.Client{Timeout: 5 * time.Minute}, passwords: map[string]string{}}
	// Progress counts rows and calls; calls are about fourteen a person.
	f.total = int64(o.Contacts) * 16
	for _, s := range []struct {
		name string
		run  func(context.Context) error
	}{{StageTeam, f.team}, {StageTraits, f.attributes}, {StageTags, f.tags}, {StageContacts, f.contacts}, {StageOrders, f.orders}, {StageWork, f.work}, {StageFacts, f.facts},
		{StageConsents, f.consents}, {StageNotes, f.notes}, {StagePlan, f.plan}, {StageTwins, f.twins}, {StageIdentities, f.identities}, {StageTagging, f.tagging}, {StageViews, f.views}, {StageBelongings, f.belongings}, {StageSegments, f.segments}, {StageAutotags, f.autotags}, {StageAcquire, f.acquire}} {
		done, err := p.Done(ctx, s.name)
		if err != nil {
			return err
		}
		if done {
			continue
		}
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("fill the demo pond, %s: %w", s.name, err)
		}
		if err := p.Mark(ctx, s.name); err != nil {
			return err
		}
	}
	p.Show(f.total, f.total)
	return nil
}

func (f *filler) step(n int) {
	f.sent += int64(n)
	f.progress.Show(min(f.sent, f.total-1), f.total)
}

// call sends JSON (or raw bytes) and decodes the answer into out.
func (f *filler) call(ctx context.Context, method, path string, in, out any) (int, error) {
	return f.callAs(ctx, caller{}, method, path, in, out)
}

// caller is in whose name a call is made: with a session cookie, or without one
// with the demo's token. A call that is sent again under its key counts once.
type caller struct{ cookie, key string }

func (f *filler) callAs(ctx context.Context, who caller, method, path string, in, out any) (int, error) {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case io.Reader:
		body = v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, f.to.URL+path, body)
	if err != nil {
		return 0, err
	}
	if who.cookie != "" {
		req.Header.Set("Cookie", who.cookie)
	} else {
		req.Header.Set("Authorization", "Bearer "+f.to.Token)
	}
	if who.key != "" {
		req.Header.Set("Idempotency-Key", who.key)
	}
	if strings.HasPrefix(path, "/v1/") {
		req.Header.Del("Authorization")
		req.SetBasicAuth(f.to.WriteKey, "")
	}
	if _, raw := in.(io.Reader); in != nil && !raw {
		req.Header.Set("Content-Type", "application/json")
	} else if raw {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	res, err := f.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return res.StatusCode, err
	}
	if res.StatusCode >= 300 {
		return res.StatusCode, fmt.Errorf("%s %s answered %d: %s", method, path, res.StatusCode, b[:min(len(b), 400)])
	}
	if out != nil {
		return res.StatusCode, json.Unmarshal(b, out)
	}
	return res.StatusCode, nil
}

func (f *filler) team(ctx context.Context) error {
	for _, s := range staff {
		var made struct{ Password string }
		status, err := f.call(ctx, http.MethodPost, "/api/users", map[string]any{"name": s.Name, "email": s.Mail + "@shanyue.example", "role": s.Role}, &made)
		if err != nil && status != http.StatusConflict { // there since an earlier try
			return err
		}
		f.passwords[s.Mail] = made.Password
	}
	return nil
}

// importFile uploads a file and imports it with the guessed mapping, corrected by columns and options.
func (f *filler) importFile(ctx context.Context, name, kind string, body io.Reader, columns map[string]string, options map[string]any) error {
	var up struct {
		ID         string `json:"id"`
		Suggestion struct {
			Mapping struct {
				Columns map[string]string `json:"columns"`
			} `json:"mapping"`
			Options map[string]any `json:"options"`
		} `json:"suggestion"`
	}
	if _, err := f.call(ctx, http.MethodPost, "/api/imports/files?name="+url.QueryEscape(name), body, &up); err != nil {
		return err
	}
	for c, field := range columns {
		up.Suggestion.Mapping.Columns[c] = field
	}
	if up.Suggestion.Options == nil {
		up.Suggestion.Options = map[string]any{}
	}
	for k, v := range options {
		up.Suggestion.Options[k] = v
	}
	var im struct {
		ID       string `json:"id"`
		State    string `json:"state"`
		Rows     int64  `json:"rows"`
		Rejected int64  `json:"rejected"`
	}
	if _, err := f.call(ctx, http.MethodPost, "/api/imports", map[string]any{"uploadId": up.ID, "kind": kind, "name": name,
		"mapping": up.Suggestion.Mapping, "options": up.Suggestion.Options}, &im); err != nil {
		return err
	}
	before := f.sent
	for {
		if _, err := f.call(ctx, http.MethodGet, "/api/imports/"+im.ID, nil, &im); err != nil {
			return err
		}
		f.sent = before
		f.step(int(im.Rows))
		switch im.State {
		case "succeeded":
			return nil
		case "failed", "cancelled", "undone":
			return fmt.Errorf("import of %s ended %s", name, im.State)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(150 * time.Millisecond):
		}
	}
}

func (f *filler) contacts(ctx context.Context) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(f.writeContacts(w)) }()
	err := f.importFile(ctx, "会员档案.csv", "contacts", r, map[string]string{"用户ID": "user_id", "会员号": "member_no", "姓名": "name", "手机号": "phone",
		"邮箱": "email", "性别": "gender", "生日": "birthday", "城市": "city", "渠道": "channel", "入会时间": "created_at", "标签": "tag",
		"会员等级": "attr:level", "口味偏好": "attr:taste", "常喝茶类": "attr:teas", "年消费预算": "attr:budget", "所在地区": "attr:region", "每周喝茶": "attr:cups"},
		map[string]any{"source": "会员系统", "timezone": f.o.Zone.String()})
	if err != nil {
		return err
	}
	_, err = f.call(ctx, http.MethodPost, "/api/attributes/survey", nil, nil) // so that fill rates are there
	return err
}

func (f *filler) writeContacts(to io.Writer) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"用户ID", "会员号", "姓名", "手机号", "邮箱", "性别", "生日", "城市", "渠道", "入会时间", "标签",
		"会员等级", "口味偏好", "常喝茶类", "年消费预算", "所在地区", "每周喝茶"}); err != nil {
		return err
	}
	for n := range f.o.Contacts {
		p := f.o.makePerson(n)
		birthday := ""
		if !p.Birthday.IsZero() {
			birthday = p.Birthday.Format("2006-01-02")
		}
		gender := map[string]string{"female": "女", "male": "男"}[p.Gender]
		row := []string{p.UserID, p.MemberNo, p.Name, p.Phone, p.Email, gender, birthday, p.City, p.Channel.ID,
			p.Joined.In(f.o.Zone).Format("2006-01-02 15:04:05"), strings.Join(p.Tags, ";")}
		if err := w.Write(append(row, p.about(f.o.Seed)...)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (f *filler) orders(ctx context.Context) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(f.writeOrders(w)) }()
	return f.importFile(ctx, "商城订单.csv", "orders", r, map[string]string{"订单号": "order_number", "下单时间": "paid_at", "用户ID": "user_id", "商品编码": "sku",
		"商品": "product", "数量": "quantity", "单价": "price", "金额": "amount", "状态": "status", "原订单号": "refund_of", "优惠券": "prop:coupon"},
		map[string]any{"source": "商城", "currency": "CNY", "timezone": f.o.Zone.String()})
}

func (f *filler) writeOrders(to io.Writer) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"订单号", "下单时间", "用户ID", "商品编码", "商品", "数量", "单价", "金额", "状态", "原订单号", "优惠券"}); err != nil {
		return err
	}
	yuan := func(fen int64) string { return strconv.FormatFloat(float64(fen)/100, 'f', 2, 64) }
	for n := range f.o.Contacts {
		p := f.o.makePerson(n)
		for _, o := range f.o.live(p).orders {
			state := "已付款"
			if o.Refund {
				state = "已退款"
			}
			for _, l := range o.Lines {
				if err := w.Write([]string{o.Number, o.At.In(f.o.Zone).Format("2006-01-02 15:04:05"), p.UserID, l.SKU, l.Name, strconv.FormatInt(l.Quantity, 10),
					yuan(l.Price), yuan(l.Amount), state, o.Of, o.Coupon}); err != nil {
					return err
				}
			}
		}
	}
	w.Flush()
	return w.Error()
}

// batchBytes keeps a batch well under the intake's 500 KB.
const batchBytes = 380 << 10

func (f *filler) facts(ctx context.Context) error {
	var b batch
	send := func() error {
		if b.n == 0 {
			return nil
		}
		n := b.n
		err := f.send(ctx, b.close())
		b = batch{}
		f.step(n)
		return err
	}
	add := func(calls []call) error {
		for _, c := range calls {
			if err := b.add(c); err != nil {
				return err
			}
			if b.buf.Len() > batchBytes {
				if err := send(); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for n := range f.o.Contacts {
		if err := add(f.o.live(f.o.makePerson(n)).calls); err != nil {
			return err
		}
	}
	for n := range int(float64(f.o.Contacts) * visitorShare) {
		if err := add(f.o.stranger(n)); err != nil {
			return err
		}
	}
	return send()
}

type batch struct {
	buf bytes.Buffer
	n   int
}

func (b *batch) add(c call) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if b.n == 0 {
		b.buf.WriteString(`{"batch":[`)
	} else {
		b.buf.WriteByte(',')
	}
	b.n++
	b.buf.Write(raw)
	return nil
}

func (b *batch) close() []byte {
	b.buf.WriteString(`]}`)
	return b.buf.Bytes()
}

// send posts one batch, waiting when the server asks for it.
func (f *filler) send(ctx context.Context, body []byte) error {
	for {
		status, err := f.call(ctx, http.MethodPost, "/v1/import", bytes.NewReader(body), nil)
		if status != http.StatusTooManyRequests {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// notes are written to a few customers, in the name of the demo's token.
func (f *filler) notes(ctx context.Context) error {
	for i := range min(60, f.o.Contacts/20) {
		p := f.o.makePerson(i * 7)
		var found struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		if _, err := f.call(ctx, http.MethodGet, "/api/contacts?limit=1&q="+url.QueryEscape(p.MemberNo), nil, &found); err != nil {
			return err
		}
		if len(found.Items) == 0 {
			continue
		}
		if _, err := f.call(ctx, http.MethodPost, "/api/contacts/"+found.Items[0].ID+"/notes", map[string]any{"text": notes[i%len(notes)]}, nil); err != nil {
			return err
		}
	}
	return nil
}

// plan names the brand's events in the dictionary, as its analyst would.
func (f *filler) plan(ctx context.Context) error {
	for _, e := range planned {
		status, err := f.call(ctx, http.MethodPatch, "/api/dictionary/events/"+url.PathEscape(e.Name),
			map[string]any{"displayName": e.Title, "description": e.About, "category": e.Category, "state": "expected"}, nil)
		if status == http.StatusNotFound { // a small pond may not have met it
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
