package mail

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// lookIn is how long one question to the DNS may take.
const lookIn = 5 * time.Second

// Check implements connector.Conn: whether the server takes us, and what the world
// is told of who may send for the domain.
func (c *Client) Check(ctx context.Context) []connector.Finding {
	out := []connector.Finding{c.checkServer(ctx), c.checkSecurity()}
	return append(out, c.checkDKIM(ctx), c.checkSPF(ctx), c.checkDMARC(ctx), c.checkReports())
}

func (c *Client) checkServer(ctx context.Context) connector.Finding {
	f := connector.Finding{Check: "mail.check.server", State: connector.OK, Code: "mail.found.server", Params: map[string]any{"host": c.host}}
	w, err := c.dial(ctx)
	if err == nil {
		err = w.Noop()
		_ = w.Quit() // a server that is gone needs no goodbye
		_ = w.Close()
	}
	if err == nil {
		return f
	}
	e := errs.As(err)
	f.State, f.Code, f.Mend, f.Params = connector.Fail, e.Code, "mail.mend.server", e.Params
	switch {
	case e.Code == "mail.bad_login":
		f.Mend = "mail.mend.login"
	case e.Code == "mail.no_tls":
		f.Mend = "mail.mend.tls"
	case e.Code == "mail.busy" || e.Kind == errs.Internal:
		f.State, f.Code, f.Mend = connector.Unknown, "mail.busy", "mail.mend.again"
	}
	return f
}

func (c *Client) checkSecurity() connector.Finding {
	if c.security == secureNone && !local(c.host) {
		return connector.Finding{Check: "mail.check.tls", State: connector.Warn, Code: "mail.found.plain", Mend: "mail.mend.plain"}
	}
	return connector.Finding{Check: "mail.check.tls", State: connector.OK, Code: "mail.found.tls"}
}

// texts asks for the texts of a name; none is no error.
func (c *Client) texts(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookIn)
	defer cancel()
	list, err := c.env.LookupTXT(ctx, name)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return nil, nil
	}
	return list, err
}

func notAsked(check, name string) connector.Finding {
	return connector.Finding{Check: check, State: connector.Unknown, Code: "mail.found.no_dns", Mend: "mail.mend.again", Params: map[string]any{"name": name}}
}

func (c *Client) checkDKIM(ctx context.Context) connector.Finding {
	const check = "mail.check.dkim"
	if c.key == nil {
		return connector.Finding{Check: check, State: connector.Warn, Code: "mail.found.no_dkim", Mend: "mail.mend.dkim_key"}
	}
	name := c.selector + "._domainkey." + domainOf(c.from)
	list, err := c.texts(ctx, name)
	if err != nil {
		return notAsked(check, name)
	}
	record := "v=DKIM1; k=" + keyKind(c.key.Public()) + "; p=" + publicKey(c.key.Public())
	f := connector.Finding{Check: check, State: connector.Fail, Code: "mail.found.dkim_missing", Mend: "mail.mend.dkim_record", Params: map[string]any{"name": name, "record": record}}
	for _, text := range list {
		p := tag(text, "p")
		if p == "" {
			continue
		}
		f.Code = "mail.found.dkim_other"
		if subtle.ConstantTimeCompare([]byte(p), []byte(publicKey(c.key.Public()))) == 1 || sameRSA(p, c.key.Public()) {
			return connector.Finding{Check: check, State: connector.OK, Code: "mail.found.dkim", Params: map[string]any{"name": name}}
		}
	}
	return f
}

func keyKind(k crypto.PublicKey) string {
	if _, ok := k.(ed25519.PublicKey); ok {
		return "ed25519"
	}
	return "rsa"
}

func publicKey(k crypto.PublicKey) string {
	if e, ok := k.(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(e)
	}
	raw, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// sameRSA compares with a record in the older form, without the kind of the key.
func sameRSA(p string, k crypto.PublicKey) bool {
	own, ok := k.(*rsa.PublicKey)
	raw, err := base64.StdEncoding.DecodeString(p)
	if !ok || err != nil {
		return false
	}
	other, err := x509.ParsePKCS1PublicKey(raw)
	return err == nil && own.Equal(other)
}

// tag reads one value of a record such as "v=DKIM1; p=…", without spaces.
func tag(text, name string) string {
	for part := range strings.SplitSeq(text, ";") {
		k, v, ok := strings.Cut(part, "=")
		if ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Join(strings.Fields(v), "")
		}
	}
	return ""
}

// checkSPF looks at the domain of the return path: that is whom receivers ask.
func (c *Client) checkSPF(ctx context.Context) connector.Finding {
	const check = "mail.check.spf"
	domain := domainOf(c.from)
	if c.returnTo != "" {
		domain = domainOf(c.returnTo)
	}
	list, err := c.texts(ctx, domain)
	if err != nil {
		return notAsked(check, domain)
	}
	var records []string
	for _, t := range list {
		if t = strings.ToLower(strings.TrimSpace(t)); t == "v=spf1" || strings.HasPrefix(t, "v=spf1 ") {
			records = append(records, t)
		}
	}
	f := connector.Finding{Check: check, State: connector.OK, Code: "mail.found.spf", Params: map[string]any{"domain": domain}}
	switch {
	case len(records) == 0:
		f.State, f.Code, f.Mend = connector.Fail, "mail.found.spf_missing", "mail.mend.spf"
	case len(records) > 1:
		f.State, f.Code, f.Mend = connector.Fail, "mail.found.spf_many", "mail.mend.spf_one"
	case strings.Contains(records[0], "+all") || strings.HasSuffix(records[0], " all") || strings.Contains(records[0], "?all"):
		f.State, f.Code, f.Mend = connector.Warn, "mail.found.spf_open", "mail.mend.spf_open"
	}
	return f
}

func (c *Client) checkDMARC(ctx context.Context) connector.Finding {
	const check = "mail.check.dmarc"
	domain := domainOf(c.from)
	f := connector.Finding{Check: check, State: connector.Warn, Code: "mail.found.dmarc_missing", Mend: "mail.mend.dmarc", Params: map[string]any{"domain": domain, "name": "_dmarc." + domain}}
	// A subdomain without a record of its own has that of the domain above.
	for name := domain; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		list, err := c.texts(ctx, "_dmarc."+name)
		if err != nil {
			return notAsked(check, "_dmarc."+name)
		}
		for _, t := range list {
			if !strings.EqualFold(tag(t, "v"), "DMARC1") {
				continue
			}
			f.Params["policy"] = tag(t, "p")
			f.State, f.Code, f.Mend = connector.OK, "mail.found.dmarc", ""
			if strings.EqualFold(tag(t, "p"), "none") {
				f.State, f.Code, f.Mend = connector.Warn, "mail.found.dmarc_none", "mail.mend.dmarc_none"
			}
			return f
		}
	}
	return f
}

// checkReports says how it is heard that a mail did not arrive.
func (c *Client) checkReports() connector.Finding {
	f := connector.Finding{Check: "mail.check.reports", State: connector.OK, Code: "mail.found.reports", Params: map[string]any{"address": c.returnTo}}
	switch {
	case c.returnTo == "":
		f.State, f.Code, f.Mend = connector.Warn, "mail.found.no_return", "mail.mend.return"
	case c.popHost == "" && c.env.Callback == "":
		f.State, f.Code, f.Mend = connector.Warn, "mail.found.nobody_reads", "mail.mend.reports"
	}
	return f
}
