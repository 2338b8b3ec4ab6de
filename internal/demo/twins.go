package demo

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/mozillazg/go-pinyin"
)

// twin is a member who also signed the guest book of a store, where nobody asked
// for the member number: written down by hand, with what goes wrong by hand.
type twin struct {
	Name, Phone, Email, Gender, City, Birthday string
	At                                         time.Time
}

// twinShare is how many of the members signed a guest book too.
const twinShare = 28 // one in so many

// makeTwin draws how person n signed; ok is false for most, who never did.
func (o Options) makeTwin(n int) (t twin, ok bool) {
	p := o.makePerson(n)
	r := stream(o.Seed, 9, uint64(n))
	if r.IntN(twinShare*55/100) != 0 || p.Birthday.IsZero() { // 55 in 100 have a birthday
		return t, false
	}
	t = twin{Name: p.Name, Phone: p.Phone, Gender: p.Gender, City: p.City, Birthday: p.Birthday.Format("2006-01-02"),
		At: p.Joined.AddDate(0, 0, 1+r.IntN(20)).Add(time.Duration(r.IntN(3600)) * time.Second)}
	if end := o.midnight(o.End); t.At.After(end) {
		t.At = end.Add(-time.Duration(1+r.IntN(48)) * time.Hour)
	}
	another := fmt.Sprintf("%s%08d", prefixes[r.IntN(len(prefixes))], r.IntN(1e8))
	switch r.IntN(6) {
	case 0: // two neighbouring digits of the phone number swapped
		t.Phone = slip(p.Phone, 3+r.IntN(7))
	case 1: // the name in pinyin, the given name first, and the second phone
		t.Name, t.Phone = western(p.Name), another
	case 2: // day and month swapped, where that is a day too
		if d := p.Birthday.Day(); d <= 12 {
			t.Birthday = fmt.Sprintf("%04d-%02d-%02d", p.Birthday.Year(), d, int(p.Birthday.Month()))
		}
		t.Phone = slip(p.Phone, 3+r.IntN(7))
	case 3: // a new phone
		t.Phone = another
	case 4: // the family name and a title
		t.Name = string([]rune(p.Name)[:1]) + map[string]string{"female": "女士", "male": "先生"}[p.Gender]
		t.Phone = slip(p.Phone, 3+r.IntN(7))
	case 5: // another mail service, where there is an address
		t.Phone = another
		if user, host, found := strings.Cut(p.Email, "@"); found && host != "web.example" {
			t.Email = user + "@web.example"
		}
	}
	if r.IntN(4) == 0 {
		t.City = ""
	}
	return t, true
}

// slip swaps two neighbouring digits, or changes one when they are the same.
func slip(phone string, at int) string {
	b := []byte(phone)
	if b[at] == b[at+1] {
		b[at] = '0' + (b[at]-'0'+1)%10
	} else {
		b[at], b[at+1] = b[at+1], b[at]
	}
	return string(b)
}

// western writes a name as its bearer would abroad: 陈思远 is Siyuan Chen.
func western(name string) string {
	parts := pinyin.LazyPinyin(name, pinyin.NewArgs())
	if len(parts) < 2 {
		return name
	}
	title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	return title(strings.Join(parts[1:], "")) + " " + title(parts[0])
}

// twins imports the guest books, has the pond looked through for possible
// duplicates, and reviews a few of them.
func (f *filler) twins(ctx context.Context) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(f.writeTwins(w)) }()
	err := f.importFile(ctx, "门店来客登记.csv", "contacts", r, map[string]string{"姓名": "name", "手机号": "phone", "邮箱": "email", "性别": "gender", "生日": "birthday",
		"城市": "city", "渠道": "channel", "登记时间": "created_at"}, map[string]any{"source": "门店登记", "timezone": f.o.Zone.String()})
	if err != nil {
		return err
	}
	var job struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	if _, err := f.call(ctx, http.MethodPost, "/api/matches/run", map[string]any{"full": true}, &job); err != nil {
		return err
	}
	for job.State == "queued" || job.State == "running" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(150 * time.Millisecond):
		}
		if _, err := f.call(ctx, http.MethodGet, "/api/jobs/"+job.ID, nil, &job); err != nil {
			return err
		}
	}
	if job.State != "succeeded" {
		return fmt.Errorf("looking for possible duplicates ended %s", job.State)
	}
	return f.review(ctx)
}

// review decides one pair in eight: merges those that are one person by the
// pond's own books, which the phone number as far as it is shown tells. Of the
// others one in twenty is rejected as if the two had been asked, and one in twenty
// put off.
func (f *filler) review(ctx context.Context) error {
	var page struct {
		Items []struct {
			ID    string `json:"id"`
			Score int    `json:"score"`
			A, B  struct {
				Name, Birthday string
			}
		} `json:"items"`
		Total int `json:"total"`
	}
	if _, err := f.call(ctx, http.MethodGet, "/api/matches?limit=100", nil, &page); err != nil {
		return err
	}
	for i, p := range page.Items {
		verdict, body := "merge", map[string]any{}
		switch {
		case i%20 == 6:
			verdict = "reject"
		case i%20 == 14:
			verdict, body = "postpone", map[string]any{"until": time.Now().AddDate(0, 0, 7+i%9).UTC().Format(time.RFC3339)}
		case i%8 != 3:
			continue
		}
		if verdict == "merge" && p.A.Birthday != "" && p.B.Birthday != "" && p.A.Birthday[:4] != p.B.Birthday[:4] {
			verdict = "reject"
		}
		status, err := f.call(ctx, http.MethodPost, "/api/matches/"+p.ID+"/"+verdict, body, nil)
		if err != nil && status != http.StatusConflict && status != http.StatusNotFound { // decided in an earlier try
			return err
		}
	}
	return nil
}

func (f *filler) writeTwins(to io.Writer) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"姓名", "手机号", "邮箱", "性别", "生日", "城市", "渠道", "登记时间"}); err != nil {
		return err
	}
	for n := range f.o.Contacts {
		t, ok := f.o.makeTwin(n)
		if !ok {
			continue
		}
		gender := map[string]string{"female": "女", "male": "男"}[t.Gender]
		if err := w.Write([]string{t.Name, t.Phone, t.Email, gender, t.Birthday, t.City, "offline", t.At.In(f.o.Zone).Format("2006-01-02 15:04:05")}); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
