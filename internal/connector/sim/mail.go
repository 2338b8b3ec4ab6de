package sim

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Mail is what there is of mail: an account at the server, and mailboxes of whoever
// got something.
type Mail struct {
	User     string            `json:"user"`
	Password string            `json:"password"`
	Letters  []*Letter         `json:"letters"`         // the oldest first
	Boxes    map[string]string `json:"boxes,omitempty"` // addresses whose state is not fine
	Callback string            `json:"callback,omitempty"`
}

// lettersKept bounds the mails, letterSize each of them.
const (
	lettersKept = 1000
	letterSize  = 1 << 20
)

// The states of a mailbox.
const (
	BoxFine   = "fine"
	BoxAbsent = "absent" // refused at once: nobody has the address
	BoxGone   = "gone"   // taken, and reported later: nobody has the address
	BoxFull   = "full"   // taken, and reported later: no room
)

// Letter is a mail in somebody's mailbox.
type Letter struct {
	ID          string    `json:"id"`
	To          string    `json:"to"`
	From        string    `json:"from"`
	Name        string    `json:"name,omitempty"` // of who sent it
	ReturnPath  string    `json:"returnPath"`
	Subject     string    `json:"subject"`
	Text        string    `json:"text"`
	HTML        string    `json:"html,omitempty"`
	Unsubscribe string    `json:"unsubscribe,omitempty"` // where one click posts
	Signed      string    `json:"signed"`                // yes, no, wrong
	Headers     string    `json:"headers"`               // as they came
	At          time.Time `json:"at"`
	Opened      bool      `json:"opened,omitempty"`
	Left        bool      `json:"left,omitempty"`     // unsubscribed
	Reported    bool      `json:"reported,omitempty"` // as spam
}

// The domain of the company's mails in the simulated world, and the name of the key
// that it publishes.
const (
	MailDomain   = "mail.jinchi.example"
	MailSelector = "koi"
)

// mails shows the world's mail, and makes it when there is none yet.
func (w *World) mails() *Mail {
	if w.Mail == nil {
		w.Mail = &Mail{User: "news@" + MailDomain, Password: w.derive(24, "mail password"), Boxes: map[string]string{}}
	}
	return w.Mail
}

// dkimKey is the company's key: made from the seed, so that nothing has to be kept.
func (w *World) dkimKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(w.derive(32, "dkim")))
	return ed25519.NewKeyFromSeed(seed[:])
}

// MailAccess is what a connector signs in with.
type MailAccess struct{ User, Password, From, ReturnPath, Domain, Selector, Key string }

// MailAccess gives the account at the server.
func (s *Sim) MailAccess() (out MailAccess) {
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		m := w.mails()
		raw, _ := x509.MarshalPKCS8PrivateKey(w.dkimKey()) // a key of ours
		out = MailAccess{User: m.User, Password: m.Password, From: m.User, ReturnPath: "bounce@" + MailDomain, Domain: MailDomain, Selector: MailSelector,
			Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))}
		return nil
	})
	return out
}

// LookupTXT is the DNS of the simulated world; known tells whether a name is of it.
func (s *Sim) LookupTXT(name string) (texts []string, known bool) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name != MailDomain && !strings.HasSuffix(name, "."+MailDomain) {
		return nil, false
	}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		switch name {
		case MailDomain:
			texts = []string{"v=spf1 ip4:127.0.0.1 -all"}
		case MailSelector + "._domainkey." + MailDomain:
			public := w.dkimKey().Public().(ed25519.PublicKey)
			texts = []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
		case "_dmarc." + MailDomain:
			texts = []string{"v=DMARC1; p=quarantine"}
		}
		return nil
	})
	return texts, true
}

// SetMailCallback has reports of mails posted to an address.
func (s *Sim) SetMailCallback(address string) {
	_ = s.at(func(w *World, _ time.Time) error { w.mails().Callback = address; return nil }) // it cannot fail
}

// Box is the mailbox of one address.
type Box struct {
	Address string    `json:"address"`
	State   string    `json:"state" enum:"fine,absent,gone,full"`
	Last    string    `json:"last"`
	At      time.Time `json:"at"`
	Count   int       `json:"count"`
	Unread  int       `json:"unread"`
}

// MailBoxes lists the mailboxes that got something, the newest first.
func (s *Sim) MailBoxes(limit int) []Box {
	out := []Box{}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		m, at := w.mails(), map[string]int{}
		for _, l := range slices.Backward(m.Letters) {
			i, ok := at[l.To]
			if !ok {
				if len(out) >= limit {
					continue
				}
				i = len(out)
				at[l.To] = i
				out = append(out, Box{Address: l.To, State: cmp.Or(m.Boxes[l.To], BoxFine), Last: l.Subject, At: l.At})
			}
			out[i].Count++
			if !l.Opened {
				out[i].Unread++
			}
		}
		return nil
	})
	return out
}

// LettersOf lists what lies in a mailbox, the newest first.
func (s *Sim) LettersOf(address string, limit int) []Letter {
	out := []Letter{}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		for _, l := range slices.Backward(w.mails().Letters) {
			if l.To == strings.ToLower(address) && len(out) < limit {
				out = append(out, *l)
			}
		}
		return nil
	})
	return out
}

var simAddress = regexp.MustCompile(`^[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,250}$`)

// SetMailBox changes what becomes of mails to an address.
func (s *Sim) SetMailBox(address, state string) error {
	address = strings.ToLower(address)
	return s.at(func(w *World, now time.Time) error {
		if !simAddress.MatchString(address) {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("address", "sim.bad_address"))
		}
		m := w.mails()
		fill(&m.Boxes)
		if state == BoxFine {
			delete(m.Boxes, address)
		} else {
			m.Boxes[address] = state
		}
		s.diary.act(now, "mailbox", address, "", state)
		return nil
	})
}

func (w *World) letter(id string) (*Letter, error) {
	for _, l := range w.mails().Letters {
		if l.ID == id {
			return l, nil
		}
	}
	return nil, errs.New(errs.NotFound, "sim.mail_not_found")
}

// OpenLetter is a person who opens a mail.
func (s *Sim) OpenLetter(id string) (out Letter, err error) {
	err = s.at(func(w *World, now time.Time) error {
		l, err := w.letter(id)
		if err != nil {
			return err
		}
		if !l.Opened {
			l.Opened = true
			s.diary.act(now, "read", l.To, "", short(l.Subject, 60))
		}
		out = *l
		return nil
	})
	return out, err
}

// ReportLetter is a person who calls a mail spam: their provider tells the sender,
// as RFC 5965 has it.
func (s *Sim) ReportLetter(id string) error {
	return s.at(func(w *World, now time.Time) error {
		l, err := w.letter(id)
		if err != nil {
			return err
		}
		l.Reported = true
		s.diary.act(now, "report", l.To, "", short(l.Subject, 60))
		s.tellMail(w, "mail.complaint", l, complaintOf(w, l, now))
		return nil
	})
}

// tellMail posts a report of a mail to whoever sent it.
func (s *Sim) tellMail(w *World, name string, l *Letter, body []byte) {
	if to := w.mails().Callback; to != "" {
		s.postPlain(post{name: name, about: l.To, url: to, mime: "message/rfc822", body: body})
	}
}
