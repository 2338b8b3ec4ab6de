package consent

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// A file that proves a change of many is kept as it came, sealed, for as long as
// the ledger. Its SHA-256 stands in the proof of every row, so that the chain
// vouches for the file too.

const (
	maxProofFile   = 20 << 20
	proofFileField = "consent.proof_file"
	// unusedFor is how long a file waits for the change it was brought for.
	unusedFor = 24 * time.Hour
)

// ProofFile is a file that proves a change of many.
type ProofFile struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`

	key   string
	batch string
	by    string
}

// AddProofFile keeps a file, for the change that will name it.
func (s *Service) AddProofFile(ctx context.Context, name string, body io.Reader) (ProofFile, error) {
	f := ProofFile{ID: s.IDs.New("cf"), Name: fileName(name), by: principal(ctx).ID}
	f.key = "consent/" + f.ID
	sum := sha256.New()
	limited := &io.LimitedReader{R: body, N: maxProofFile + 1}
	info, err := s.Files.Put(ctx, f.key, io.TeeReader(limited, sum))
	switch {
	case err != nil:
		return ProofFile{}, fmt.Errorf("keep the proof: %w", err)
	case limited.N == 0:
		return ProofFile{}, errors.Join(errs.New(errs.TooLarge, "consent.proof_too_large", "limit", maxProofFile>>20), s.Files.Delete(ctx, f.key))
	case info.Size == 0:
		return ProofFile{}, errors.Join(errs.New(errs.Invalid, "consent.proof_empty"), s.Files.Delete(ctx, f.key))
	}
	f.Size, f.SHA256 = info.Size, hex.EncodeToString(sum.Sum(nil))
	sealed, err := s.Keys.Seal(proofFileField, f.Name)
	if err != nil {
		return ProofFile{}, err
	}
	_, err = s.DB.Exec(ctx, "insert into consent_proofs (id, name_enc, size, sha256, file_key, created_at, by_id) values ($1,$2,$3,$4,$5,$6,$7)",
		f.ID, sealed, f.Size, f.SHA256, f.key, s.Clock.Now().UnixMilli(), f.by)
	if err != nil {
		return ProofFile{}, errors.Join(fmt.Errorf("keep the proof: %w", err), s.Files.Delete(ctx, f.key))
	}
	s.dropUnused(ctx)
	return f, nil
}

// fileName is the last part of a name, without what a header could trip over.
func fileName(name string) string {
	name = clip(strings.ToValidUTF8(filepath.Base(strings.ReplaceAll(strings.TrimSpace(name), "\\", "/")), ""), 200)
	if name == "" || name == "." || name == "/" {
		return "proof"
	}
	return name
}

// dropUnused takes away files that no change used. What goes wrong is logged: the
// next file tries again.
func (s *Service) dropUnused(ctx context.Context) {
	rows, err := s.DB.Query(ctx, "select id, file_key from consent_proofs where batch = '' and created_at < $1 limit 100", s.Clock.Now().Add(-unusedFor).UnixMilli())
	old, err := db.Collect(rows, err, func(r *sql.Rows) (f ProofFile, err error) { return f, r.Scan(&f.ID, &f.key) })
	for _, f := range old {
		if err == nil {
			err = s.Files.Delete(ctx, f.key)
		}
		if err == nil {
			_, err = s.DB.Exec(ctx, "delete from consent_proofs where id = $1 and batch = ''", f.ID)
		}
	}
	if err != nil {
		s.Log.WarnContext(ctx, "unused proofs stay behind", "error", err)
	}
}

func (s *Service) proofFile(ctx context.Context, id string) (ProofFile, error) {
	var f ProofFile
	var sealed string
	err := s.DB.QueryRow(ctx, "select id, name_enc, size, sha256, file_key, batch, by_id from consent_proofs where id = $1", id).
		Scan(&f.ID, &sealed, &f.Size, &f.SHA256, &f.key, &f.batch, &f.by)
	if db.NoRows(err) {
		return f, errs.New(errs.NotFound, "consent.no_such_proof")
	}
	if err != nil {
		return f, fmt.Errorf("read the proof: %w", err)
	}
	f.Name, err = s.Keys.Open(proofFileField, sealed)
	return f, err
}

// useProof gives a file to a change, inside its transaction: a file proves one
// change, and whoever brought it names it.
func (s *Service) useProof(ctx context.Context, id, batch string) (ProofFile, error) {
	bad := errs.New(errs.Invalid, "request.invalid").On(errs.At("proofFile", "consent.no_such_proof"))
	f, err := s.proofFile(ctx, id)
	switch {
	case err != nil && errs.As(err).Kind == errs.NotFound, err == nil && (f.batch != "" || f.by != principal(ctx).ID):
		return f, bad
	case err != nil:
		return f, err
	}
	_, err = s.DB.Exec(ctx, "update consent_proofs set batch = $1 where id = $2", batch, id)
	return f, err
}

func (s *Service) serveAddProof(w http.ResponseWriter, r *http.Request) {
	f, err := s.AddProofFile(r.Context(), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	httpx.WriteJSON(w, http.StatusOK, f)
}

// serveProof sends the file of a change as a download, with a line in the audit log.
func (s *Service) serveProof(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	b, err := s.batch(ctx, r.PathValue("batch"))
	if err == nil && b.Proof == nil {
		err = errs.New(errs.NotFound, "consent.no_such_proof")
	}
	var f ProofFile
	if err == nil {
		f, err = s.proofFile(ctx, b.Proof.ID)
	}
	if err == nil {
		err = s.record(ctx, "consent.proof_downloaded", audit.Object{Type: "consent_batch", ID: b.ID}, map[string]any{"size": f.Size, "sha256": f.SHA256})
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	file, _, err := s.Files.Get(ctx, f.key)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream") // whatever it is, a browser saves it and runs nothing
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(f.Name))
	if _, err := io.Copy(w, file); err != nil {
		s.Log.WarnContext(ctx, "a proof was not sent to the end", "batch", b.ID, "error", err)
		panic(http.ErrAbortHandler) // the client must see a broken download, not a short file
	}
}
