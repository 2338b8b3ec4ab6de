package livecode

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/sheet"
)

// fileRoutes declares what is no JSON: pictures, files and tables.
func (s *Service) fileRoutes(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	up := op("add-live-code-file", http.MethodPost, "/live-code-files", auth.AcquireWrite, "Add a picture or file for welcomes; the body is the file, its name stands in the query")
	up.MaxBody, up.Timeout = maxFile+1, -1
	httpx.Handle(api, up, http.HandlerFunc(s.serveUpload))
	httpx.Handle(api, op("read-live-code-file", http.MethodGet, "/live-code-files/{id}", auth.AcquireRead, "A picture or file of welcomes"), http.HandlerFunc(s.serveFile))
	httpx.Handle(api, op("draw-live-code", http.MethodGet, "/live-codes/{id}/qr", auth.AcquireRead, "The QR code: ?format=png|svg&size=&color=%23rrggbb&logo=file id&download=1"), http.HandlerFunc(s.serveQR))
	httpx.Handle(api, op("draw-live-codes", http.MethodGet, "/live-codes/qr.zip", auth.AcquireRead, "The QR codes of several as PNG in one file: ?id=…&id=…&size="), http.HandlerFunc(s.serveZip))
	httpx.Handle(api, op("export-live-code-stats", http.MethodGet, "/live-codes/{id}/stats.csv", auth.AcquireRead, "The figures by day as a table: ?from=&to="), http.HandlerFunc(s.serveCSV))
}

func (s *Service) serveUpload(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > maxFile {
		httpx.WriteError(w, r, errs.New(errs.TooLarge, "file.too_large", "limit", maxFile>>20))
		return
	}
	f, err := s.AddFile(r.Context(), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	httpx.WriteJSON(w, http.StatusOK, f)
}

func (s *Service) serveFile(w http.ResponseWriter, r *http.Request) {
	f, body, err := s.OpenFile(r.Context(), r.PathValue("id"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	defer body.Close()
	disposition := jobs.Attachment(f.Name)
	if f.Picture {
		disposition = "inline"
	}
	answerFile(w, f.Type, disposition)
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	http.ServeContent(w, r, "", f.At, body)
}

// answerFile sets the headers of what a browser may show and never run.
func answerFile(w http.ResponseWriter, typ, disposition string) {
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
}

// drawingOf reads how a code is to be drawn.
func drawingOf(r *http.Request) (Drawing, error) {
	q := r.URL.Query()
	d := Drawing{Color: q.Get("color"), Logo: q.Get("logo")}
	if text := q.Get("size"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return d, bad("size", "rule.out_of_range", "least", 120, "limit", 2400)
		}
		d.Size = n
	}
	return d, nil
}

func (s *Service) serveQR(w http.ResponseWriter, r *http.Request) {
	d, err := drawingOf(r)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		format = "png"
	}
	if format != "png" && format != "svg" {
		httpx.WriteError(w, r, bad("format", "livecode.bad_choice"))
		return
	}
	c, err := s.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	raw, err := s.Picture(r.Context(), c, format, d)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	disposition := "inline"
	if r.URL.Query().Get("download") != "" {
		disposition = jobs.Attachment(fileName(c.Name) + "." + format)
	}
	answerFile(w, map[string]string{"png": "image/png", "svg": "image/svg+xml"}[format], disposition)
	_, _ = w.Write(raw) // a caller that went away needs no answer
}

// fileName makes a name that every system takes.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, name)
}

// maxZip bounds how many codes one file holds.
const maxZip = 500

func (s *Service) serveZip(w http.ResponseWriter, r *http.Request) {
	d, err := drawingOf(r)
	if err == nil {
		err = d.check()
	}
	ids := r.URL.Query()["id"]
	if err == nil && (len(ids) == 0 || len(ids) > maxZip) {
		err = bad("id", "rule.out_of_range", "least", 1, "limit", maxZip)
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	codes := make([]*Code, 0, len(ids))
	for _, id := range ids {
		c, err := s.Get(r.Context(), id)
		if err != nil {
			httpx.WriteError(w, r, err)
			return
		}
		if c.way.text != "" {
			codes = append(codes, c)
		}
	}
	if len(codes) == 0 {
		httpx.WriteError(w, r, errNotReady)
		return
	}
	answerFile(w, "application/zip", jobs.Attachment("qr-"+s.now(r.Context()).Format("20060102")+".zip"))
	z := zip.NewWriter(w)
	used := map[string]int{}
	for _, c := range codes {
		raw, err := s.Picture(r.Context(), c, "png", d)
		if err != nil {
			s.Log.ErrorContext(r.Context(), "draw live codes", "error", err)
			return // the file ends early, and no program opens it
		}
		name := fileName(c.Name)
		if used[name]++; used[name] > 1 {
			name += fmt.Sprintf(" (%d)", used[name])
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: name + ".png", Method: zip.Store}) // PNG is packed already
		if err != nil {
			return
		}
		if _, err := f.Write(raw); err != nil {
			return
		}
	}
	_ = z.Close() // a caller that went away needs no answer
}

func (s *Service) serveCSV(w http.ResponseWriter, r *http.Request) {
	c, err := s.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	st, err := s.Stats(r.Context(), c, r.URL.Query().Get("from"), r.URL.Query().Get("to"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	if err := s.record(r.Context(), "livecode.stats_exported", c.ID, c.Name, map[string]any{"from": st.From, "to": st.To}); err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	answerFile(w, "text/csv; charset=utf-8", jobs.Attachment(fileName(c.Name)+"-"+st.From+"-"+st.To+".csv"))
	if err := writeStats(w, st, func(code string) string { return httpx.Say(r.Context(), code, nil) }); err != nil {
		s.Log.WarnContext(r.Context(), "export of figures", "error", err) // most likely the caller went away
	}
}

// writeStats writes figures by day, and below them by colleague.
func writeStats(w io.Writer, st Stats, say func(string) string) error {
	head := func(first, left string) []string {
		return []string{say(first), say("livecode.csv_adds"), say("livecode.csv_again"), say(left), say("livecode.csv_of7"), say("livecode.csv_kept7")}
	}
	out, err := sheet.NewCSV(w, sheet.UTF8Mark, head("livecode.csv_day", "livecode.csv_left"))
	if err != nil {
		return err
	}
	row := func(first string, l Line) error {
		cells := []sheet.Cell{sheet.Text(first)}
		for _, n := range []int64{l.Adds, l.Again, l.Left, l.Kept7.Of, l.Kept7.Kept} {
			cells = append(cells, sheet.Number(float64(n)))
		}
		return out.Row(cells)
	}
	var faults []error
	for _, l := range st.Days {
		faults = append(faults, row(l.Key, l))
	}
	cells := []sheet.Cell{}
	for _, t := range head("livecode.csv_staff", "livecode.csv_gone") {
		cells = append(cells, sheet.Text(t))
	}
	faults = append(faults, out.Row(nil), out.Row(cells))
	for _, l := range st.Staff {
		faults = append(faults, row(l.Name, l))
	}
	return errors.Join(append(faults, out.Close())...)
}
