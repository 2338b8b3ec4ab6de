package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/staff"
)

// outside lets live codes speak with the WeCom accounts that are connected.
type outside struct {
	a      *App
	client *http.Client
}

const (
	pictureTime = 10 * time.Second
	pictureSize = 4 << 20
	// mediaTime is how long the platform keeps an upload, less a margin.
	mediaTime = 71 * time.Hour
	// lasting is for what it keeps for good.
	lasting = 20 * 365 * 24 * time.Hour
)

// tryAgain are the refusals after which another try may be taken.
var tryAgain = []int{-1, 40014, 42001, 41096, 45009, 45033}

// refused puts what the platform said into the words of live codes.
func (o *outside) refused(err error) error {
	if err == nil {
		return nil
	}
	r := &livecode.Refusal{Code: wecom.CodeOf(err), Words: err.Error()}
	if r.Code != 0 {
		r.Again = slices.Contains(tryAgain, r.Code)
	}
	var later *connector.Later
	if errors.As(err, &later) {
		if r.Code == 0 {
			r.Code = 45009 // our own count of the platform's limit
		}
		r.Again, r.After = true, max(later.Until.Sub(o.a.clock.Now()), 0)
	}
	if r.Code == 0 {
		return err
	}
	return r
}

// Accounts implements livecode.Accounts.
func (o *outside) Accounts(ctx context.Context) ([]livecode.Account, error) {
	list, err := o.a.connectors.Accounts(ctx, wecom.Name)
	if err != nil {
		return nil, err
	}
	out := make([]livecode.Account, len(list))
	for i, a := range list {
		out[i] = livecode.Account{ID: a.ID, Name: a.Name}
	}
	return out, nil
}

// Colleagues implements livecode.Staff: those who may have customers, as the
// directory knows them.
func (o *outside) Colleagues(ctx context.Context, account string) ([]livecode.Colleague, error) {
	list, err := o.a.staff.Serving(ctx, account)
	if err != nil {
		return nil, err
	}
	out := make([]livecode.Colleague, len(list))
	for i, m := range list {
		out[i] = livecode.Colleague{ID: m.ID, Name: m.Name, Avatar: m.Avatar, Off: m.State != staff.MemberActive}
		if m.User != nil {
			out[i].User = m.User.ID
		}
	}
	return out, nil
}

// CreateWay implements livecode.Platform.
func (o *outside) CreateWay(ctx context.Context, account string, w livecode.Way) (livecode.MadeWay, error) {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return livecode.MadeWay{}, err
	}
	id, qr, err := c.AddWay(ctx, wecom.Way{Users: w.Users, State: w.State, Remark: w.Remark, SkipVerify: w.Skip})
	return livecode.MadeWay{ID: id, QR: qr}, o.refused(err)
}

// UpdateWay implements livecode.Platform.
func (o *outside) UpdateWay(ctx context.Context, account, id string, w livecode.Way) error {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return o.refused(c.UpdateWay(ctx, wecom.Way{ID: id, Users: w.Users, State: w.State, Remark: w.Remark, SkipVerify: w.Skip}))
}

// DeleteWay implements livecode.Platform.
func (o *outside) DeleteWay(ctx context.Context, account, id string) error {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return o.refused(c.DeleteWay(ctx, id))
}

// Welcome implements livecode.Platform.
func (o *outside) Welcome(ctx context.Context, account, code string, m livecode.Message) error {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	content := wecom.Content{Text: m.Text}
	for _, p := range m.Parts {
		content.Parts = append(content.Parts, wecom.Part{Form: p.Kind, Media: p.Media, Picture: p.Picture, Title: p.Title, Desc: p.Note, URL: p.URL, AppID: p.AppID, Page: p.AppPath})
	}
	return o.refused(c.Welcome(ctx, code, content))
}

// Remark implements livecode.Platform.
func (o *outside) Remark(ctx context.Context, account, staff, customer, remark string) error {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return o.refused(c.SetRemark(ctx, staff, customer, wecom.Remark{Remark: &remark}))
}

// CustomerName implements livecode.Platform.
func (o *outside) CustomerName(ctx context.Context, account, customer string) (string, error) {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return "", err
	}
	p, err := c.Customer(ctx, customer)
	return p.Customer.Name, o.refused(err)
}

// Media implements livecode.Platform.
func (o *outside) Media(ctx context.Context, account, kind, name string, body io.Reader) (string, time.Time, error) {
	c, err := o.a.wecomClient(ctx, account)
	if err != nil {
		return "", time.Time{}, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read file: %w", err)
	}
	if kind == "picture" {
		url, err := c.UploadImage(ctx, name, data)
		return url, o.a.clock.Now().Add(lasting), o.refused(err)
	}
	id, err := c.Upload(ctx, kind, name, data)
	return id, o.a.clock.Now().Add(mediaTime), o.refused(err)
}

// Picture implements livecode.Platform.
func (o *outside) Picture(ctx context.Context, _, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for a picture: %w", err)
	}
	res, err := o.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for a picture: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New("ask for a picture: " + strings.ToLower(res.Status))
	}
	return io.ReadAll(io.LimitReader(res.Body, pictureSize))
}
