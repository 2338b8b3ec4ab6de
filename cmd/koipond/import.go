package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type importState struct {
	ID              string `json:"id"`
	Kind            string `json:"kind"`
	State           string `json:"state"`
	Rows            int64  `json:"rows"`
	Accepted        int64  `json:"accepted"`
	Rejected        int64  `json:"rejected"`
	ContactsCreated int64  `json:"contactsCreated"`
	ContactsUpdated int64  `json:"contactsUpdated"`
	Orders          int64  `json:"orders"`
	Facts           int64  `json:"facts"`
	BytesDone       int64  `json:"bytesDone"`
	BytesTotal      int64  `json:"bytesTotal"`
	Error           *struct {
		Detail string `json:"detail"`
	} `json:"error"`
	Reasons []struct {
		Detail string `json:"detail"`
		Count  int64  `json:"count"`
	} `json:"reasons"`
}

func (i importState) ended() bool {
	return i.State == "succeeded" || i.State == "failed" || i.State == "cancelled" || i.State == "undone"
}

type importFlags struct {
	columns                []string
	options                []string
	rejects, name, mapping string
	dryRun                 bool
}

func importCmd() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import contacts|orders|events FILE", Short: "Bring in a CSV (also .gz) or Excel file",
		Long: "Guesses what each column is; say it yourself with --column NAME=FIELD. Works with the server running or not.\n" +
			"Stopped in the middle, it can be undone or goes on in the server. Rejected rows come back as a file with reasons.",
		Example: "  koipond import contacts members.xlsx --column 会员卡=member_no --option country=CN\n" +
			"  koipond import orders online_retail.csv.gz --option currency=GBP --option refundPrefix=C\n" +
			"  koipond import events clicks.csv --dry-run",
		Args: cobra.ExactArgs(2), ValidArgs: []string{"contacts", "orders", "events"},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := args[0]
			if kind != "contacts" && kind != "orders" && kind != "events" {
				return fmt.Errorf("%q is not a kind of import; use contacts, orders or events", kind)
			}
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return withServer(cmd, cfg, func(s *session) error { return f.run(cmd, s, kind, args[1]) })
		},
	}
	cmd.Flags().StringArrayVar(&f.columns, "column", nil, "NAME=FIELD: what a column of the file is; FIELD empty leaves it out (repeatable)")
	cmd.Flags().StringArrayVar(&f.options, "option", nil, "NAME=VALUE: timezone, currency, country, dateFormat, refundPrefix, event, source, sheet (repeatable)")
	cmd.Flags().StringVar(&f.rejects, "rejects", "", "file for the rejected rows (default: beside the input, when there are any)")
	cmd.Flags().StringVar(&f.name, "name", "", "name of the import (default: the file's)")
	cmd.Flags().StringVar(&f.mapping, "save-mapping", "", "keep the mapping under this name")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would happen and change nothing")
	return cmd
}

func (f *importFlags) run(cmd *cobra.Command, s *session, kind, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var up struct {
		ID         string `json:"id"`
		Suggestion struct {
			Kind    string `json:"kind"`
			Mapping struct {
				Columns map[string]string `json:"columns"`
			} `json:"mapping"`
			Options map[string]any `json:"options"`
		} `json:"suggestion"`
	}
	res, err := s.do(cmd.Context(), http.MethodPost, "/api/imports/files?kind="+kind+"&name="+url.QueryEscape(filepath.Base(path)), file)
	if err != nil {
		return err
	}
	err = json.NewDecoder(res.Body).Decode(&up)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	columns, options := up.Suggestion.Mapping.Columns, up.Suggestion.Options
	if options == nil {
		options = map[string]any{}
	}
	for _, c := range f.columns {
		name, field, ok := strings.Cut(c, "=")
		if _, there := columns[name]; !ok || !there {
			return fmt.Errorf("--column %q: the file has no column %q", c, name)
		}
		columns[name] = field
	}
	for _, o := range f.options {
		name, value, ok := strings.Cut(o, "=")
		if !ok {
			return fmt.Errorf("--option %q: write it as NAME=VALUE", o)
		}
		options[name] = value
	}
	plan := map[string]any{"uploadId": up.ID, "kind": kind, "mapping": map[string]any{"columns": columns}, "options": options}
	if f.dryRun {
		return f.preview(cmd, s, plan)
	}
	plan["name"], plan["saveMappingAs"] = f.name, f.mapping
	if f.name == "" {
		plan["name"] = filepath.Base(path)
	}
	var im importState
	if err := s.json(cmd.Context(), http.MethodPost, "/api/imports", plan, &im); err != nil {
		return err
	}
	return f.watch(cmd, s, im, path)
}

func (f *importFlags) preview(cmd *cobra.Command, s *session, plan map[string]any) error {
	var p struct {
		Checked  int64 `json:"checked"`
		Good     int64 `json:"good"`
		Bad      int64 `json:"bad"`
		Complete bool  `json:"complete"`
		Rows     []struct {
			Line   int64 `json:"line"`
			OK     bool  `json:"ok"`
			Errors []struct {
				Column string `json:"column"`
				Value  string `json:"value"`
				Detail string `json:"detail"`
			} `json:"errors"`
		} `json:"rows"`
		Summary struct {
			People int64 `json:"people"`
			Orders int64 `json:"orders"`
		} `json:"summary"`
	}
	if err := s.json(cmd.Context(), http.MethodPost, "/api/imports/preview", plan, &p); err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	part := "the whole file"
	if !p.Complete {
		part = "the first part of the file"
	}
	fmt.Fprintf(w, "dry run of %s: %d rows, %d can come in, %d would be rejected; %d people, %d orders\n", part, p.Checked, p.Good, p.Bad, p.Summary.People, p.Summary.Orders)
	for _, r := range p.Rows {
		for _, e := range r.Errors {
			fmt.Fprintf(w, "  line %d, %s %q: %s\n", r.Line, e.Column, e.Value, e.Detail)
		}
	}
	return nil
}

func (f *importFlags) watch(cmd *cobra.Command, s *session, im importState, path string) error {
	start := time.Now()
	live := term.IsTerminal(int(os.Stderr.Fd()))
	for !im.ended() {
		if live && im.BytesTotal > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "\r%3d %%  %d rows", im.BytesDone*100/im.BytesTotal, im.Rows)
		}
		select {
		case <-cmd.Context().Done():
			return f.abandon(s, im.ID)
		case <-time.After(200 * time.Millisecond):
		}
		if err := s.json(cmd.Context(), http.MethodGet, "/api/imports/"+im.ID, nil, &im); err != nil {
			if cmd.Context().Err() != nil {
				return f.abandon(s, im.ID)
			}
			return err
		}
	}
	if live {
		fmt.Fprint(cmd.ErrOrStderr(), "\r")
	}
	w := cmd.OutOrStdout()
	made := fmt.Sprintf("%d facts", im.Facts)
	switch im.Kind { // who orders and events are about is found out as facts arrive, and not counted here
	case "contacts":
		made = fmt.Sprintf("%d contacts made, %d updated", im.ContactsCreated, im.ContactsUpdated)
	case "orders":
		made = fmt.Sprintf("%d orders", im.Orders)
	}
	fmt.Fprintf(w, "%s in %.1f s: %d rows, %d in, %d rejected; %s\n", im.State, time.Since(start).Seconds(), im.Rows, im.Accepted, im.Rejected, made)
	for _, r := range im.Reasons {
		fmt.Fprintf(w, "  %7d  %s\n", r.Count, r.Detail)
	}
	if im.Rejected > 0 {
		if err := f.saveRejects(cmd, s, im.ID, path); err != nil {
			return err
		}
	}
	if im.Error != nil {
		return errors.New(im.Error.Detail)
	}
	return nil
}

// abandon stops the import when the person pressed Ctrl-C.
func (f *importFlags) abandon(s *session, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var im importState
	err := s.json(ctx, http.MethodPost, "/api/imports/"+id+"/cancel", nil, &im)
	return errors.Join(errors.New("stopped; what was read is in, and can be undone in the console under imports"), err)
}

func (f *importFlags) saveRejects(cmd *cobra.Command, s *session, id, path string) error {
	res, err := s.do(cmd.Context(), http.MethodGet, "/api/imports/"+id+"/rejects", nil)
	if err != nil {
		return err
	}
	name := f.rejects
	if name == "" {
		name = strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), filepath.Ext(strings.TrimSuffix(path, ".gz"))) + ".rejected.csv"
	}
	_, err = save(name, res.Body)
	err = errors.Join(err, res.Body.Close())
	if err != nil && f.rejects == "" { // the input's folder may be read-only: here then
		return f.rejectsHere(cmd, s, id, filepath.Base(name), err)
	}
	if err == nil {
		fmt.Fprintln(cmd.OutOrStdout(), "rejected rows: "+name)
	}
	return err
}

func (f *importFlags) rejectsHere(cmd *cobra.Command, s *session, id, name string, first error) error {
	res, err := s.do(cmd.Context(), http.MethodGet, "/api/imports/"+id+"/rejects", nil)
	if err != nil {
		return err
	}
	if _, err := save(name, res.Body); err != nil {
		return errors.Join(first, err, res.Body.Close())
	}
	fmt.Fprintln(cmd.OutOrStdout(), "rejected rows: "+name)
	return res.Body.Close()
}
